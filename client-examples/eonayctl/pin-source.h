/* SPDX-License-Identifier: Apache-2.0 */
/* Where a PIN comes from: the terminal, a file, or an open descriptor. Never an argument, never the environment. */
#ifndef EONAYCTL_PIN_SOURCE_H
#define EONAYCTL_PIN_SOURCE_H

#include "ctl.h"
#include "pin.h"
#include "terminal.h"

/* Filled by the options of a verb; file NULL and fd -1: the terminal. */
typedef struct PinSource {
    char *file;
    gint fd;
} PinSource;
extern PinSource pin_source;

bool pin_source_is_given(void);
/* The same of another source, which is given. */
int pin_source_take_given(Ctl *ctl, const PinSource *source, Pin **ret);
/* Asks on the terminal. stop: see prompt_ask(). Returns 0, or a CtlExit after saying why. */
int pin_source_ask(Ctl *ctl, Terminal *terminal, const char *question, const bool *stop, Pin **ret);
/* Reads it from what is given, or asks. */
int pin_source_take(Ctl *ctl, Terminal *terminal, const char *question, const bool *stop, Pin **ret);

#endif
