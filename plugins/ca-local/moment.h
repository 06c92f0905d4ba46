/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's clock, and how it is written for citizens. */
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

#define MOMENT_SIZE sizeof "dd.MM.yyyy HH:mm:ss"

/* Microseconds since 1970 UTC. */
int64_t moment_now(void);
/* "27.08.2019 11:10:21", Europe/Istanbul: +03:00 all the year since 2016. */
void moment_format(int64_t usec, char ret[MOMENT_SIZE]);

#endif
