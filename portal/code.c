/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Tekrar Kod Al": the older codes of the same account and purpose, and the unsigned consents they opened, die in the
 * transaction that makes the new one. What is signed already stays.
 */
#include "code.h"

#include <openssl/crypto.h>
#include <string.h>

#include "approval.h"
#include "clock.h"
#include "consent.h"
#include "tckn.h"
#include "texts.h"

#define CODE_LEAST 100000000000000ULL
#define CODE_COUNT 900000000000000ULL
#define CODE_MASK  ((1ULL << 50) - 1) /* the next power of two: four draws of five are used */

bool code_valid(const char *digits) {
    return digits && strnlen(digits, CODE_SIZE) == CODE_DIGITS && strspn(digits, "0123456789") == CODE_DIGITS;
}

/* Rejection instead of a remainder: no code is more likely than another. */
static void draw(char ret[CODE_SIZE]) {
    uint64_t n = 0;

    do {
        secret_random(&n, sizeof n);
        n &= CODE_MASK;
    } while (n >= CODE_COUNT);
    n += CODE_LEAST;
    for (int i = CODE_DIGITS - 1; i >= 0; i--, n /= 10)
        ret[i] = (char)('0' + n % 10);
    ret[CODE_DIGITS] = '\0';
}

int code_supersede(Store *store, int64_t code_id) {
    int r = store_change(store, STATEMENT_CODE_SUPERSEDE, NULL, "i", code_id);

    return r != 0 ? r : store_change(store, STATEMENT_CONSENT_SUPERSEDE, NULL, "i", code_id);
}

static int supersede_older(Store *store, const CodeRequest *request, int64_t now) {
    int64_t ids[64];
    size_t n = 0;
    int r = 0;

    {
        _rows_ StoreRows *rows = NULL;
        if ((r = store_query(store, STATEMENT_CODE_ACCOUNT_LIVE, &rows, "bti", request->account,
                             (size_t)SECRET_HASH_SIZE, request->purpose, now)) != 0)
            return r;
        while (n < G_N_ELEMENTS(ids) && store_rows_next(rows) == 1)
            ids[n++] = store_rows_int(rows, 0);
    }
    for (size_t i = 0; r == 0 && i < n; i++)
        r = code_supersede(store, ids[i]);
    return r;
}

int code_check(Portal *p, Store *store, const CodeRequest *request) {
    bool approved = false;
    int r = 0;

    if (!purpose_known(request->purpose))
        return EONAY_ERROR_UNSUPPORTED;
    if (request->subject && !tckn_valid(request->subject))
        return EONAY_ERROR_SUBJECT_INVALID;
    if (!request->subject || !purpose_signs(request->purpose) || p->config->allow_repeats)
        return 0;
    r = approval_of_version(store, request->subject, request->purpose, p->texts->version, &approved);
    return r == 0 && approved ? EONAY_ERROR_ALREADY_APPROVED : r;
}

static int add(Portal *p, Store *store, const CodeRequest *request, IssuedCode *ret) {
    const char *undertaking =
        request->undertaking_version ? request->undertaking_version : p->config->undertaking_version;
    uint8_t hash[SECRET_HASH_SIZE];

    /* Two codes alike are unlikely in a thousand years, but one of them would be somebody else's. */
    for (;;) {
        _rows_ StoreRows *row = NULL;

        draw(ret->digits);
        secret_hash(&p->secret, "code", ret->digits, hash);
        int r = store_row(store, STATEMENT_CODE_ADD, &row, "bttBttii", hash, sizeof hash, request->purpose,
                          request->subject, request->account, (size_t)SECRET_HASH_SIZE, p->texts->version, undertaking,
                          ret->created_at, ret->expires_at);
        if (r != 0)
            return r;
        if (row)
            return ret->id = store_rows_int(row, 0), 0;
    }
}

int code_issue_within(Portal *p, Store *store, const CodeRequest *request, int64_t now, int64_t expires_at,
                      IssuedCode *ret) {
    int r = code_check(p, store, request);

    if (r == 0 && request->account)
        r = supersede_older(store, request, now);
    if (r != 0)
        return r;
    ret->created_at = now;
    ret->expires_at = expires_at;
    return add(p, store, request, ret);
}

typedef struct Issue {
    Portal *portal;
    const CodeRequest *request;
    int64_t now;
    IssuedCode *ret;
} Issue;

static int issue(Store *store, void *data) {
    Issue *i = data;
    int64_t end = i->now + (int64_t)i->portal->config->code_lifetime * SECOND_USEC;

    return code_issue_within(i->portal, store, i->request, i->now, end, i->ret);
}

