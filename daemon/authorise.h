/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this caller do that? On a private bus the one uid served may do everything. On the system bus polkit decides,
 * asked asynchronously; its dialogs appear only if the call carries ALLOW_INTERACTIVE_AUTHORIZATION.
 */
#ifndef EONAY_AUTHORISE_H
#define EONAY_AUTHORISE_H

#include "client.h"

typedef struct Authorisation Authorisation;

/* error is NULL when allowed, else AccessDenied or InteractiveAuthorizationRequired. May be called before authorise()
 * returns. */
typedef void (*AuthoriseHandler)(const sd_bus_error *error, void *userdata);

/* details: NULL or key, value, …, NULL: shown to the user by polkit. *ret is NULL when the handler was already called.
 */
int authorise(Client *client, AuthAction action, bool interactive, const char *const *details, AuthoriseHandler handler,
              void *userdata, Authorisation **ret);
/* The answer is no longer wanted. */
Authorisation *authorise_cancel(Authorisation *a);

/* Runs the handler once the action is allowed; AUTH_NONE: at once. Returns as sd-bus handlers do. */
int authorise_call(Client *client, sd_bus_message *m, AuthAction action, ClientHandler handler, sd_bus_error *error);

#endif
