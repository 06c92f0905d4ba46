/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process may take of the machine, since modules leak. Two bounds each: at the lower one the host says
 * so between two requests, and the daemon starts another for the next; the higher one is the kernel's, for what a
 * single call takes.
 */
#ifndef EONAY_HOST_USAGE_H
#define EONAY_HOST_USAGE_H

#include <stdbool.h>

#define USAGE_MEMORY_ENOUGH      (256ul << 20) /* bytes in memory */
#define USAGE_MEMORY_MAX         (1ul << 30)   /* bytes of data */
#define USAGE_DESCRIPTORS_ENOUGH 64
#define USAGE_DESCRIPTORS_MAX    256

/* Sets the higher bounds. Negative errno. */
int usage_limit(void);
/* Whether a lower one has been reached. */
bool usage_is_enough(void);

#endif
