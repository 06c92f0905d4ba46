/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spending a code. A lost answer would be a lost code, so the request carries a random key under which it may be
 * repeated (docs/portal-api.yaml), and is, while the call has time.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "fault.h"
#include "rest.h"
#include "scope.h"

#define TEXTS_MAX 16u

/* The bytes of base64 (RFC 4648 section 4) with its padding, in the host's memory; NULL when it is none. */
static uint8_t *decode(const EonayHost *host, const char *base64, size_t *ret_size) {
    size_t length = strlen(base64), padding = 0;

    if (length == 0 || length % 4 != 0 || length > ANSWER_SIZE_MAX)
        return NULL;
    while (padding < 2 && base64[length - 1 - padding] == '=')
        padding++;
    if (strcspn(base64, "= \t\r\n-") < length - padding) /* EVP_DecodeBlock() overlooks blanks at the ends */
        return NULL;
    uint8_t *bytes = host->alloc(host, length / 4 * 3 + 1);
    int n = EVP_DecodeBlock(bytes, (const uint8_t *)base64, (int)length);
    if (n < 0 || (size_t)n <= padding) {
        host->release(host, bytes);
        return NULL;
    }
    bytes[(size_t)n - padding] = 0;
    *ret_size = (size_t)n - padding;
    return bytes;
}

/* Is it what the authority says it is? A difference means that somebody on the way rewrote one and not the other. */
static bool has_hash(const uint8_t *bytes, size_t size, const char *expected) {
    uint8_t hash[EVP_MAX_MD_SIZE];
    char hex[2 * 32 + 1];
    unsigned n = 0;

    if (EVP_Digest(bytes, size, hash, &n, EVP_sha256(), NULL) != 1 || n != 32)
        return false;
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(hex + (size_t)2 * i, 3, "%02x", hash[i]);
    return strcmp(hex, expected) == 0;
}

static bool read_text(const EonayHost *host, const json_t *json, EonayText *ret) {
    const char *title = NULL, *type = NULL, *sha256 = NULL, *base64 = NULL;

    if (!member_string(json, "title", &title) || !member_string(json, "media_type", &type) ||
        !member_string(json, "sha256", &sha256) || !member_string(json, "bytes", &base64))
        return false;
    ret->bytes = decode(host, base64, &ret->size);
    ret->title = host_strdup(host, title);
    ret->media_type = host_strdup(host, type);
    return ret->bytes && has_hash(ret->bytes, ret->size, sha256);
}

static int read_texts(const Rest *rest, const json_t *texts, EonayRedemption *ret) {
    size_t n = json_array_size(texts);

    /* Of an authority that did not look at what we can do. */
    if (n == 0 && strcmp(ret->level, "none") == 0)
        return fault(rest->host, EONAY_ERROR_UNSUPPORTED, 0, "the code is for a card's PIN: there is nothing to sign");
    if (n == 0 || n > TEXTS_MAX)
        return answer_garbled(rest->host, "the redemption has no texts, or too many");
    ret->texts = rest->host->alloc(rest->host, n * sizeof *ret->texts);
    ret->n_texts = n;
    for (size_t i = 0; i < n; i++)
        if (!read_text(rest->host, json_array_get(texts, i), &ret->texts[i]))
            return answer_garbled(rest->host, "a text is incomplete, or is not what its SHA-256 says");
    return 0;
}

static int read_redemption(const Rest *rest, const json_t *json, EonayRedemption *ret) {
    const char *transaction = NULL, *requester = NULL, *purpose = NULL, *level = NULL, *subject = NULL;

    if (!member_string(json, "transaction", &transaction) || strlen(transaction) > TRANSACTION_MAX ||
        !member_string(json, "requester", &requester) || !member_string(json, "purpose", &purpose) ||
        !member_string(json, "level", &level) || !member_time(json, "created_at", &ret->created_at) ||
        !member_time(json, "expires_at", &ret->expires_at) || !member_time(json, "now", &ret->now) ||
        (json_object_get(json, "subject") && !member_string(json, "subject", &subject)))
        return answer_garbled(rest->host, "the redemption lacks a member");
    ret->transaction = host_strdup(rest->host, transaction);
    ret->requester = host_strdup(rest->host, requester);
    ret->purpose = host_strdup(rest->host, purpose);
    ret->level = host_strdup(rest->host, level);
    ret->subject = host_strdup(rest->host, subject);
    return read_texts(rest, json_object_get(json, "texts"), ret);
}

int redemption_ask(const Rest *rest, const char *code, EonayRedemption *ret) {
    char key[KEY_SIZE], header[KEY_SIZE + 32];
    _cleanup_free_ char *body = NULL;
    _cleanup_json_ json_t *json = NULL;
    int r = rest_key(key);

    if (r != 0 || (r = rest_body(json_pack("{s:s, s:[s]}", "code", code, "operations", "sign"), &body)) != 0)
        return r;
    (void)snprintf(header, sizeof header, "Idempotency-Key: %s", key);
    r = rest_ask_stubbornly(rest,
                            &(const Request){.method = "POST",
                                             .path = "/v1/redemptions",
                                             .content_type = "application/json",
                                             .body = body,
                                             .body_size = strlen(body),
                                             .headers = {header}},
                            &json);
    explicit_bzero(body, strlen(body));
    if (r != 0)
        return r;
    return json ? read_redemption(rest, json, ret) : answer_garbled(rest->host, "an answer without content");
}
