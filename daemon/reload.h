/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration read again, without losing anything: tokens, authorities, consents and processes whose sections say
 * the same as before stay as they are. Where the records, the plugins and the host program are found, and who is asked
 * for time stamps, is settled at the start.
 */
#ifndef EONAY_RELOAD_H
#define EONAY_RELOAD_H

#include "manager.h"

/* Takes fresh over. */
void manager_reload(Manager *m, Config *fresh);

#endif
