/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: the Time of a signing-time attribute (RFC 5652 section 11.3). */
#ifndef EONAY_LIB_SIGNING_TIME_H
#define EONAY_LIB_SIGNING_TIME_H

#include "der.h"

/* Appends UTCTime from 1950 to 2049, GeneralizedTime outside; false when the year does not have four digits. */
bool signing_time_append(DerBuffer *b, int64_t seconds);
/* Reads one, all of the bytes, in exactly that form: seconds present, ending in Z, no fraction. */
bool signing_time_read(DerBytes bytes, int64_t *ret_seconds);

#endif
