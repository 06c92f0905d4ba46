/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured logging. To the journal when standard error is connected to it, else a line of text to standard error.
 * Never pass a PIN, a code, a text, a name or an identity number; ids and fingerprints only.
 */
#ifndef EONAY_LOG_H
#define EONAY_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* Chooses where lines go and which are kept (LOG_DEBUG keeps all). program: static, shown before each text line. */
void log_open(const char *program, int max_priority);

/*
 * message_id: 32 hex digits from messages.h, or NULL for LOG_INFO and LOG_DEBUG lines without a catalog entry.
 * fields: NULL or "NAME=value" strings ending with NULL, upper-case names of our own (EONAY_TOKEN, EONAY_CONSENT …).
 */
void log_event(int priority, const char *message_id, const char *const *fields, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define log_debug(...) log_event(LOG_DEBUG, NULL, NULL, __VA_ARGS__)
#define log_info(...)  log_event(LOG_INFO, NULL, NULL, __VA_ARGS__)

#endif
