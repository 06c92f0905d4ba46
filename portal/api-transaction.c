/* SPDX-License-Identifier: Apache-2.0 */
/* What is done under a transaction secret: signatures, status, end. */
#include <string.h>

#include "api.h"
#include "client.h"
#include "clock.h"
#include "code-watch.h"
#include "consent.h"
#include "submission.h"

#define TRANSACTION_HEADER "Eonay-Transaction"

static json_t *receipt_object(const Consent *c) {
    return json_pack("{s:s, s:I, s:I}", "receipt_id", c->receipt_id, "submitted_at", (json_int_t)c->submitted_at, "now",
                     (json_int_t)clock_now());
}

static Reply *refuse_stranger(Request *r) {
    const char *client = NULL;

    return client_identify(r, r->portal->config->require_client, &client) != 0 ? client_refusal(r) : NULL;
}

/* Canonical base64 only, so that one signature has one form. */
static GBytes *decode(const char *text) {
    gsize size = 0;
    const size_t length = text ? strlen(text) : 0;

    if (length == 0 || length % 4 != 0 || length > (CONSENT_SIGNATURE_MAX + 2) / 3 * 4)
        return NULL;
    g_autofree guchar *bytes = g_base64_decode(text, &size);
    g_autofree char *again = g_base64_encode(bytes, size);
    if (size == 0 || strcmp(again, text) != 0)
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), size);
}

static bool read_signatures(const json_t *body, Submission *ret) {
    const json_t *signatures = json_object_get(body, "signatures");
    const size_t n = json_array_size(signatures);

    if (!json_is_array(signatures) || n > CONSENT_TEXTS_MAX)
        return false;
    while (ret->n < n) {
        GBytes *bytes = decode(json_string_value(json_array_get(signatures, ret->n)));
        if (!bytes)
            return false;
        ret->signatures[ret->n++] = bytes;
    }
    return true;
}

static Reply *take(Request *r, const json_t *body, Submission *s) {
    Consent consent = {0};

    if (!body || !read_signatures(body, s))
        return problem_reply(r, EONAY_ERROR_BACKEND_PROTOCOL,
                             "the body must be a JSON object with \"signatures\", a list of base64");
    int error = submission_take(r, s, &consent);
    if (error == SUBMISSION_LATER)
        return NULL;
    if (error == 0)
        code_watch_bell(r->portal->watch, consent.code_id);
    return error == 0 ? reply_json(200, receipt_object(&consent)) : problem_reply(r, (EonayError)error, NULL);
}

Reply *api_submit(Request *r) {
    Submission s = {.transaction = request_header(r, TRANSACTION_HEADER), .key = request_header(r, "Idempotency-Key")};
    Reply *reply = refuse_stranger(r);

    if (reply)
        return reply;
    if (!s.transaction)
        return problem_reply(r, EONAY_ERROR_NOT_FOUND, NULL);
    if (!s.key || !consent_key_valid(s.key))
        return problem_reply(r, EONAY_ERROR_BACKEND_PROTOCOL, "Idempotency-Key: 16 to 255 visible ASCII characters");
    json_t *body = request_json(r);
    reply = take(r, body, &s);
    for (size_t i = 0; i < s.n; i++)
        g_bytes_unref(s.signatures[i]);
    json_decref(body);
    return reply;
}

typedef struct Look {
    Portal *portal;
    const char *transaction;
    Consent consent;
} Look;

static int look(Store *store, void *data) {
    Look *l = data;

    return consent_find(l->portal, store, l->transaction, &l->consent);
}

Reply *api_status(Request *r) {
    static const char *const states[] = {"open", "done", "expired", "cancelled", "superseded"};
    Look l = {.portal = r->portal, .transaction = request_header(r, TRANSACTION_HEADER)};
    Reply *refusal = refuse_stranger(r);

    if (refusal)
        return refusal;
    int error = store_read(r->store, look, &l);
    if (error != 0)
        return problem_reply(r, (EonayError)error, NULL);
    EonayTransactionState state = consent_state(&l.consent, r->now);
    json_t *object = json_pack("{s:s, s:I, s:I}", "state", states[state], "expires_at",
                               (json_int_t)l.consent.expires_at, "now", (json_int_t)clock_now());
    if (state == EONAY_TRANSACTION_DONE)
        json_object_set_new(object, "receipt", receipt_object(&l.consent));
    return reply_json(200, object);
}

Reply *api_cancel(Request *r) {
    const char *transaction = request_header(r, TRANSACTION_HEADER);
    Reply *refusal = refuse_stranger(r);

    if (refusal)
        return refusal;
    int error = consent_cancel(r->portal, r->store, transaction);
    return error == 0 ? reply_empty(204) : problem_reply(r, (EonayError)error, NULL);
}
