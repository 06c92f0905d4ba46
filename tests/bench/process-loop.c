// SPDX-License-Identifier: Apache-2.0
/*
 * What a program costs as a process: from posix_spawn to its end.
 *
 * Usage: process-loop PROGRAM ARGUMENTS…   Verb: run.
 */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static uint64_t run_once(char **argv) {
    uint64_t start = bench_now();
    int status;
    pid_t pid;

    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        bench_fail("cannot start %s", argv[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        bench_fail("%s failed", argv[0]);
    return bench_now() - start;
}

int main(int argc, char **argv) {
    const char *verb;

    if (argc < 2)
        bench_fail("usage: process-loop PROGRAM ARGUMENTS…");
    for (;;) {
        unsigned count = bench_next(&verb);

        for (unsigned i = 0; i < count; i++)
            printf("%llu\n", (unsigned long long)run_once(argv + 1));
        bench_done();
    }
}
