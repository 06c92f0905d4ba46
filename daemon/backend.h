/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate authority: one [Backend NAME] section, one host. */
#ifndef EONAY_BACKEND_H
#define EONAY_BACKEND_H

#include "fault.h"
#include "host.h"
#include "manager.h"

typedef struct Backend {
    Manager *manager;
    const Manifest *manifest;
    InstanceConfig *instance; /* borrowed; owned once it is retired */
    char *path;
    sd_bus_slot *slot; /* NULL: not on the bus */
    Host *host;        /* NULL: no such plugin */
    Fault fault;
    bool retired;
    bool known; /* its capabilities were asked */
    uint32_t flags, code_length, code_lifetime;
    char *title; /* the authority's name for people */
} Backend;

void backends_configure(Manager *m);
/* The one of a section that is new. */
Backend *backend_configure(Manager *m, InstanceConfig *instance);
/* Its section is gone: off the bus, and kept for the consents that refer to it. Takes it and its section over. */
void backend_retire(Backend *b);
void backend_free(Backend *b);
/* name NULL or empty: the default one. NULL: BACKEND_UNKNOWN. */
Backend *backend_find(Manager *m, const char *name);
/* Those that keep dying are started again. */
void backends_forgive(Manager *m);
/* Begins a call; positive: why not. */
int backend_begin(Backend *b, const char *method, sd_bus_message **ret);
int backend_call(Backend *b, sd_bus_message *m, HostHandler handler, void *userdata, HostCall **ret);

/* What a call came to: an authority that cannot be used stays known as such until it answers again. */
void backend_answered(Backend *b, const Fault *fault);

/* The D-Bus face (backend-bus.c). */
int backends_export(Manager *m);
int backend_export(Backend *b);

#endif
