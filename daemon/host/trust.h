/* SPDX-License-Identifier: Apache-2.0 */
/* May this shared object be loaded? Answered without running a byte of it. */
#ifndef EONAY_HOST_TRUST_H
#define EONAY_HOST_TRUST_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct Trust {
    bool own; /* files of `uid`, and of `hidden` if it is not 0, are as good as root's */
    uid_t uid;
    uid_t hidden;
} Trust;

/*
 * Walks to the file as the kernel would, through every folder and symbolic link, and looks at its ELF headers.
 * MODULE_MISSING: no such file; MODULE_UNTRUSTED: somebody else could put another one there; MODULE_INVALID: no
 * absolute path, no regular file, or not a shared object of this machine. With an error *ret_reason tells path and
 * cause: g_free(). To be asked before confinement: within a user namespace every owner looks the same.
 */
int trust_check_module(const Trust *trust, const char *path, char **ret_reason);

/* Whom root's files seem to belong to in the user namespace of an ordinary user, where nobody else is known; 0
 * elsewhere. Others' files seem so, too: for `own` alone, where this user decides anyway what is loaded. */
uid_t trust_hidden_owner(void);

#endif
