/* SPDX-License-Identifier: Apache-2.0 */
/* All that proves one approval, in one object that can be kept and checked elsewhere. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "approval.h"
#include "cades.h"

typedef struct Export {
    const char *receipt_id;
    json_t *ret;
} Export;

static json_t *base64(StoreRows *rows, int column) {
    size_t size = 0;
    const void *bytes = store_rows_bytes(rows, column, &size);
    g_autofree char *text = g_base64_encode(bytes, size);

    return json_string(text);
}

static int read_consent(Store *store, const char *receipt_id, json_t *evidence, int64_t *ret_id) {
    static const char *const names[] = {"purpose", "subject", "text_version", "undertaking_version", "reference"};
    static const char *const times[] = {"text_created_at", "expires_at", "submitted_at"};
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_EVIDENCE_FIND, &row, "t", receipt_id);

    if (r != 0)
        return r;
    if (!row)
        return EONAY_ERROR_NOT_FOUND;
    *ret_id = store_rows_int(row, 0);
    for (int i = 0; i < (int)G_N_ELEMENTS(names); i++)
        json_object_set_new(evidence, names[i], json_string(store_rows_text(row, 1 + i)));
    for (int i = 0; i < (int)G_N_ELEMENTS(times); i++)
        json_object_set_new(evidence, times[i], json_integer(store_rows_int(row, 6 + i)));
    return 0;
}

static int read_texts(Store *store, int64_t id, json_t *evidence) {
    json_t *texts = json_array();
    _rows_ StoreRows *rows = NULL;
    int more = 0;
    int r = store_query(store, STATEMENT_TEXT_LIST, &rows, "i", id);

    json_object_set_new(evidence, "texts", texts);
    while (r == 0 && (more = store_rows_next(rows)) == 1)
        json_array_append_new(texts, json_pack("{s:s, s:s, s:o}", "title", store_rows_text(rows, 1), "media_type",
                                               store_rows_text(rows, 2), "bytes", base64(rows, 3)));
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

static void report_freep(CadesReport **report) {
    cades_report_free(*report);
}

/* The signer's certificate is a part of the signature. */
static json_t *certificate_of(StoreRows *rows, int column) {
    __attribute__((cleanup(report_freep))) CadesReport *report = NULL;
    const CadesExpectation nothing = {0};
    size_t size = 0;
    const void *cms = store_rows_bytes(rows, column, &size);

    if (cades_verify(cms, size, &nothing, &report) != 0 || !report->certificate)
        return json_null();
    g_autofree char *text = g_base64_encode(report->certificate, report->certificate_size);
    return json_string(text);
}

static int read_signatures(Store *store, int64_t id, json_t *evidence) {
    json_t *signatures = json_array();
    _rows_ StoreRows *rows = NULL;
    int more = 0;
    int r = store_query(store, STATEMENT_SIGNATURE_LIST, &rows, "i", id);

    json_object_set_new(evidence, "signatures", signatures);
    while (r == 0 && (more = store_rows_next(rows)) == 1)
        json_array_append_new(signatures, json_pack("{s:o, s:o, s:o, s:I}", "cms", base64(rows, 1), "certificate",
                                                    certificate_of(rows, 1), "findings",
                                                    json_loads(store_rows_text(rows, 2), 0, NULL), "verified_at",
                                                    (json_int_t)store_rows_int(rows, 3)));
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

static int export(Store *store, void *data) {
    Export *e = data;
    int64_t id = 0;

    json_object_clear(e->ret);
    json_object_set_new(e->ret, "evidence", json_string("eonay-approval-1"));
    json_object_set_new(e->ret, "receipt_id", json_string(e->receipt_id));
    int r = read_consent(store, e->receipt_id, e->ret, &id);
    if (r == 0)
        r = read_texts(store, id, e->ret);
    return r != 0 ? r : read_signatures(store, id, e->ret);
}

int evidence_export(Store *store, const char *receipt_id, json_t **ret) {
    Export e = {receipt_id, json_object()};
    int r = store_read(store, export, &e);

    if (r != 0) {
        json_decref(e.ret);
        return r;
    }
    *ret = e.ret;
    return 0;
}
