/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every measured program shares. tests/bench/run steers them: it writes "VERB COUNT" lines to their standard
 * input, and they answer with one line per repetition and a line "." at the end, so that several programs can take
 * turns in one run. Times are nanoseconds of CLOCK_MONOTONIC, the same clock in all processes.
 */
#ifndef EONAY_BENCH_H
#define EONAY_BENCH_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline uint64_t bench_now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A measurement that cannot be made must not look like one. */
__attribute__((noreturn, format(printf, 1, 2))) static inline void bench_fail(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

/* One line of standard input without its end; ends the program when there is none. */
static inline void bench_read_line(char *line, size_t size) {
    if (!fgets(line, (int)size, stdin))
        exit(EXIT_SUCCESS);
    line[strcspn(line, "\n")] = '\0';
}

/* The next command, "VERB COUNT"; returns its count. verb is valid until the next one. */
static inline unsigned bench_next(const char **verb) {
    static char line[64];
    char *count, *end;
    unsigned long n;

    bench_read_line(line, sizeof line);
    count = strchr(line, ' ');
    if (!count)
        bench_fail("how often '%s'?", line);
    *count++ = '\0';
    n = strtoul(count, &end, 10);
    if (*end || end == count || n > UINT32_MAX)
        bench_fail("'%s' is no count", count);
    *verb = line;
    return (unsigned)n;
}

static inline void bench_done(void) {
    puts(".");
    fflush(stdout);
}

#endif
