/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin's shared object becomes an EonayPlugin. */
#ifndef EONAY_HOST_LOADER_H
#define EONAY_HOST_LOADER_H

#include "eonay/plugin.h"

/*
 * Loads a file that trust_check_module() has passed and checks that it is the plugin it should be: symbol, ABI, name,
 * kind, a whole table of operations. Runs its constructors: confinement comes before, the deadline is the caller's.
 * Never unloaded. MODULE_MISSING: a library it needs is not installed; MODULE_INVALID: the rest. With an error
 * *ret_reason: g_free().
 */
int loader_load(const char *path, const char *name, EonayPluginKind kind, const EonayPlugin **ret, char **ret_reason);

/* Loads a shared object that is no plugin, and keeps it loaded: 0, MODULE_MISSING (something it needs is not there) or
 * MODULE_INVALID, with what the loader says in *ret_reason: g_free(). */
int loader_try(const char *path, char **ret_reason);

#endif
