/* SPDX-License-Identifier: Apache-2.0 */
/* The way from the menu: code, contract, success. The window is itself the program that asks the daemon. */
#ifndef EONAY_AGENT_JOURNEY_H
#define EONAY_AGENT_JOURNEY_H

#include "view.h"

typedef struct Journey Journey;

/* address NULL: the system bus. */
Journey *journey_new(GtkApplication *application, const char *address, gboolean shuffle_keypad);
Journey *journey_free(Journey *j);

#endif
