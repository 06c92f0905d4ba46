/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP and TLS, by libmicrohttpd: takes requests off the wire within their limits of size and time, gives whole ones to
 * the workers, and sends their replies.
 */
#ifndef PORTAL_SERVER_H
#define PORTAL_SERVER_H

#include "portal.h"

typedef struct Server Server;

/* Listens and serves. Logs "listening on URL". */
int server_start(Portal *portal, Server **ret);
/* Finishes what has arrived, then ends. */
Server *server_stop(Server *s);

#endif
