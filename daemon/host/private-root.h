/* SPDX-License-Identifier: Apache-2.0 */
/* For card hosts: a file system that holds what the plugin was given, and nothing else. */
#ifndef EONAY_HOST_PRIVATE_ROOT_H
#define EONAY_HOST_PRIVATE_ROOT_H

#include "confine.h"

/*
 * In a mount namespace of our own: / becomes an empty folder in which the system's libraries (system-paths.h), pcscd's
 * /run/pcscd, /proc and the paths of `c` have their old places. The current folder becomes /. Returns 0 or negative
 * errno; -EXDEV when `c` names the whole of /, which leaves nothing to hide.
 */
int private_root_enter(const Confinement *c);

#endif
