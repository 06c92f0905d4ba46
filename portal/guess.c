/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket is a row with the times of its last wrong tries. Whoever has none lately is only looked at; from the first
 * wrong one on, every further try holds the bucket's row until its transaction ends, so that a burst over many
 * connections and instances is counted one by one. The ceiling for all together counts whole minutes.
 *
 * The odds: a guess meets one of n living codes with n / 9e14. Ten a minute against a hundred living codes: one in 1.7
 * million years; the ceiling of 1000 a minute for the whole world: one in 17,000 years.
 */
#include "guess.h"

#include <string.h>

#include "clock.h"

#define TIMES_MAX 16

typedef struct Times {
    int64_t at[TIMES_MAX]; /* oldest first */
    size_t n;
} Times;

/* IPv6 callers own at least a /64: it is one address here. */
static void address_name(const char *address, char *ret, size_t size) {
    int groups = 0;

    (void)g_strlcpy(ret, address, size);
    if (!strchr(ret, ':') || g_str_has_prefix(ret, "::ffff:"))
        return;
    for (char *p = ret; *p; p++)
        if (*p == ':' && (++groups == 4 || p[1] == ':')) {
            *p = '\0';
            return;
        }
}

static void address_bucket(Portal *p, const Guesser *who, uint8_t ret[SECRET_HASH_SIZE]) {
    char name[64], value[128];

    address_name(who->address, name, sizeof name);
    (void)g_snprintf(value, sizeof value, "%s address %s", who->kind, name);
    secret_hash(&p->secret, "guess", value, ret);
}

static void account_bucket(Portal *p, const Guesser *who, uint8_t ret[SECRET_HASH_SIZE]) {
    char value[160];

    (void)g_snprintf(value, sizeof value, "%s account ", who->kind);
    secret_hex(who->account, 32, value + strlen(value));
    secret_hash(&p->secret, "guess", value, ret);
}

static void total_bucket(Portal *p, const Guesser *who, uint8_t ret[SECRET_HASH_SIZE]) {
    char value[64];

    (void)g_snprintf(value, sizeof value, "%s total", who->kind);
    secret_hash(&p->secret, "guess", value, ret);
}

/* Those of the past minute; times from beyond the tolerance are left from a clock that was set back. */
static void read_times(StoreRows *row, int64_t now, Times *ret) {
    size_t size = 0;
    const uint8_t *bytes = store_rows_bytes(row, 1, &size);

    ret->n = 0;
    for (size_t i = 0; i + 8 <= size && ret->n < TIMES_MAX; i += 8) {
        int64_t at = 0;
        memcpy(&at, bytes + i, sizeof at);
        at = GINT64_FROM_BE(at);
        if (at > now - MINUTE_USEC && at <= now + CLOCK_TOLERANCE_USEC)
            ret->at[ret->n++] = at;
    }
}

/* The row is ours until the transaction ends. */
static int hold(Store *store, const uint8_t *bucket, int64_t now, Times *ret) {
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_GUESS_HOLD, &row, "b", bucket, (size_t)SECRET_HASH_SIZE);

    ret->n = 0;
    if (r == 0 && row)
        read_times(row, now, ret);
    return r;
}

static int save(Store *store, const uint8_t *bucket, const Times *times, int64_t now) {
    int64_t bytes[TIMES_MAX];

    for (size_t i = 0; i < times->n; i++)
        bytes[i] = GINT64_TO_BE(times->at[i]);
    return store_change(store, STATEMENT_GUESS_SET, NULL, "bbi", bucket, (size_t)SECRET_HASH_SIZE, bytes,
                        times->n * sizeof bytes[0], now);
}

static int refuse(int64_t wait, unsigned *ret_retry_after) {
    *ret_retry_after = (unsigned)CLAMP((wait + SECOND_USEC - 1) / SECOND_USEC, 1, 60);
    return EONAY_ERROR_RATE_LIMITED;
}

/* Of those who had no wrong try lately no row is held. */
static int bucket_allowed(Store *store, const uint8_t *bucket, size_t limit, int64_t now, unsigned *ret_retry_after) {
    Times times = {0};
    int r = hold(store, bucket, now, &times);

    if (r != 0 || times.n < limit)
        return r;
    return refuse(times.at[times.n - limit] + MINUTE_USEC - now, ret_retry_after);
}

static int bucket_count(Store *store, const uint8_t *bucket, int64_t now) {
    Times times = {0};
    int r = store_change(store, STATEMENT_GUESS_ADD, NULL, "bbi", bucket, (size_t)SECRET_HASH_SIZE, "", (size_t)0, now);

    if (r == 0)
        r = hold(store, bucket, now, &times);
    if (r != 0)
        return r;
    if (times.n == TIMES_MAX)
        memmove(times.at, times.at + 1, --times.n * sizeof times.at[0]);
    times.at[times.n++] = now;
    return save(store, bucket, &times, now);
}

