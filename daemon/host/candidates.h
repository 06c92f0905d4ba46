/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects that a plugin will load itself. A vendor's module lies here on one machine and there on another, so a
 * configuration key may name several, best first: the first that is there, trusted and loadable is what the plugin gets
 * as the key's value. When there is none, every one is named with what was wrong with it.
 */
#ifndef EONAY_HOST_CANDIDATES_H
#define EONAY_HOST_CANDIDATES_H

#include <glib.h>
#include <systemd/sd-bus.h>

#include "services.h"
#include "trust.h"

typedef struct Candidates {
    char *key;
    GPtrArray *list; /* Candidate* */
} Candidates;

/* "a{sas}" → Candidates*. */
int candidates_read(sd_bus_message *m, GPtrArray **ret);

/*
 * Judges the files, before confinement; appends the folders of the good ones. MODULE_MISSING when for some key nothing
 * is there at all, else the first other condition, with the reasons of all in *ret_reason: g_free().
 */
int candidates_check(GPtrArray *all, const Trust *trust, GPtrArray *folders, char **ret_reason);
/* Loads the first good one of each key and makes it the key's value; errors as above. Runs constructors. */
int candidates_load(GPtrArray *all, Services *services, char **ret_reason);

#endif
