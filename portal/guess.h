/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Those who try codes. At most GuessesPerMinute= (10) wrong ones within any minute for each address (IPv6: /64) and for
 * each account or client, counted in the records for all instances together; whoever reached it gets RATE_LIMITED even
 * for a right one. Beyond TotalGuessesPerMinute= nothing is looked up for anybody until the minute is over.
 */
#ifndef PORTAL_GUESS_H
#define PORTAL_GUESS_H

#include "portal.h"

/* kind: what is guessed, "code" or "user-code". who: an account's or client's key, 32 bytes; NULL: none known. */
typedef struct Guesser {
    const char *kind;
    const char *address; /* Request.address */
    const uint8_t *account;
} Guesser;

/* Within a work, before the look-up. 0, RATE_LIMITED with the seconds to wait, STORAGE_FAILED. */
int guess_allowed(Portal *p, Store *store, const Guesser *who, int64_t now, unsigned *ret_retry_after);
/* The same with another limit, at most 16: for what may be asked for only so often. */
int guess_allowed_up_to(Portal *p, Store *store, const Guesser *who, int limit, int64_t now, unsigned *ret_retry_after);
/* Within the same write, after a look-up that found nothing; the work must end with 0, so that it counts. */
int guess_failed(Portal *p, Store *store, const Guesser *who, int64_t now);

#endif