/* Of the ceiling's bucket: the count of this minute. */
static int64_t read_total(StoreRows *row, int64_t minute) {
    int64_t values[2] = {0};
    size_t size = 0;
    const void *bytes = store_rows_bytes(row, 1, &size);

    if (size != sizeof values)
        return 0;
    memcpy(values, bytes, size);
    return GINT64_FROM_BE(values[0]) == minute ? GINT64_FROM_BE(values[1]) : 0;
}

static int total_count(Portal *p, Store *store, const Guesser *who, int64_t now) {
    uint8_t bucket[SECRET_HASH_SIZE];
    Times values = {.at = {now / MINUTE_USEC, 0}, .n = 2};
    _rows_ StoreRows *row = NULL;

    total_bucket(p, who, bucket);
    int r = store_change(store, STATEMENT_GUESS_ADD, NULL, "bbi", bucket, (size_t)SECRET_HASH_SIZE, "", (size_t)0, now);
    if (r == 0)
        r = store_row(store, STATEMENT_GUESS_HOLD, &row, "b", bucket, (size_t)SECRET_HASH_SIZE);
    if (r != 0)
        return r;
    values.at[1] = (row ? read_total(row, values.at[0]) : 0) + 1;
    store_rows_endp(&row);
    return save(store, bucket, &values, now);
}

typedef struct Look {
    uint8_t total[SECRET_HASH_SIZE];
    uint8_t own[2][SECRET_HASH_SIZE]; /* address, account */
    size_t n_own;
    int64_t count;      /* of all */
    bool suspicious[2]; /* had a wrong try within the minute */
} Look;

static void look_row(StoreRows *row, int64_t now, Look *l) {
    size_t size = 0;
    const void *bucket = store_rows_bytes(row, 0, &size);
    Times times;

    if (size != SECRET_HASH_SIZE)
        return;
    if (memcmp(bucket, l->total, size) == 0) {
        l->count = read_total(row, now / MINUTE_USEC);
        return;
    }
    read_times(row, now, &times);
    for (size_t i = 0; i < l->n_own; i++)
        if (memcmp(bucket, l->own[i], size) == 0)
            l->suspicious[i] = times.n > 0;
}

/* One question for all buckets: this is asked for every code that comes. */
static int look(Portal *p, Store *store, const Guesser *who, int64_t now, Look *ret) {
    _rows_ StoreRows *rows = NULL;
    int more = 0;

    *ret = (Look){.n_own = who->account ? 2 : 1};
    total_bucket(p, who, ret->total);
    address_bucket(p, who, ret->own[0]);
    if (who->account)
        account_bucket(p, who, ret->own[1]);
    int r = store_query(store, STATEMENT_GUESS_GET, &rows, "bbb", ret->total, (size_t)SECRET_HASH_SIZE, ret->own[0],
                        (size_t)SECRET_HASH_SIZE, ret->own[ret->n_own - 1], (size_t)SECRET_HASH_SIZE);
    if (r != 0)
        return r;
    while ((more = store_rows_next(rows)) == 1)
        look_row(rows, now, ret);
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : 0;
}

int guess_allowed_up_to(Portal *p, Store *store, const Guesser *who, int limit, int64_t now,
                        unsigned *ret_retry_after) {
    const size_t most = (size_t)CLAMP(limit, 1, TIMES_MAX);
    Look l;
    int r = look(p, store, who, now, &l);

    if (r == 0 && l.count >= p->config->total_guesses_per_minute)
        return refuse(MINUTE_USEC - now % MINUTE_USEC, ret_retry_after);
    for (size_t i = 0; r == 0 && i < l.n_own; i++)
        if (l.suspicious[i])
            r = bucket_allowed(store, l.own[i], most, now, ret_retry_after);
    return r;
}

int guess_allowed(Portal *p, Store *store, const Guesser *who, int64_t now, unsigned *ret_retry_after) {
    return guess_allowed_up_to(p, store, who, p->config->guesses_per_minute, now, ret_retry_after);
}

int guess_failed(Portal *p, Store *store, const Guesser *who, int64_t now) {
    uint8_t bucket[SECRET_HASH_SIZE];
    int r = 0;

    address_bucket(p, who, bucket);
    r = bucket_count(store, bucket, now);
    if (r == 0 && who->account) {
        account_bucket(p, who, bucket);
        r = bucket_count(store, bucket, now);
    }
    return r != 0 ? r : total_count(p, store, who, now);
}
