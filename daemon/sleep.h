/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's sleep. Cards lose their power then, and modules keep handles that are worth nothing afterwards. A delay
 * inhibitor of logind gives us the moment to finish or cancel what runs and to end the hosts; after waking, all is
 * looked at anew.
 */
#ifndef EONAY_SLEEP_H
#define EONAY_SLEEP_H

#include "manager.h"

typedef struct Sleep Sleep;

/* Without logind it does nothing. */
int sleep_new(Manager *m, Sleep **ret);
Sleep *sleep_free(Sleep *s);
/* A signature ended: if sleep waits for the last one, it begins. */
void sleep_signing_ended(Sleep *s);

#endif
