/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's clock. */
#ifndef CA_LOCAL_MOMENT_H
#define CA_LOCAL_MOMENT_H

#include <stdint.h>

#define USEC        1000000
#define MINUTE_USEC (60LL * USEC)
#define DAY_USEC    (86400LL * USEC)

/*
 * How far clocks may differ, as in the MA3 library of the Turkish public key centre: a signing time may lie so much
 * before the text was made or after it arrived. The authority's own clock may be set back as far between two calls.
 */
#define CLOCK_TOLERANCE_USEC (300LL * USEC)

/* Microseconds since 1970 UTC. */
int64_t moment_now(void);

#endif
