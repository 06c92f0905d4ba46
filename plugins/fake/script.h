/* SPDX-License-Identifier: Apache-2.0 */
/* Faults on order: the key Script= of an instance's configuration. README.md has the words. */
#ifndef EONAY_FAKE_SCRIPT_H
#define EONAY_FAKE_SCRIPT_H

#include <stdbool.h>

#include "eonay/plugin.h"

typedef struct Script Script;

/* What an operation has to do after the script had its turn. */
typedef struct Act {
    bool ends; /* return `r` at once */
    int r;
    const char *garbage; /* the kind of rubbish to return, or "" */
} Act;

/* Reads Script= and counts from zero. PLUGIN_FAILED, through fault(), for a script that cannot be understood. */
int script_new(const EonayHost *host, Script **ret);
Script *script_free(Script *s);

/* Counts one more call of `operation` and does what the script says of it; may not return. */
Act script_step(Script *s, const char *operation);

/* A configuration key as a number, or `otherwise`. */
long config_number(const EonayHost *host, const char *key, long otherwise);
const char *config_text(const EonayHost *host, const char *key, const char *otherwise);
/* True when `name` stands in a list separated by commas or semicolons. */
bool list_has(const char *list, const char *name);
/* A copy in memory of the host. */
char *host_text(const EonayHost *host, const char *s);

#endif
