/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only a token's Describe tells: how long its PIN can be, so that "İmzala" waits for one that can be right, and
 * its label, which names it where it is in no reader.
 */
#ifndef EONAY_AGENT_TOKEN_FACTS_H
#define EONAY_AGENT_TOKEN_FACTS_H

#include "contract.h"

/*
 * Asks the tokens of choices (Choice*) one after the other and fills in pin_min, pin_max and perhaps token_label. known
 * is called once, after the last answer, and not once cancellable is cancelled. A token that does not answer keeps what
 * it has.
 */
void token_facts_ask(GDBusConnection *bus, GCancellable *cancellable, GPtrArray *choices, void (*known)(gpointer),
                     gpointer userdata);

#endif
