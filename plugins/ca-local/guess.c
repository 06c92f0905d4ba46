/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority sees codes, not callers: whoever tries digits and whoever types his own code look the same until the
 * code is looked up. So there are two thresholds within a minute. Above the first, unknown codes are answered with
 * RATE_LIMITED, while right ones still pass: one caller's noise must not lock out the others. Above the second, far
 * higher, nothing is looked up any more, so that the number of tries is bounded whoever makes them.
 *
 * The count lives in the database: it holds for all processes, and a restart does not clear it.
 */
#include "guess.h"

#include "fault.h"
#include "moment.h"

static int count(Ca *ca, int64_t now, int64_t *ret) {
    _row_ sqlite3_stmt *row = NULL;
    /* Rows from beyond the tolerance are left from a clock that was set back. */
    int r = store_row(ca->store, STATEMENT_GUESS_COUNT, &row, "ii", now - MINUTE_USEC, now + CLOCK_TOLERANCE_USEC);

    if (r == 0)
        *ret = row ? sqlite3_column_int64(row, 0) : 0;
    return r;
}

/* RATE_LIMITED until fewer than `limit` guesses lie in the past minute. */
static int limited(Ca *ca, int64_t now, int64_t limit) {
    _row_ sqlite3_stmt *row = NULL;
    int64_t wait = MINUTE_USEC;
    int r = store_row(ca->store, STATEMENT_GUESS_NTH, &row, "iii", now - MINUTE_USEC, now + CLOCK_TOLERANCE_USEC,
                      limit - 1);

    if (r != 0)
        return r;
    if (row)
        wait = sqlite3_column_int64(row, 0) + MINUTE_USEC - now;
    return fault(ca->host, EONAY_ERROR_RATE_LIMITED, (uint64_t)((wait + USEC - 1) / USEC), "too many unknown codes");
}

int guess_allowed(Ca *ca, int64_t now) {
    const int64_t ceiling = (int64_t)ca->settings.guesses_per_minute * GUESS_CEILING_FACTOR;
    int64_t n = 0;
    int r = count(ca, now, &n);

    if (r != 0)
        return r;
    return n >= ceiling ? limited(ca, now, ceiling) : 0;
}

int guess_record(Ca *ca, int64_t now, Store **transaction) {
    const int64_t limit = ca->settings.guesses_per_minute;
    int64_t n = 0;
    int r = store_change(ca->store, STATEMENT_GUESS_PURGE, NULL, "ii", now - MINUTE_USEC, now + CLOCK_TOLERANCE_USEC);

    if (r != 0 || (r = store_change(ca->store, STATEMENT_GUESS_ADD, NULL, "i", now)) != 0 ||
        (r = count(ca, now, &n)) != 0 || (r = store_commit(transaction)) != 0)
        return r;
    return n > limit ? limited(ca, now, limit) : fault(ca->host, EONAY_ERROR_CODE_UNKNOWN, 0, NULL);
}
