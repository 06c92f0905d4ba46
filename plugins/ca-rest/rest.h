/* SPDX-License-Identifier: Apache-2.0 */
/* The instance: one authority, and the operations of eonay/plugin.h, each in the file of its noun. */
#ifndef CA_REST_REST_H
#define CA_REST_REST_H

#include <jansson.h>

#include "eonay/plugin.h"
#include "settings.h"
#include "transfer.h"

#define TRANSACTION_MAX 255u
#define KEY_SIZE        65 /* 32 random bytes in hex, and NUL */

typedef struct Rest {
    const EonayHost *host;
    Settings settings;
    Transfers *transfers;
} Rest;

/* One request whose success is a JSON object, or nothing for DELETE. */
int rest_ask(const Rest *rest, const Request *request, json_t **ret);
/* The same until `deadline`: again after a break of the connection, which a request with an idempotency key allows. */
int rest_ask_stubbornly(const Rest *rest, const Request *request, json_t **ret);
/* POST of a JSON object; takes the object. */
int rest_body(json_t *object, char **ret_body);
/* A random idempotency key. */
int rest_key(char ret[KEY_SIZE]);

/* code.c */
int code_ask(const Rest *rest, const EonayCodeRequest *request, EonayCode *ret);
int code_poll(const Rest *rest, const char *handle, EonayCode *ret);
/* redemption.c */
int redemption_ask(const Rest *rest, const char *code, EonayRedemption *ret);
/* submission.c */
int submission_send(const Rest *rest, const EonaySubmission *submission, EonayReceipt *ret);
int transaction_status(const Rest *rest, const char *transaction, EonayTransactionState *ret_state, EonayReceipt *ret);
int transaction_cancel(const Rest *rest, const char *transaction);
/* approval.c */
int approval_ask(const Rest *rest, const char *subject, EonayApproval *ret);
int capabilities_ask(const Rest *rest, EonayCapabilities *ret);

#endif
