/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "api.h"
#include "client.h"
#include "clock.h"
#include "code-watch.h"
#include "redemption.h"
#include "tckn.h"
#include "texts.h"

static json_t *text_object(const RedemptionText *text) {
    g_autofree char *base64 = g_base64_encode(text->bytes, text->size);
    uint8_t hash[EVP_MAX_MD_SIZE];
    char hex[65];

    if (EVP_Digest(text->bytes, text->size, hash, NULL, EVP_sha256(), NULL) != 1)
        g_error("SHA-256 failed");
    secret_hex(hash, 32, hex);
    return json_pack("{s:s, s:s, s:s, s:s}", "title", text->title, "media_type", text->media_type, "sha256", hex,
                     "bytes", base64);
}

static Reply *answer(const Request *r, const Redemption *redemption) {
    const Consent *c = &redemption->consent;
    json_t *texts = json_array();
    char masked[TCKN_LENGTH + 1];

    for (size_t i = 0; i < redemption->n_texts; i++)
        json_array_append_new(texts, text_object(&redemption->texts[i]));
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "transaction", redemption->transaction,
                               "requester", r->portal->config->name, "purpose", c->purpose, "level",
                               purpose_signs(c->purpose) ? "B-B" : "none", "created_at", (json_int_t)c->created_at,
                               "expires_at", (json_int_t)c->expires_at, "now", (json_int_t)clock_now(), "texts", texts);
    if (*c->subject) {
        tckn_mask(c->subject, masked);
        json_object_set_new(object, "subject", json_string(c->subject));
        json_object_set_new(object, "subject_masked", json_string(masked));
    }
    return reply_json(200, object);
}

/* Absent: the client says nothing of it, and may do whatever the code is for. Words of later versions are passed over.
 */
static bool read_operations(const json_t *body, unsigned *ret) {
    static const char *const names[] = {"sign", "pin"};
    const json_t *list = json_object_get(body, "operations");
    const json_t *item = NULL;
    size_t i = 0;

    *ret = list ? 0 : REDEMPTION_ANY;
    if (list && !json_is_array(list))
        return false;
    json_array_foreach(list, i, item) {
        if (!json_is_string(item))
            return false;
        for (size_t k = 0; k < G_N_ELEMENTS(names); k++)
            if (strcmp(json_string_value(item), names[k]) == 0)
                *ret |= 1u << k;
    }
    return true;
}

Reply *api_redeem(Request *r) {
    const char *key = request_header(r, "Idempotency-Key");
    const char *client = NULL;
    Redemption redemption = {0};
    unsigned operations = 0;
    Reply *reply = NULL;

    if (client_identify(r, r->portal->config->require_client, &client) != 0)
        return client_refusal(r);
    if (key && !consent_key_valid(key))
        return problem_reply(r, EONAY_ERROR_BACKEND_PROTOCOL, "Idempotency-Key: 16 to 255 visible ASCII characters");
    json_t *body = request_json(r);
    const char *code = json_string_value(json_object_get(body, "code"));
    if (!code || !read_operations(body, &operations))
        reply = problem_reply(r, EONAY_ERROR_BACKEND_PROTOCOL,
                              "the body must be a JSON object with the text \"code\"; \"operations\" has words");
    if (!reply) {
        int error = redemption_make(r, code, key, client, operations, &redemption);
        if (error == 0)
            code_watch_bell(r->portal->watch, redemption.consent.code_id);
        reply = error == 0
                    ? answer(r, &redemption)
                    : problem_reply_full(r->language, (EonayError)error, error == EONAY_ERROR_UNSUPPORTED ? 422 : 0,
                                         redemption.retry_after, NULL);
    }
    redemption_clear(&redemption);
    json_decref(body);
    return reply;
}
