/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of host-protocol.h, found by name. */
#ifndef EONAY_HOST_SERVE_H
#define EONAY_HOST_SERVE_H

#include "host.h"

typedef struct HostMethod {
    const char *name; /* NULL ends a table */
    const char *in;   /* signature */
    sd_bus_message_handler_t handler;
} HostMethod;

extern const HostMethod open_methods[];
extern const HostMethod token_methods[];
extern const HostMethod ca_methods[];
extern const HostMethod fetch_methods[];
extern const HostMethod reader_methods[];

/* Answers on the connection until the other side closes it, or until the host is ruined. */
int serve(Host *host);

#endif
