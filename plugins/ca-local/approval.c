/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once approved, a person's applications need no further signature. What counts is the person and the version of the
 * text: another version is another approval. The identity number is kept in clear, because the authority must be able
 * to prove towards this very person what was approved; the database is for its owner's eyes alone (mode 0600).
 */
#include "approval.h"

#include "fault.h"
#include "tckn.h"

int approval_absent_for(Ca *ca, const char *subject, const char *text_version) {
    _row_ sqlite3_stmt *row = NULL;
    int r = 0;

    if (ca->settings.allow_repeats)
        return 0;
    if ((r = store_row(ca->store, STATEMENT_APPROVAL_OF_VERSION, &row, "tt", subject, text_version)) != 0)
        return r;
    return row ? fault(ca->host, EONAY_ERROR_ALREADY_APPROVED, 0, NULL) : 0;
}

int approval_absent(Ca *ca, const char *subject) {
    return approval_absent_for(ca, subject, ca->text->version);
}

int approval_record(Ca *ca, const Consent *c, const char *subject) {
    return store_change(ca->store, STATEMENT_APPROVAL_ADD, NULL, "tttiti", subject, c->purpose, c->text_version, c->id,
                        c->receipt_id, c->submitted_at);
}

int approval_get(Ca *ca, const char *subject, EonayApproval *ret) {
    _row_ sqlite3_stmt *row = NULL;
    int r = 0;

    if (!tckn_valid(subject))
        return fault(ca->host, EONAY_ERROR_SUBJECT_INVALID, 0, NULL);
    if ((r = store_row(ca->store, STATEMENT_APPROVAL_NEWEST, &row, "t", subject)) != 0)
        return r;
    *ret = (EonayApproval){.struct_size = sizeof *ret, .approved = row != NULL};
    if (!row)
        return 0;
    ret->receipt_id = host_strdup(ca->host, (const char *)sqlite3_column_text(row, 0));
    ret->text_version = host_strdup(ca->host, (const char *)sqlite3_column_text(row, 1));
    ret->approved_at = (uint64_t)sqlite3_column_int64(row, 2);
    return 0;
}
