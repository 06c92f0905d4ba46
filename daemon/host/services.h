/* SPDX-License-Identifier: Apache-2.0 */
/* The host as a plugin sees it: the EonayHost it is given at open(), and the block of memory behind alloc(). */
#ifndef EONAY_HOST_SERVICES_H
#define EONAY_HOST_SERVICES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "eonay/plugin.h"

typedef struct Services {
    EonayHost host; /* the first member: what the plugin holds is the Services */
    const char *instance;
    GHashTable *config; /* key → value */
    GHashTable *files;  /* key → descriptor + 1 */
    int socket;         /* to the daemon */
} Services;

/* Empty tables and the service functions. */
void services_init(Services *s, int socket);
void services_add_config(Services *s, const char *key, const char *value);
/* Takes the descriptor over. */
void services_add_file(Services *s, const char *key, int fd);

/* Bytes behind a pointer of alloc(); ends the process when the pointer is not one: the plugin's memory is in ruins. */
size_t block_size(const void *memory);
/* Erases and releases; accepts NULL. */
void block_release(void *memory);

/* A string that the plugin returned in a block: NULL unless it ends within its block and is clean (text.h). */
const char *block_string(const char *s, size_t limit);

#endif
