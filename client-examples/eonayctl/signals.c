/* SPDX-License-Identifier: Apache-2.0 */
/* One set for all: what is blocked for the loop is what is let through outside of it. */
#include "signals.h"

static sigset_t ending_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

void signals_block(void) {
    sigset_t set = ending_signals();
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

sigset_t signals_release(void) {
    sigset_t set = ending_signals(), before;
    sigprocmask(SIG_UNBLOCK, &set, &before);
    return before;
}

void signals_restore(sigset_t *before) {
    sigprocmask(SIG_SETMASK, before, NULL);
}
