/* SPDX-License-Identifier: Apache-2.0 */
/* The one source of time: microseconds since 1970 UTC, by the wall clock, on which all instances must agree. */
#ifndef PORTAL_CLOCK_H
#define PORTAL_CLOCK_H

#include <stdint.h>

#define SECOND_USEC INT64_C(1000000)
#define MINUTE_USEC (60 * SECOND_USEC)
#define DAY_USEC    (24 * 60 * MINUTE_USEC)
/* How far clocks of instances and signers may be apart. */
#define CLOCK_TOLERANCE_USEC (5 * MINUTE_USEC)

int64_t clock_now(void);

#endif
