/* SPDX-License-Identifier: Apache-2.0 */
/* Text of others on a terminal: whether it can be shown as it is, made harmless, measured, and times in words. */
#ifndef EONAYCTL_TEXT_H
#define EONAYCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether a consent text can be shown byte for byte: valid UTF-8 without control characters (line ends and tabs apart),
 * invisible and bidirectional formatting, private or unassigned characters.
 */
bool text_is_safe(const char *bytes, size_t size);
/* One line for display: what is not safe becomes U+FFFD, line ends and tabs become spaces. Release with g_free(). */
char *text_clean(const char *text);
/* Columns on a terminal. */
unsigned text_width(const char *text);
/* At most so many columns, the last one an ellipsis when something was cut. Release with g_free(). */
char *text_cut(const char *text, unsigned width);

/* The first CN of an RFC 2253 name, its escapes resolved; the whole name when there is none. Release with g_free(). */
char *text_common_name(const char *name);

/* Local time in the user's order of day, month and year; "-" for 0. Release with g_free(). */
char *text_time(int64_t usec);
char *text_date(int64_t usec);
/* Whole seconds from now until then, 0 when past. */
int64_t text_seconds_left(int64_t usec);

#endif
