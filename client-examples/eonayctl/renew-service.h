/* SPDX-License-Identifier: Apache-2.0 */
/* `eonayctl renew --within`: the daemon judges the proof and fetches what a further archive time stamp needs. */
#ifndef EONAYCTL_RENEW_SERVICE_H
#define EONAYCTL_RENEW_SERVICE_H

#include "ctl.h"

/* Renews the signature in the file when its proof ends within so many days, and leaves it as it is otherwise. The
 * result is verified, and replaces the file (output NULL) or goes there, whole or not at all. Returns a CtlExit. */
int renew_by_service(Ctl *ctl, const char *path, int days, const char *output);

#endif
