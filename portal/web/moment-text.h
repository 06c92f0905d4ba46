/* SPDX-License-Identifier: Apache-2.0 */
/* Moments as people read them: dd.MM.yyyy HH:mm:ss in Turkey's time (+03 all year since 2016), whatever the server's
 * zone. */
#ifndef EONAY_PORTAL_MOMENT_TEXT_H
#define EONAY_PORTAL_MOMENT_TEXT_H

#include <glib.h>
#include <stdint.h>

#define MOMENT_TEXT_SIZE 24

/* NULL for what no calendar has. */
GDateTime *moment_local(int64_t usec);
/* "27.08.2019 11:10:21"; "-" for what no calendar has. Returns ret. */
const char *moment_text(int64_t usec, char ret[MOMENT_TEXT_SIZE]);
/* "27.08.2019" */
const char *moment_day(int64_t usec, char ret[MOMENT_TEXT_SIZE]);
/* The reverse of moment_day() and of an <input type=date> ("2019-08-27"): the day's beginning. -1 for anything else. */
int64_t moment_parse_day(const char *text);

#endif
