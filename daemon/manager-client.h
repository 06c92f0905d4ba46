/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EONAY_MANAGER_CLIENT_H
#define EONAY_MANAGER_CLIENT_H

#include "client.h"

/* A connection left the bus: its unsigned consents, files, agents and pending codes go with it. */
void manager_client_gone(Manager *m, Client *c);

#endif
