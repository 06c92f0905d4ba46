/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin calls a string, made fit for the wire and for a person's eyes. */
#ifndef EONAY_HOST_TEXT_H
#define EONAY_HOST_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A copy for people: at most `limit` bytes of `s`, cut between characters; U+FFFD stands for every byte that is not
 * UTF-8 and for every character that would not show (controls, line ends, bidirectional overrides, non-characters).
 * NULL gives "". Never fails; free with g_free().
 */
char *text_clean(const char *s, size_t limit);

/* True when `s` has 1 to `limit` bytes and text_clean() would change none: for what is compared, not shown. */
bool text_is_clean(const char *s, size_t limit);

#endif
