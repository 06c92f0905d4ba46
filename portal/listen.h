/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket: "ADDRESS:PORT", "[ADDRESS]:PORT" or "unix:/path". */
#ifndef PORTAL_LISTEN_H
#define PORTAL_LISTEN_H

/* Returns the socket, or a negative errno after logging. *ret_where (g_free): the address with the port chosen. */
int listen_open(const char *where, char **ret_where);

#endif
