/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   OPEN --submitted--> DONE            for good, with its receipt
 *     |---cancelled---> CANCELLED
 *     |---"Tekrar Kod Al" of its code---> SUPERSEDED
 *     `---time passes-> EXPIRED         not written down: the clock decides at each look
 *
 * Every arrow is an UPDATE that starts from OPEN, so of two that race one finds the consent no longer there to take.
 */
#include "consent.h"

#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "moment.h"

static void read_text(sqlite3_stmt *row, int column, char *ret, size_t size) {
    const unsigned char *s = sqlite3_column_text(row, column);

    (void)snprintf(ret, size, "%s", s ? (const char *)s : "");
}

static void read_row(sqlite3_stmt *row, Consent *ret) {
    *ret = (Consent){.id = sqlite3_column_int64(row, 0),
                     .state = (EonayTransactionState)sqlite3_column_int(row, 1),
                     .created_at = sqlite3_column_int64(row, 5),
                     .expires_at = sqlite3_column_int64(row, 6),
                     .submitted_at = sqlite3_column_int64(row, 10)};
    read_text(row, 2, ret->purpose, sizeof ret->purpose);
    read_text(row, 3, ret->subject, sizeof ret->subject);
    read_text(row, 4, ret->text_version, sizeof ret->text_version);
    read_text(row, 7, ret->submission_key, sizeof ret->submission_key);
    read_text(row, 9, ret->receipt_id, sizeof ret->receipt_id);
    if (sqlite3_column_bytes(row, 8) == (int)sizeof ret->submission_digest)
        memcpy(ret->submission_digest, sqlite3_column_blob(row, 8), sizeof ret->submission_digest);
}

static int hash_transaction(Ca *ca, const char *transaction, uint8_t ret[KEYED_HASH_SIZE]) {
    if (!transaction || strnlen(transaction, CA_IDENTIFIER_MAX + 1) > CA_IDENTIFIER_MAX)
        return fault(ca->host, EONAY_ERROR_NOT_FOUND, 0, "no such transaction");
    return key_hash(ca->host, store_key(ca->store), "transaction", transaction, ret);
}

int consent_find(Ca *ca, const char *transaction, Consent *ret) {
    uint8_t hash[KEYED_HASH_SIZE];
    _row_ sqlite3_stmt *row = NULL;
    int r = hash_transaction(ca, transaction, hash);

    if (r == 0)
        r = store_row(ca->store, STATEMENT_CONSENT_FIND, &row, "b", hash, sizeof hash);
    if (r != 0)
        return r;
    if (!row)
        return fault(ca->host, EONAY_ERROR_NOT_FOUND, 0, "no such transaction");
    read_row(row, ret);
    return 0;
}

EonayTransactionState consent_state(const Consent *c, int64_t now) {
    bool late = now >= c->expires_at || now < c->created_at - CLOCK_TOLERANCE_USEC;

    return c->state == EONAY_TRANSACTION_OPEN && late ? EONAY_TRANSACTION_EXPIRED : c->state;
}

void consent_receipt(const Ca *ca, const Consent *c, EonayReceipt *ret) {
    *ret = (EonayReceipt){.struct_size = sizeof *ret,
                          .receipt_id = host_strdup(ca->host, c->receipt_id),
                          .submitted_at = (uint64_t)c->submitted_at};
}

int consent_status(Ca *ca, const char *transaction, EonayTransactionState *ret_state, EonayReceipt *ret) {
    Consent c = {0};
    int r = consent_find(ca, transaction, &c);

    if (r != 0)
        return r;
    *ret_state = consent_state(&c, moment_now());
    if (*ret_state == EONAY_TRANSACTION_DONE)
        consent_receipt(ca, &c, ret);
    return 0;
}

int consent_cancel(Ca *ca, const char *transaction) {
    _transaction_ Store *lock = NULL;
    uint8_t hash[KEYED_HASH_SIZE];
    int changes = 0;
    Consent c = {0};
    int r = hash_transaction(ca, transaction, hash);

    if (r != 0 || (r = store_begin(ca->store, &lock)) != 0 || (r = consent_find(ca, transaction, &c)) != 0)
        return r;
    if (c.state == EONAY_TRANSACTION_DONE)
        return fault(ca->host, EONAY_ERROR_CODE_USED, 0, "the consent is signed already");
    r = store_change(ca->store, STATEMENT_CONSENT_CANCEL, &changes, "b", hash, sizeof hash);
    return r != 0 ? r : store_commit(&lock);
}