int code_issue(Portal *p, Store *store, const CodeRequest *request, int64_t now, IssuedCode *ret) {
    Issue i = {p, request, now, ret};

    return store_write(store, issue, &i);
}

int code_find(Portal *p, Store *store, const char *digits, Code *ret) {
    uint8_t hash[SECRET_HASH_SIZE];

    secret_hash(&p->secret, "code", digits, hash);
    return code_find_hash(store, hash, ret);
}

static void read_code(StoreRows *row, Code *ret) {
    *ret = (Code){.id = store_rows_int(row, 0),
                  .state = (CodeState)store_rows_int(row, 1),
                  .created_at = store_rows_int(row, 6),
                  .expires_at = store_rows_int(row, 7)};
    (void)g_strlcpy(ret->purpose, store_rows_text(row, 2), sizeof ret->purpose);
    (void)g_strlcpy(ret->subject, store_rows_text(row, 3), sizeof ret->subject);
    (void)g_strlcpy(ret->text_version, store_rows_text(row, 4), sizeof ret->text_version);
    (void)g_strlcpy(ret->undertaking_version, store_rows_text(row, 5), sizeof ret->undertaking_version);
}

int code_find_hash(Store *store, const uint8_t hash[SECRET_HASH_SIZE], Code *ret) {
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_CODE_FIND, &row, "b", hash, (size_t)SECRET_HASH_SIZE);

    if (r != 0)
        return r;
    if (!row)
        return EONAY_ERROR_CODE_UNKNOWN;
    read_code(row, ret);
    return 0;
}

int code_use(Portal *p, Store *store, const char *digits, int64_t now, Code *ret) {
    uint8_t hash[SECRET_HASH_SIZE];
    _rows_ StoreRows *row = NULL;

    secret_hash(&p->secret, "code", digits, hash);
    /* A code from the future is one from before the clock was set back. */
    int r = store_row(store, STATEMENT_CODE_USE, &row, "bii", hash, sizeof hash, now, now + CLOCK_TOLERANCE_USEC);
    if (r != 0)
        return r;
    if (row) {
        read_code(row, ret);
        return 0;
    }
    r = code_find_hash(store, hash, ret);
    return r != 0 ? r : code_refusal(ret, now);
}

int code_refusal(const Code *code, int64_t now) {
    if (code->state == CODE_SUPERSEDED)
        return EONAY_ERROR_CODE_SUPERSEDED;
    if (code->state != CODE_ISSUED)
        return EONAY_ERROR_CODE_USED;
    /* From the future: the clock was set back. */
    if (now >= code->expires_at || now < code->created_at - CLOCK_TOLERANCE_USEC)
        return EONAY_ERROR_CODE_EXPIRED;
    return 0;
}

typedef struct Look {
    int64_t id, now;
    CodeStatus *ret;
} Look;

static CodeProgress progress_of_consent(EonayTransactionState state) {
    switch (state) {
    case EONAY_TRANSACTION_OPEN:
        return CODE_PROGRESS_OPENED;
    case EONAY_TRANSACTION_DONE:
        return CODE_PROGRESS_DONE;
    case EONAY_TRANSACTION_CANCELLED:
        return CODE_PROGRESS_CANCELLED;
    case EONAY_TRANSACTION_SUPERSEDED:
        return CODE_PROGRESS_SUPERSEDED;
    case EONAY_TRANSACTION_EXPIRED:
    default:
        return CODE_PROGRESS_EXPIRED;
    }
}

static int look(Store *store, void *data) {
    Look *l = data;
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_CODE_STATE, &row, "i", l->id);

    if (r != 0)
        return r;
    if (!row)
        return EONAY_ERROR_NOT_FOUND;
    *l->ret = (CodeStatus){.expires_at = store_rows_int(row, 1)};
    bool late = l->now >= l->ret->expires_at;
    if (!store_rows_null(row, 2))
        l->ret->progress = progress_of_consent((EonayTransactionState)store_rows_int(row, 2));
    else if (store_rows_int(row, 0) == CODE_SUPERSEDED)
        l->ret->progress = CODE_PROGRESS_SUPERSEDED;
    else
        l->ret->progress = CODE_PROGRESS_WAITING;
    if (late && (l->ret->progress == CODE_PROGRESS_WAITING || l->ret->progress == CODE_PROGRESS_OPENED))
        l->ret->progress = CODE_PROGRESS_EXPIRED;
    (void)g_strlcpy(l->ret->receipt_id, store_rows_text(row, 4), sizeof l->ret->receipt_id);
    return 0;
}

int code_status(Store *store, int64_t id, int64_t now, CodeStatus *ret) {
    Look l = {id, now, ret};

    return store_read(store, look, &l);
}
