/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codes live and die by the wall clock, because several processes and a restart in between must agree on it. Turkey
 * has had no daylight saving since 2016, so a fixed offset serves and no time zone database is needed in the sandbox.
 */
#include "moment.h"

#include <stdio.h>
#include <time.h>

#define ISTANBUL_OFFSET (3 * 3600)

int64_t moment_now(void) {
    struct timespec ts = {0};

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * USEC + ts.tv_nsec / 1000;
}

void moment_format(int64_t usec, char ret[MOMENT_SIZE]) {
    time_t local = (time_t)(usec / USEC) + ISTANBUL_OFFSET;
    struct tm tm = {0};
    char text[64];

    (void)gmtime_r(&local, &tm);
    (void)snprintf(text, sizeof text, "%02d.%02d.%04d %02d:%02d:%02d", tm.tm_mday, tm.tm_mon + 1, tm.tm_year + 1900,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
    (void)snprintf(ret, MOMENT_SIZE, "%.19s", text);
}
