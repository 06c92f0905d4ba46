/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that, each minute, removes what is dead for a day and reads revocation lists that changed. */
#ifndef PORTAL_UPKEEP_H
#define PORTAL_UPKEEP_H

#include "portal.h"

typedef struct Upkeep Upkeep;

int upkeep_start(Portal *portal, Upkeep **ret);
Upkeep *upkeep_stop(Upkeep *u);

#endif
