/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose call is worked on next. Calls are taken off the bus as they come and wait in their connection's queue; users
 * with waiting calls take turns, and so do the connections of each user. So a user with hundreds of connections holds
 * up another one by a single call at a time.
 */
#ifndef EONAY_DISPATCH_H
#define EONAY_DISPATCH_H

#include "client.h"

typedef struct Dispatch Dispatch;

int dispatch_new(Manager *m, Dispatch **ret);
Dispatch *dispatch_free(Dispatch *d);

/* The first call of this connection's queue can be worked on. */
void dispatch_add(Client *c);
/* It leaves. */
void dispatch_remove(Client *c);

#endif
