/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#12 file handed to the daemon as a token for as long as this program runs. */
#ifndef EONAYCTL_P12_H
#define EONAYCTL_P12_H

#include "ctl.h"
#include "pin.h"
#include "terminal.h"

/*
 * Returns 0 with the token's path, or a CtlExit after saying why. Where the file hides its certificates the passphrase
 * is taken here already and handed back in *ret_pin, so that it is typed once.
 */
int p12_add(Ctl *ctl, Terminal *terminal, const char *path, char **ret_token, Pin **ret_pin);

#endif
