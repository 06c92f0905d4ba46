/* SPDX-License-Identifier: Apache-2.0 */
/* How a host process comes to be. The only file that knows whether we start it or systemd does. */
#ifndef EONAY_HOST_SPAWN_H
#define EONAY_HOST_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts program (eonay-plugin-host) on one end of a socket pair and returns the other end and the process's id, which
 * the caller must wait for. trust_own_uid: plugins and modules may belong to our own uid as well as to root (private
 * bus).
 */
int host_spawn(const char *program, bool trust_own_uid, int *ret_fd, pid_t *ret_pid);

#endif
