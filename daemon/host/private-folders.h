/* SPDX-License-Identifier: Apache-2.0 */
/* For card hosts: the folders in which others have their sockets, emptied but for what the plugin was given. */
#ifndef EONAY_HOST_PRIVATE_FOLDERS_H
#define EONAY_HOST_PRIVATE_FOLDERS_H

#include "confine.h"

/*
 * In a mount namespace of our own: /run holds pcscd alone; /tmp, /var, /home and the like hold the paths of `c` that
 * lie there. The current folder becomes /. Returns 0 or negative errno.
 */
int private_folders_enter(const Confinement *c);

#endif
