// SPDX-License-Identifier: Apache-2.0
/*
 * From exec to the name on the bus: starts the daemon, waits until the bus tells that the name has an owner, ends the
 * daemon.
 *
 * Usage: start-loop BUS-ADDRESS NAME PROGRAM ARGUMENTS…   Verb: start.
 */
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench-bus.h"

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name, *old_owner, *new_owner;
    uint64_t *owned_at = userdata;

    (void)error;
    if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) >= 0 && *new_owner)
        *owned_at = bench_now();
    return 0;
}

static uint64_t start_once(sd_bus *bus, const uint64_t *owned_at, char **argv) {
    uint64_t start = bench_now();
    int status;
    pid_t pid;

    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        bench_fail("cannot start %s", argv[0]);
    while (*owned_at < start) {
        if (sd_bus_process(bus, NULL) == 0 && sd_bus_wait(bus, 10000000) <= 0)
            bench_fail("%s takes no name", argv[0]);
    }
    kill(pid, SIGTERM);
    if (waitpid(pid, &status, 0) != pid)
        bench_fail("%s does not end", argv[0]);
    return *owned_at - start;
}

int main(int argc, char **argv) {
    uint64_t owned_at = 0;
    const char *verb;
    char match[256];
    sd_bus *bus;

    if (argc < 4)
        bench_fail("usage: start-loop BUS-ADDRESS NAME PROGRAM ARGUMENTS…");
    bus = bench_connect(argv[1]);
    snprintf(match, sizeof match, "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
             argv[2]);
    if (sd_bus_add_match(bus, NULL, match, on_owner_changed, &owned_at) < 0)
        bench_fail("cannot watch %s", argv[2]);
    for (;;) {
        unsigned count = bench_next(&verb);

        for (unsigned i = 0; i < count; i++)
            printf("%llu\n", (unsigned long long)start_once(bus, &owned_at, argv + 3));
        bench_done();
    }
}
