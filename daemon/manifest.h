/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin says of itself in its .plugin file, read without loading it. docs/write-a-plugin.md lists the keys. */
#ifndef EONAY_MANIFEST_H
#define EONAY_MANIFEST_H

#include <glib.h>

#include "eonay/plugin.h"

typedef struct Manifest {
    char *name;
    EonayPluginKind kind;
    char *module; /* absolute path of the shared object */
    int priority;
    char **needs;         /* network, card, files, jit */
    char **read_paths;    /* configuration keys whose values are paths the plugin may read */
    char **write_paths;   /* … may also write */
    char **write_folders; /* … whose folder it may also write (a database and its companions) */
    char **libraries;     /* … that name shared objects it loads itself */
    char **files;         /* … that it opens through open_file() */
    char *description;
} Manifest;

/* Reads all *.plugin files of the folders; of two with one name the one found first counts. Refused ones are logged
 * with path and reason. name → Manifest. */
GHashTable *manifests_load(char **folders);

#endif
