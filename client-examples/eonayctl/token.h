/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens as the daemon shows them, with what their owner may know of them besides. */
#ifndef EONAYCTL_TOKEN_H
#define EONAYCTL_TOKEN_H

#include <jansson.h>

#include "ctl.h"

/* The objects of one interface out of bus_objects(), as an array, each with its path under "Path". */
json_t *objects_select(json_t *objects, const char *interface);

/*
 * All objects, and the tokens among them with their description where the caller may have it. Right after its start the
 * daemon is waited for until it has looked at the tokens once. Returns 0 or a CtlExit after saying why.
 */
int token_list(Ctl *ctl, json_t **ret_objects, json_t **ret_tokens);

/* Its label, or model, or path: what people call it. Borrowed from the token. */
const char *token_name(const json_t *token);
/* Whether its module reads it, so that it has a PIN to speak of: a locked one is no less a token. */
bool token_is_readable(const json_t *token);
/* Whether the name (an object path, a label, a serial number) means this token. */
bool token_is_named(const json_t *token, const char *name);
/* The PIN's state now, asked for anew; "unknown" when it is not told. Release with g_free(). */
char *token_pin_state(Ctl *ctl, const char *path);

#endif
