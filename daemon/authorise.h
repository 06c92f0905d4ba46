/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this caller do that? On a private bus the one uid served may do everything. On the system bus polkit decides,
 * asked asynchronously; its dialogs appear only if the call carries ALLOW_INTERACTIVE_AUTHORIZATION. What polkit
 * allowed without a dialog is remembered for the connection, the action and its details, until polkit or a login
 * session changes. What does not answer does not allow.
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
/* The answer is no longer wanted: a dialog that is open closes. */
Authorisation *authorise_cancel(Authorisation *a);

/* Runs the handler once the action is allowed; AUTH_NONE: at once. Returns as sd-bus handlers do. */
int authorise_call(Client *client, sd_bus_message *m, AuthAction action, ClientHandler handler, sd_bus_error *error);
/* The same, with details. */
int authorise_call_for(Client *client, sd_bus_message *m, AuthAction action, const char *const *details,
                       ClientHandler handler, sd_bus_error *error);

/* Nothing that was allowed before holds any more. */
void authorisations_forget(Manager *m);
/* Watches polkit; system bus only. */
typedef struct PolkitWatch PolkitWatch;
int polkit_watch_new(Manager *m, PolkitWatch **ret);
PolkitWatch *polkit_watch_free(PolkitWatch *w);
/* polkit did not answer the last question. */
bool polkit_silent(const PolkitWatch *w);

#endif
