/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codes live and die by the wall clock, because several processes and a restart in between must agree on it.
 */
#include "moment.h"

#include <time.h>

int64_t moment_now(void) {
    struct timespec ts = {0};

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * USEC + ts.tv_nsec / 1000;
}
