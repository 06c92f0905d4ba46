/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Definitions of vendor modules: small files <name>.module that say where a card's PKCS#11 library may lie, which cards
 * it knows, and what is peculiar about it. Administrators add their own to /etc/eonay/modules.d; one of the same name
 * there replaces ours. eonay.module(5) lists the keys.
 */
#ifndef EONAY_DEFINITION_H
#define EONAY_DEFINITION_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

typedef enum DefinitionUse {
    DEFINITION_CARD,       /* when a card it knows is inserted */
    DEFINITION_FALLBACK,   /* when a card is inserted that no other definition knows */
    DEFINITION_CONFIGURED, /* only by a [Token NAME] section with Definition= */
} DefinitionUse;

typedef struct Definition {
    char *name;
    char *description;
    DefinitionUse use;
    char *plugin;
    char **paths;      /* candidates, best first; %a stands for the multiarch folder's name */
    char **atr;        /* patterns: hex digits, '.' for any digit, '*' at the end for any rest */
    char **historical; /* the same, over the ATR's historical bytes (ISO 7816-3 section 8.2.4) */
    char **needs;
    char *package;    /* what to install, for people */
    GHashTable *keys; /* the rest: keys of the plugin */
} Definition;

/* Definition*, in order of name. Of two files with one name that of the later folder counts. Bad ones are logged. */
GPtrArray *definitions_load(char **folders);
const Definition *definition_find(const GPtrArray *definitions, const char *name);
bool definition_knows(const Definition *d, const uint8_t *atr, size_t size);
/* Puts its plugin, paths, needs and keys into a section that does not say otherwise. */
void definition_fill(const Definition *d, InstanceConfig *instance);

/* The historical bytes within an ATR; size 0 for none or a malformed one. */
const uint8_t *atr_historical(const uint8_t *atr, size_t size, size_t *ret_size);
/* Upper-case hex. */
char *atr_hex(const uint8_t *atr, size_t size);

#endif
