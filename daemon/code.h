/* SPDX-License-Identifier: Apache-2.0 */
/* GetCode: the code an authority gives to a local app, at once or after a login in the browser. */
#ifndef EONAY_CODE_H
#define EONAY_CODE_H

#include "backend.h"
#include "client.h"

typedef struct PendingCode PendingCode;

/* What the caller asks; all may be NULL. Borrowed. */
typedef struct CodeRequest {
    const char *purpose, *subject, *language, *superseded_code;
} CodeRequest;

/* Replies to m when the authority has answered. Returns as sd-bus handlers do. */
int code_get(Client *client, Backend *backend, const CodeRequest *request, sd_bus_message *m, sd_bus_error *error);
/* NOT_FOUND for another caller's. */
int code_cancel(Client *client, const char *handle);
void pending_code_free(PendingCode *p);
void codes_client_gone(Manager *m, const Client *client);

#endif
