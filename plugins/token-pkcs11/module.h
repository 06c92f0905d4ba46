/* SPDX-License-Identifier: Apache-2.0 */
/* The module's shared object: found, loaded, initialised. */
#ifndef EONAY_TOKEN_PKCS11_MODULE_H
#define EONAY_TOKEN_PKCS11_MODULE_H

#include "pkcs11.h"

/*
 * Finds the module that the instance's configuration means, loads it and calls C_Initialize in the form configured.
 * Sets c->f. Errors: MODULE_MISSING, MODULE_INVALID, MODULE_UNTRUSTED, PLUGIN_FAILED.
 */
int module_open(Pkcs11 *c);
/* Calls C_Finalize. The object stays mapped: modules leave threads and exit handlers behind. */
void module_close(Pkcs11 *c);

/*
 * Looks a module up in p11-kit's configuration: the one registered as `name`, or with NULL the first by priority that
 * is no store of trust anchors. *ret_path is malloc()ed. Errors: MODULE_MISSING, MODULE_UNTRUSTED.
 */
int module_registered(const Pkcs11 *c, const char *name, char **ret_path);

#endif
