/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a plugin host comes to life, and the only place that knows. Under the system's units systemd starts it, in the
 * sandbox and as the user of its kind; elsewhere (demo, tests) the daemon spawns it, with its own rights. Either way
 * what the daemon has of it is a connection.
 */
#ifndef EONAY_HOST_SPAWN_H
#define EONAY_HOST_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct HostOrigin {
    const char *sockets; /* folder of the socket units, NULL: spawn */
    const char *program; /* what to spawn */
    bool trust_own_uid;
} HostOrigin;

/* Which sandbox a kind of host ("token", "ca", "fetch", "reader") gets: the socket unit is eonay-NAME.socket. needs:
 * as in the manifest. */
const char *host_sandbox(const char *kind, char **needs);

/* Gives the bus, not yet started, its way to a new host. *ret_pid: 0 when the process is systemd's. */
int host_spawn(const HostOrigin *origin, const char *sandbox, sd_bus *bus, pid_t *ret_pid);

/* The two ends of a leash (host/leash.h). */
int host_leash(int *ret_ours, int *ret_theirs);

#endif
