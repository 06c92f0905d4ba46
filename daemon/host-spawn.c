/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_spawn() shares the daemon's memory until exec, so starting a host costs the same however large the daemon is.
 * Every descriptor of the daemon is close-on-exec: the host gets its socket as number 3, and standard error.
 */
#include "host-spawn.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
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

int host_spawn(const char *program, bool trust_own_uid, int *ret_fd, pid_t *ret_pid) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    char *argv[] = {(char *)"eonay-plugin-host", (char *)"--fd=3", trust_own_uid ? (char *)"--trust-own-uid" : NULL,
                    NULL};
    int r = spawn_with(program, argv, theirs, ret_pid);
    if (r < 0)
        return r;
    *ret_fd = TAKE_FD(ours);
    return 0;
}
