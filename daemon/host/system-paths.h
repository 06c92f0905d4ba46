/* SPDX-License-Identifier: Apache-2.0 */
/* What of the system itself a plugin needs to see: libraries, their configuration, devices that give random bytes. */
#ifndef EONAY_HOST_SYSTEM_PATHS_H
#define EONAY_HOST_SYSTEM_PATHS_H

/* Absolute paths, each list ending with NULL. Not all of them exist on every machine. */
extern const char *const system_paths[];  /* every host */
extern const char *const card_paths[];    /* with NEED_CARD */
extern const char *const network_paths[]; /* with NEED_NETWORK */

#endif
