/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process inherits its parent's sandbox, so the hardened daemon could not give each kind of host its own: systemd
 * does, one process for each connection to a socket unit with Accept=yes. A connection is made as soon as the socket
 * listens, long before the process runs; what is sent meanwhile waits in it.
 *
 * posix_spawn() shares the daemon's memory until exec, so starting a host costs the same however large the daemon is.
 * Every descriptor of the daemon is close-on-exec: the host gets its socket as number 3, and standard error.
 */
#include "host-spawn.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "util.h"

#define HOST_FD 3

static const char *const passed_variables[] = {"PATH",         "LANG",           "LC_ALL",
                                               "LC_MESSAGES",  "LC_CTYPE",       "LOCPATH",
                                               "TZ",           "JOURNAL_STREAM", "CREDENTIALS_DIRECTORY",
                                               "ASAN_OPTIONS", "UBSAN_OPTIONS",  "LSAN_OPTIONS"};
#define N_PASSED (sizeof(passed_variables) / sizeof(passed_variables[0]))

/* Only what a library may need to find its way; everything else comes from the instance's configuration. */
static void collect_environment(char *ret[N_PASSED + 1], char *store[N_PASSED]) {
    size_t n = 0;
    for (size_t i = 0; i < N_PASSED; i++) {
        const char *value = getenv(passed_variables[i]);
        store[i] = NULL;
        if (value && asprintf(&store[i], "%s=%s", passed_variables[i], value) >= 0)
            ret[n++] = store[i];
    }
    ret[n] = NULL;
}

static int spawn_with(const char *program, char *const argv[], int fd, pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, reset;
    char *environment[N_PASSED + 1], *store[N_PASSED];

    sigemptyset(&none);
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, HOST_FD);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &reset);
    collect_environment(environment, store);

    int r = -posix_spawn(ret_pid, program, &actions, &attributes, argv, environment);

    for (size_t i = 0; i < N_PASSED; i++)
        free(store[i]);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

static int spawn_child(const HostOrigin *origin, sd_bus *bus, pid_t *ret_pid) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    char *argv[] = {(char *)"eonay-plugin-host", (char *)"--fd=3",
                    origin->trust_own_uid ? (char *)"--trust-own-uid" : NULL, NULL};
    int r = spawn_with(origin->program, argv, theirs, ret_pid);
    if (r < 0 || (r = sd_bus_set_fd(bus, ours, ours)) < 0)
        return r;
    TAKE_FD(ours);
    return 0;
}

int host_leash(int *ret_ours, int *ret_theirs) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    *ret_ours = pair[0];
    *ret_theirs = pair[1];
    return 0;
}

/* ------------------------------------------------------------------------------------------------ socket units -- */

const char *host_sandbox(const char *kind, char **needs) {
    bool token = strcmp(kind, "token") == 0;
    for (size_t i = 0; token && needs && needs[i]; i++)
        if (strcmp(needs[i], "jit") == 0)
            return "token-relaxed";
    return kind;
}

/* The daemon makes no sockets itself; sd-bus connects when the bus is started, without blocking. */
static int set_unit(sd_bus *bus, const char *folder, const char *sandbox) {
    g_autofree char *path = g_strdup_printf("%s/%s.sock", folder, sandbox);
    g_autofree char *escaped = g_uri_escape_string(path, "/", false); /* as in addresses of the D-Bus specification */
    g_autofree char *address = g_strconcat("unix:path=", escaped, NULL);
    return sd_bus_set_address(bus, address);
}

int host_spawn(const HostOrigin *origin, const char *sandbox, sd_bus *bus, pid_t *ret_pid) {
    if (!origin->sockets)
        return spawn_child(origin, bus, ret_pid);
    *ret_pid = 0;
    return set_unit(bus, origin->sockets, sandbox);
}
