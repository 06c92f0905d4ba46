/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which login session a connection belongs to, as logind says. Programs and agents that the user's service manager
 * started (most of a desktop) are in no session of their own: theirs is the user's display session. Where no logind is,
 * and on a private bus, everybody of a uid is in one session.
 */
#ifndef EONAY_SESSIONS_H
#define EONAY_SESSIONS_H

#include "client.h"

typedef struct Sessions Sessions;

/* Watches logind. */
int sessions_new(Manager *m, Sessions **ret);
Sessions *sessions_free(Sessions *s);

/* Finds out about c->session, and calls client_run_queue() once it is known. Never fails: at worst it is "". */
void session_ask(Client *c);
/* c->session is as logind sees it now. */
bool session_known(const Client *c);
/* A program in the one may be helped by an agent in the other. */
bool session_same(const Client *a, const Client *b);

#endif
