/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named places where the tests let the daemon die as if by kill -9. Compiled in with -Dcrash_points=true only, and then
 * taken from the environment variable EONAY_CRASH_AT.
 */
#ifndef EONAY_CRASH_POINT_H
#define EONAY_CRASH_POINT_H

/* X("name"): in the order in which a consent passes them. */
#define CRASH_POINT_TABLE(X)                                                                                           \
    X("redeem-sent")                                                                                                   \
    X("redeemed")                                                                                                      \
    X("open-recorded")                                                                                                 \
    X("sign-accepted")                                                                                                 \
    X("authorised")                                                                                                    \
    X("confirmed")                                                                                                     \
    X("pin-delivered")                                                                                                 \
    X("login-sent")                                                                                                    \
    X("signing-recorded")                                                                                              \
    X("sign-sent")                                                                                                     \
    X("login-answered")                                                                                                \
    X("sign-answered")                                                                                                 \
    X("verified")                                                                                                      \
    X("signature-recorded")                                                                                            \
    X("submit-sent")                                                                                                   \
    X("submit-answered")                                                                                               \
    X("done-recorded")                                                                                                 \
    X("cancel-recorded")

#ifdef EONAY_CRASH_POINTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void crash_point(const char *name) {
    const char *wanted = getenv("EONAY_CRASH_AT");
    if (wanted && strcmp(wanted, name) == 0)
        kill(getpid(), SIGKILL);
}
#else
#define crash_point(name) ((void)0)
#endif

#endif
