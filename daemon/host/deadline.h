/* SPDX-License-Identifier: Apache-2.0 */
/* The time a plugin call may take; who overruns it is killed with the whole process. */
#ifndef EONAY_HOST_DEADLINE_H
#define EONAY_HOST_DEADLINE_H

#include <stdint.h>

/* Once in each thread that calls plugins, before anything is loaded. Returns 0 or negative errno. */
int deadline_init(void);
/* From now on the calling thread's timer ends the process after so many milliseconds. */
void deadline_arm(uint32_t milliseconds);
void deadline_disarm(void);

#endif
