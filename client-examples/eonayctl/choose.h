/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificate signs: the one named, the only usable one, or the one the user picks from a list. */
#ifndef EONAYCTL_CHOOSE_H
#define EONAYCTL_CHOOSE_H

#include <jansson.h>

#include "ctl.h"
#include "terminal.h"

/*
 * name: a fingerprint, an object path, or NULL; token: only those of this one, or NULL. stop: see prompt_ask(). Returns
 * 0 with a reference, or a CtlExit after saying why.
 */
int choose_certificate(Ctl *ctl, Terminal *terminal, const char *name, const char *token, const bool *stop,
                       json_t **ret);

#endif
