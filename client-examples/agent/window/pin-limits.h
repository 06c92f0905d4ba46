/* SPDX-License-Identifier: Apache-2.0 */
/* How long the PIN of each certificate's token can be, so that "İmzala" waits for one that can be right. */
#ifndef EONAY_AGENT_PIN_LIMITS_H
#define EONAY_AGENT_PIN_LIMITS_H

#include "contract.h"

/*
 * Asks the tokens of choices (Choice*) and fills in pin_min and pin_max; changed is called after each answer, and not
 * any more once cancellable is cancelled. A token that does not answer keeps 0: unknown.
 */
void pin_limits_ask(GDBusConnection *bus, GCancellable *cancellable, GPtrArray *choices, void (*changed)(gpointer),
                    gpointer userdata);

#endif
