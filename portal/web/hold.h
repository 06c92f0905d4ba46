/* SPDX-License-Identifier: Apache-2.0 */
/* Until when a renewal is held: so many months before the present certificate ends, by Turkey's calendar. */
#ifndef EONAY_PORTAL_HOLD_H
#define EONAY_PORTAL_HOLD_H

#include <stdint.h>

#define HOLD_MONTHS_DEFAULT 2
#define HOLD_MONTHS_MAX     24

/*
 * The same day and time of day, `months` earlier; the month's last day where it is shorter: two months before 31.08. is
 * 30.06., before 30.04. it is 28.02. or, in a leap year, 29.02. Microseconds UTC in and out.
 */
int64_t hold_until(int64_t not_after, int months);

#endif
