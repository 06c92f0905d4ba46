/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"

#include <string.h>

#include "clock.h"

bool consent_key_valid(const char *key) {
    size_t size = strnlen(key, CONSENT_KEY_MAX + 1);

    for (size_t i = 0; i < size; i++)
        if (key[i] < '!' || key[i] > '~')
            return false;
    return size >= CONSENT_KEY_MIN && size <= CONSENT_KEY_MAX;
}

void consent_read(StoreRows *row, Consent *ret) {
    size_t size = 0;
    const void *bytes = NULL;

    *ret = (Consent){.id = store_rows_int(row, 0),
                     .state = (EonayTransactionState)store_rows_int(row, 1),
                     .created_at = store_rows_int(row, 6),
                     .expires_at = store_rows_int(row, 7),
                     .submitted_at = store_rows_int(row, 11),
                     .code_id = store_rows_int(row, 12)};
    (void)g_strlcpy(ret->purpose, store_rows_text(row, 2), sizeof ret->purpose);
    (void)g_strlcpy(ret->subject, store_rows_text(row, 3), sizeof ret->subject);
    (void)g_strlcpy(ret->text_version, store_rows_text(row, 4), sizeof ret->text_version);
    (void)g_strlcpy(ret->undertaking_version, store_rows_text(row, 5), sizeof ret->undertaking_version);
    (void)g_strlcpy(ret->submission_key, store_rows_text(row, 8), sizeof ret->submission_key);
    (void)g_strlcpy(ret->receipt_id, store_rows_text(row, 10), sizeof ret->receipt_id);
    bytes = store_rows_bytes(row, 9, &size);
    if (size == sizeof ret->submission_digest)
        memcpy(ret->submission_digest, bytes, size);
    bytes = store_rows_bytes(row, 13, &size);
    ret->has_redeem_key = size == sizeof ret->redeem_key;
    if (ret->has_redeem_key)
        memcpy(ret->redeem_key, bytes, size);
}

int consent_hash(Portal *p, const char *transaction, uint8_t ret[SECRET_HASH_SIZE]) {
    if (!transaction || strnlen(transaction, SECRET_LABEL_SIZE) != SECRET_LABEL_SIZE - 1)
        return EONAY_ERROR_NOT_FOUND;
    secret_hash(&p->secret, "transaction", transaction, ret);
    return 0;
}

int consent_find(Portal *p, Store *store, const char *transaction, Consent *ret) {
    uint8_t hash[SECRET_HASH_SIZE];
    _rows_ StoreRows *row = NULL;
    int r = consent_hash(p, transaction, hash);

    if (r == 0)
        r = store_row(store, STATEMENT_CONSENT_FIND, &row, "b", hash, sizeof hash);
    if (r != 0)
        return r;
    if (!row)
        return EONAY_ERROR_NOT_FOUND;
    consent_read(row, ret);
    return 0;
}

int consent_of_code(Store *store, int64_t code_id, Consent *ret) {
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_CONSENT_OF_CODE, &row, "i", code_id);

    if (r != 0)
        return r;
    if (!row)
        return EONAY_ERROR_NOT_FOUND;
    consent_read(row, ret);
    return 0;
}

EonayTransactionState consent_state(const Consent *c, int64_t now) {
    bool late = now >= c->expires_at || now < c->created_at - CLOCK_TOLERANCE_USEC;

    return c->state == EONAY_TRANSACTION_OPEN && late ? EONAY_TRANSACTION_EXPIRED : c->state;
}

int consent_refusal(const Consent *c, int64_t now) {
    switch (consent_state(c, now)) {
    case EONAY_TRANSACTION_OPEN:
        return 0;
    case EONAY_TRANSACTION_EXPIRED:
        return EONAY_ERROR_CODE_EXPIRED;
    case EONAY_TRANSACTION_SUPERSEDED:
        return EONAY_ERROR_CODE_SUPERSEDED;
    case EONAY_TRANSACTION_CANCELLED:
        return EONAY_ERROR_CANCELLED;
    case EONAY_TRANSACTION_DONE:
    default:
        return EONAY_ERROR_CODE_USED;
    }
}

typedef struct Cancel {
    Portal *portal;
    const char *transaction;
} Cancel;

static int cancel(Store *store, void *data) {
    Cancel *c = data;
    Consent consent = {0};
    int64_t changes = 0;
    int r = consent_find(c->portal, store, c->transaction, &consent);

    if (r == 0)
        r = store_change(store, STATEMENT_CONSENT_CANCEL, &changes, "i", consent.id);
    if (r != 0 || changes == 1)
        return r;
    /* Not open any more, perhaps only since we looked. */
    r = consent_find(c->portal, store, c->transaction, &consent);
    return r == 0 && consent.state == EONAY_TRANSACTION_DONE ? EONAY_ERROR_CODE_USED : r;
}

int consent_cancel(Portal *p, Store *store, const char *transaction) {
    Cancel c = {p, transaction};

    return store_write(store, cancel, &c);
}
