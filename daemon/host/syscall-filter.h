/* SPDX-License-Identifier: Apache-2.0 */
/* Which system calls a plugin can make. */
#ifndef EONAY_HOST_SYSCALL_FILTER_H
#define EONAY_HOST_SYSCALL_FILTER_H

/* needs: NEED_* of confine.h. Returns 0 or negative errno; there is no way back, and no process without it. */
int syscall_filter_load(unsigned needs);

#endif
