/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

int64_t clock_now(void) {
    struct timespec ts = {0};

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * SECOND_USEC + ts.tv_nsec / 1000;
}
