/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence between libp11 and the module: a function list that lets libp11 read and nothing else. fence.c tells why.
 */
#ifndef EONAY_TOKEN_PKCS11_FENCE_H
#define EONAY_TOKEN_PKCS11_FENCE_H

#include "pkcs11.h"

/*
 * Puts the fence in front of a module that is initialised already and makes libp11's context for it. One at a time in
 * a process: -EBUSY otherwise. Errors: PLUGIN_FAILED.
 */
int fence_open(Pkcs11 *c);
/* Takes both away; the module stays initialised. */
void fence_close(Pkcs11 *c);

/* The door libp11 knocks at; exported, since libp11 looks it up with dlsym(). */
EONAY_PLUGIN_EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

#endif
