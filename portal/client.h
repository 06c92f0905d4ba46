/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registered clients: programs that carry a key of their own (Authorization: Bearer …). The file names one a line, with
 * the SHA-256 of its key in hex; the keys themselves are nowhere here.
 */
#ifndef PORTAL_CLIENT_H
#define PORTAL_CLIENT_H

#include "portal.h"

#define CLIENT_NAME_MAX 64
#define CLIENTS_MAX     1024u

typedef struct Clients Clients;

/* path NULL: there are none. The reason of a failure is logged. */
int clients_new(const char *path, Clients **ret);
Clients *clients_free(Clients *c);

/*
 * Who makes this request. Returns 0 with the name, or with NULL when no key came and none is needed;
 * BACKEND_REJECTED when one is needed or the one that came is unknown.
 */
int client_identify(const Request *r, bool needed, const char **ret_name);
/* 401 with WWW-Authenticate. */
Reply *client_refusal(const Request *r);

#endif
