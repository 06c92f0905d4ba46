/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: standard error, with the priorities of sd-daemon(3) when the journal reads it. Never a code, a secret, a
 * name or an identity number.
 */
#ifndef PORTAL_LOG_H
#define PORTAL_LOG_H

void log_write(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(3, __VA_ARGS__)
#define log_warning(...) log_write(4, __VA_ARGS__)
#define log_info(...)    log_write(6, __VA_ARGS__)

#endif
