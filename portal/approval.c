/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once approved, a person's applications need no further signature. What counts is the person, the purpose and the
 * version of the text. The identity number is kept in clear: the authority must be able to prove towards this very
 * person what was approved, and an eleven-digit number under a hash is guessed in minutes anyway.
 */
#include "approval.h"

#include <openssl/evp.h>
#include <string.h>

#include "consent-text.h"

int approval_newest(Store *store, const char *subject, const char *purpose, Approval *ret) {
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_APPROVAL_NEWEST, &row, "tt", subject, purpose);

    *ret = (Approval){.approved = r == 0 && row};
    if (!ret->approved)
        return r;
    (void)g_strlcpy(ret->receipt_id, store_rows_text(row, 0), sizeof ret->receipt_id);
    (void)g_strlcpy(ret->text_version, store_rows_text(row, 1), sizeof ret->text_version);
    ret->approved_at = store_rows_int(row, 2);
    return 0;
}

int approval_of_version(Store *store, const char *subject, const char *purpose, const char *text_version, bool *ret) {
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_APPROVAL_OF_VERSION, &row, "ttt", subject, purpose, text_version);

    *ret = r == 0 && row;
    return r;
}
