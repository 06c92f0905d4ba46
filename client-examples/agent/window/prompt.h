/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question of the daemon, passed on by eonay-agent over a socket: this program serves org.eonay.EOnay1.Agent on it,
 * and ends when the other end closes it.
 */
#ifndef EONAY_AGENT_PROMPT_H
#define EONAY_AGENT_PROMPT_H

#include "view.h"

typedef struct Prompt Prompt;

/* channel is taken over. NULL, with error set, when it is no such socket. */
Prompt *prompt_new(GtkApplication *application, int channel, gboolean shuffle_keypad, GError **error);
Prompt *prompt_free(Prompt *p);

#endif
