/* SPDX-License-Identifier: Apache-2.0 */
/* The authorities that this computer is configured for, as a person chooses among them. */
#ifndef EONAY_AGENT_AUTHORITIES_H
#define EONAY_AGENT_AUTHORITIES_H

#include <gio/gio.h>

typedef struct Authority {
    char *name;  /* for the daemon: the last element of its object's path */
    char *title; /* for people, harmless, one line; no two are the same */
} Authority;

/* objects: the answer of GetManagedObjects. Returns Authority*, the default one first, then by name. */
GPtrArray *authorities_read(GVariant *objects, const char *default_name);

#endif
