/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a plugin can see. */
#ifndef EONAY_HOST_LANDLOCK_H
#define EONAY_HOST_LANDLOCK_H

#include "confine.h"

/*
 * From now on this process reads the system's libraries, the folders of the modules, the read paths and the write
 * paths, writes only to the last, and nothing else. On newer kernels it also has no TCP without NEED_NETWORK, no
 * abstract sockets and no signals to others. Returns 0 also where the kernel has no Landlock (logged), negative errno
 * on failure.
 */
int landlock_confine(const Confinement *c);

#endif
