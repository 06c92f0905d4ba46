/* SPDX-License-Identifier: Apache-2.0 */
/* The security word (güvenlik sözcüğü) by which a caller on the telephone is known. Only its scrypt hash is kept. */
#ifndef EONAY_PORTAL_WORD_H
#define EONAY_PORTAL_WORD_H

#include <stdbool.h>

#include "../store.h"

#define WORD_LEAST_CHARACTERS 6
#define WORD_MOST_CHARACTERS  64

/* Six to 64 characters of UTF-8, no control characters. */
bool word_good(const char *word);
int word_set(Store *store, const char *account, const char *word, int64_t now);
/* *ret_set: there is one; *ret_right: and it is this one; *ret_changed_at: since when. word NULL: just look. */
int word_check(Store *store, const char *account, const char *word, bool *ret_set, bool *ret_right,
               int64_t *ret_changed_at);

#endif
