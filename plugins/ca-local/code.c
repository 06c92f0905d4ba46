/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A code is drawn evenly from the 9e14 numbers of fifteen digits whose first is not 0 (a leading zero is lost in every
 * spreadsheet). The database knows its keyed hash only. Dead codes are remembered for a day, so that a citizen who is
 * late hears that the code expired, was used or was replaced, and not that it never was.
 *
 * "Tekrar Kod Al": the replaced code and what was opened with it die in the same transaction that issues the new one,
 * which keeps the subject of the old one unless the request names another.
 */
#include "code.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "approval.h"
#include "fault.h"
#include "guess.h"
#include "moment.h"
#include "tckn.h"

#define CODE_LEAST 100000000000000ULL
#define CODE_COUNT 900000000000000ULL
#define CODE_MASK  ((1ULL << 50) - 1) /* the next power of two: four draws of five are used */

bool code_valid(const char *s) {
    static const char digits[] = "0123456789";

    return s && strnlen(s, CODE_SIZE) == CODE_DIGITS && strspn(s, digits) == CODE_DIGITS;
}

/* Rejection instead of a remainder: no code is more likely than another. */
static int code_draw(const EonayHost *host, char ret[CODE_SIZE]) {
    uint64_t n = 0;
    char text[24];

    do {
        if (RAND_bytes((uint8_t *)&n, sizeof n) != 1)
            return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "the random number generator failed");
        n &= CODE_MASK;
    } while (n >= CODE_COUNT);
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)n + CODE_LEAST);
    memcpy(ret, text, CODE_SIZE);
    OPENSSL_cleanse(text, sizeof text);
    return 0;
}

static void read_text(sqlite3_stmt *row, int column, char *ret, size_t size) {
    const unsigned char *s = sqlite3_column_text(row, column);

    (void)snprintf(ret, size, "%s", s ? (const char *)s : "");
}

int code_find(Ca *ca, const char *digits, Code *ret) {
    uint8_t hash[KEYED_HASH_SIZE];
    _row_ sqlite3_stmt *row = NULL;
    int r = key_hash(ca->host, store_key(ca->store), "code", digits, hash);

    if (r == 0)
        r = store_row(ca->store, STATEMENT_CODE_FIND, &row, "b", hash, sizeof hash);
    if (r != 0)
        return r;
    if (!row)
        return fault(ca->host, EONAY_ERROR_CODE_UNKNOWN, 0, NULL);
    *ret = (Code){.id = sqlite3_column_int64(row, 0),
                  .state = (CodeState)sqlite3_column_int(row, 1),
                  .created_at = sqlite3_column_int64(row, 4),
                  .expires_at = sqlite3_column_int64(row, 5)};
    read_text(row, 2, ret->purpose, sizeof ret->purpose);
    read_text(row, 3, ret->subject, sizeof ret->subject);
    return 0;
}

int code_refusal(Ca *ca, const Code *code, int64_t now) {
    if (code->state == CODE_REPLACED)
        return fault(ca->host, EONAY_ERROR_CODE_SUPERSEDED, 0, NULL);
    if (code->state != CODE_ISSUED)
        return fault(ca->host, EONAY_ERROR_CODE_USED, 0, NULL);
    if (now >= code->expires_at)
        return fault(ca->host, EONAY_ERROR_CODE_EXPIRED, 0, NULL);
    if (now < code->created_at - CLOCK_TOLERANCE_USEC)
        return fault(ca->host, EONAY_ERROR_CODE_EXPIRED, 0, "the clock was set back: the code is from the future");
    return 0;
}

int code_use(Ca *ca, const Code *code, int64_t now) {
    int changes = 0;
    int r = store_change(ca->store, STATEMENT_CODE_USE, &changes, "ii", code->id, now);

    if (r == 0 && changes != 1)
        return fault(ca->host, EONAY_ERROR_CODE_USED, 0, NULL);
    return r;
}

static int check_request(const Ca *ca, const EonayCodeRequest *request) {
    if (request->purpose && strcmp(request->purpose, CA_PURPOSE) != 0)
        return fault(ca->host, EONAY_ERROR_UNSUPPORTED, 0, "the purpose is not one of this authority's");
    if (request->language && strcmp(request->language, "tr") != 0 && strcmp(request->language, "en") != 0)
        return fault(ca->host, EONAY_ERROR_UNSUPPORTED, 0, "the language is neither tr nor en");
    if (request->subject && !tckn_valid(request->subject))
        return fault(ca->host, EONAY_ERROR_SUBJECT_INVALID, 0, NULL);
    if (request->superseded_code && !code_valid(request->superseded_code))
        return fault(ca->host, EONAY_ERROR_CODE_INVALID, 0, "the superseded code has no 15 digits");
    return 0;
}

