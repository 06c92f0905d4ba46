/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows a redemption: delivering the signatures, asking what became of them, giving up. Sending again is the
 * daemon's: it has them on disk and knows how long they are worth sending.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "fault.h"
#include "rest.h"
#include "scope.h"

#define SIGNATURE_MAX (1u << 20)
#define HEADER_SIZE   320

/* "Eonay-Transaction: …"; what cannot be one never reaches a header. */
static int transaction_header(const Rest *rest, const char *transaction, char ret[HEADER_SIZE]) {
    for (const char *p = transaction; *p; p++)
        if (*p < '!' || *p > '~')
            return fault(rest->host, EONAY_ERROR_NOT_FOUND, 0, "the transaction is none of a portal's");
    if (*transaction == '\0' || strlen(transaction) > TRANSACTION_MAX)
        return fault(rest->host, EONAY_ERROR_NOT_FOUND, 0, "the transaction is none of a portal's");
    (void)snprintf(ret, HEADER_SIZE, "Eonay-Transaction: %s", transaction);
    return 0;
}

static int encode(const uint8_t *bytes, size_t size, json_t *array) {
    if (size > SIGNATURE_MAX)
        return -EMSGSIZE;

    _cleanup_free_ char *base64 = calloc(1, (size + 2) / 3 * 4 + 1);
    if (!base64)
        return -ENOMEM;
    EVP_EncodeBlock((uint8_t *)base64, bytes, (int)size);
    return json_array_append_new(array, json_string(base64)) == 0 ? 0 : -ENOMEM;
}

static int submission_body(const EonaySubmission *submission, char **ret) {
    _cleanup_json_ json_t *signatures = json_array();
    int r = signatures ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < submission->n_signatures; i++)
        r = encode(submission->signatures[i], submission->signature_sizes[i], signatures);
    return r != 0 ? r : rest_body(json_pack("{s:O}", "signatures", signatures), ret);
}

static int read_receipt(const Rest *rest, const json_t *json, EonayReceipt *ret) {
    const char *id = NULL;

    if (!json || !member_string(json, "receipt_id", &id) || !*id ||
        !member_time(json, "submitted_at", &ret->submitted_at))
        return answer_garbled(rest->host, "the receipt lacks a member");
    ret->receipt_id = host_strdup(rest->host, id);
    return 0;
}

int submission_send(const Rest *rest, const EonaySubmission *submission, EonayReceipt *ret) {
    char transaction[HEADER_SIZE], key[HEADER_SIZE];
    _cleanup_free_ char *body = NULL;
    _cleanup_json_ json_t *json = NULL;
    int r = transaction_header(rest, submission->transaction, transaction);

    if (r != 0)
        return r;
    if (strlen(submission->idempotency_key) > 255)
        return -EINVAL;
    (void)snprintf(key, sizeof key, "Idempotency-Key: %s", submission->idempotency_key);
    if ((r = submission_body(submission, &body)) == -EMSGSIZE)
        return fault(rest->host, EONAY_ERROR_BACKEND_REJECTED, 0, "a signature is too large to be sent");
    if (r == 0)
        r = rest_ask(rest,
                     &(const Request){.method = "POST",
                                      .path = "/v1/transaction/signatures",
                                      .content_type = "application/json",
                                      .body = body,
                                      .body_size = strlen(body),
                                      .headers = {transaction, key}},
                     &json);
    return r != 0 ? r : read_receipt(rest, json, ret);
}

int transaction_status(const Rest *rest, const char *transaction, EonayTransactionState *ret_state, EonayReceipt *ret) {
    static const char *const states[] = {[EONAY_TRANSACTION_OPEN] = "open",
                                         [EONAY_TRANSACTION_DONE] = "done",
                                         [EONAY_TRANSACTION_EXPIRED] = "expired",
                                         [EONAY_TRANSACTION_CANCELLED] = "cancelled",
                                         [EONAY_TRANSACTION_SUPERSEDED] = "superseded",
                                         NULL};
    char header[HEADER_SIZE];
    _cleanup_json_ json_t *json = NULL;
    unsigned state = 0;
    int r = transaction_header(rest, transaction, header);

    if (r == 0)
        r = rest_ask(rest, &(const Request){.method = "GET", .path = "/v1/transaction", .headers = {header}}, &json);
    if (r != 0)
        return r;
    if (!json || !member_word(json, "state", states, &state))
        return answer_garbled(rest->host, "the status is none");
    if (state == EONAY_TRANSACTION_DONE && (r = read_receipt(rest, json_object_get(json, "receipt"), ret)) != 0)
        return r;
    *ret_state = (EonayTransactionState)state;
    return 0;
}

int transaction_cancel(const Rest *rest, const char *transaction) {
    char header[HEADER_SIZE];
    _cleanup_json_ json_t *json = NULL;
    int r = transaction_header(rest, transaction, header);

    if (r != 0)
        return r;
    return rest_ask(rest, &(const Request){.method = "DELETE", .path = "/v1/transaction", .headers = {header}}, &json);
}
