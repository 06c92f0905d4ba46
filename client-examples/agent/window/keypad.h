/* SPDX-License-Identifier: Apache-2.0 */
/* Digits, "Clear" and one step back, for a PIN without the keyboard. */
#ifndef EONAY_AGENT_KEYPAD_H
#define EONAY_AGENT_KEYPAD_H

#include <gtk/gtk.h>

/* The widget; buffer is what it types into. */
GtkWidget *keypad_new(GtkEntryBuffer *buffer);
/* In the usual order, or in a new random one. */
void keypad_arrange(GtkWidget *keypad, gboolean shuffled);

#endif