/* Ids grow with time, so the distance between the oldest living code and the newest bounds the number of living ones.
 */
static int check_room(Ca *ca, int64_t now, int64_t *ret_last) {
    _row_ sqlite3_stmt *first = NULL;
    _row_ sqlite3_stmt *last = NULL;
    int r = store_row(ca->store, STATEMENT_CODE_FIRST_LIVE, &first, "i", now);

    if (r == 0)
        r = store_row(ca->store, STATEMENT_CODE_LAST, &last, "");
    if (r != 0)
        return r;
    *ret_last = last ? sqlite3_column_int64(last, 0) : 0;
    if (first && *ret_last - sqlite3_column_int64(first, 0) >= CODES_PER_LIFETIME_MAX)
        return fault(ca->host, EONAY_ERROR_RATE_LIMITED, ca->settings.code_lifetime, "too many codes are alive");
    return 0;
}

/* A bounded part of what died long ago goes with every new code: more than is added, so none piles up. */
static int purge(Ca *ca, int64_t now, int64_t last_id) {
    int r =
        store_change(ca->store, STATEMENT_CODE_PURGE, NULL, "iii", now, now - DAY_USEC, last_id - CODES_REMEMBERED_MAX);

    return r != 0 ? r : store_change(ca->store, STATEMENT_CONSENT_PURGE, NULL, "i", now - DAY_USEC);
}

/*
 * Kills the code and what it opened; what is signed already stays. Anyone who may ask for codes could try digits here
 * as well as at redeem(), so an unknown code counts as a guess; the counting must survive the refusal, therefore the
 * transaction is committed then.
 */
static int supersede(Ca *ca, const char *digits, int64_t now, Store **transaction, Code *ret_old) {
    int r = guess_allowed(ca, now);

    if (r != 0)
        return r;
    r = code_find(ca, digits, ret_old);
    if (r == EONAY_ERROR_CODE_UNKNOWN)
        return guess_record(ca, now, transaction);
    if (r == 0)
        r = store_change(ca->store, STATEMENT_CODE_SUPERSEDE, NULL, "i", ret_old->id);
    if (r == 0)
        r = store_change(ca->store, STATEMENT_CONSENT_SUPERSEDE, NULL, "i", ret_old->id);
    return r;
}

static int add(Ca *ca, const char *subject, int64_t now, char digits[CODE_SIZE]) {
    const int64_t expires_at = now + (int64_t)ca->settings.code_lifetime * USEC;
    uint8_t hash[KEYED_HASH_SIZE];
    _row_ sqlite3_stmt *known = NULL;
    int r = 0;

    /* Two codes alike are unlikely in a thousand years, but one of them would be somebody else's. */
    do {
        store_row_endp(&known);
        if ((r = code_draw(ca->host, digits)) != 0 ||
            (r = key_hash(ca->host, store_key(ca->store), "code", digits, hash)) != 0 ||
            (r = store_row(ca->store, STATEMENT_CODE_FIND, &known, "b", hash, sizeof hash)) != 0)
            return r;
    } while (known);
    return store_change(ca->store, STATEMENT_CODE_ADD, NULL, "bttii", hash, sizeof hash, CA_PURPOSE, subject, now,
                        expires_at);
}

static void reply(const Ca *ca, const char *digits, int64_t now, EonayCode *ret) {
    *ret = (EonayCode){.struct_size = sizeof *ret,
                       .code = host_strdup(ca->host, digits),
                       .purpose = host_strdup(ca->host, CA_PURPOSE),
                       .created_at = (uint64_t)now,
                       .expires_at = (uint64_t)(now + (int64_t)ca->settings.code_lifetime * USEC),
                       .now = (uint64_t)moment_now()};
}

int code_get(Ca *ca, const EonayCodeRequest *request, EonayCode *ret) {
    _transaction_ Store *transaction = NULL;
    const char *subject = request->subject;
    char digits[CODE_SIZE];
    int64_t now = 0, last_id = 0;
    Code old = {0};
    int r = check_request(ca, request);

    if (r != 0 || (r = store_begin(ca->store, &transaction)) != 0)
        return r;
    now = moment_now();
    if ((r = check_room(ca, now, &last_id)) != 0)
        return r;
    if (request->superseded_code && (r = supersede(ca, request->superseded_code, now, &transaction, &old)) != 0)
        return r;
    if (!subject && *old.subject)
        subject = old.subject;
    if (subject && (r = approval_absent(ca, subject)) != 0)
        return r;
    if ((r = add(ca, subject, now, digits)) != 0 || (r = purge(ca, now, last_id)) != 0 ||
        (r = store_commit(&transaction)) != 0)
        return r;
    reply(ca, digits, now, ret);
    OPENSSL_cleanse(digits, sizeof digits);
    return 0;
}
