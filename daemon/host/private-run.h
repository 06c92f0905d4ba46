/* SPDX-License-Identifier: Apache-2.0 */
/* A /run for card hosts that holds only pcscd. */
#ifndef EONAY_HOST_PRIVATE_RUN_H
#define EONAY_HOST_PRIVATE_RUN_H

/* In a mount namespace of our own: every socket under /run but pcscd's is gone. Returns 0 or negative errno. */
int private_run_enter(void);

#endif
