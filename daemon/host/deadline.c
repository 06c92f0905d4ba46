/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module that hangs may do so with every signal blocked, in a system call, or holding the allocator's lock. The
 * kernel's own timer with SIGKILL as its signal needs nothing of the process it ends.
 */
#include "deadline.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static _Thread_local timer_t deadline_timer;

int deadline_init(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    return timer_create(CLOCK_MONOTONIC, &event, &deadline_timer) < 0 ? -errno : 0;
}

static void deadline_set(uint32_t milliseconds) {
    struct itimerspec at = {.it_value = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000L}};
    if (timer_settime(deadline_timer, 0, &at, NULL) < 0)
        abort(); /* without its timer no call may begin, and none may end as if it had kept it */
}

void deadline_arm(uint32_t milliseconds) {
    deadline_set(milliseconds > 0 ? milliseconds : 1);
}

void deadline_disarm(void) {
    deadline_set(0);
}
