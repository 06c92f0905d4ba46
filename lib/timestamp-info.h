/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: TSTInfo (RFC 3161 section 2.4.2) taken apart. */
#ifndef EONAY_LIB_TIMESTAMP_INFO_H
#define EONAY_LIB_TIMESTAMP_INFO_H

#include "der.h"
#include "signature-algorithm.h"

typedef struct TimestampInfo {
    DerBytes policy; /* OID contents */
    HashKind hash;
    DerBytes imprint;
    DerBytes serial; /* INTEGER contents */
    int64_t time;
    int64_t accuracy;
    DerBytes nonce; /* INTEGER contents; empty when there is none */
} TimestampInfo;

/* GeneralizedTime contents, YYYYMMDDhhmmss[.f…]Z; the fraction is dropped. */
bool generalized_time_read(DerBytes text, int64_t *ret);
/* Appends one without a fraction; false when the year does not have four digits. */
bool generalized_time_append(DerBuffer *b, int64_t seconds);
/* NULL, or what is wrong. */
const char *timestamp_info_read(DerBytes bytes, TimestampInfo *ret);

#endif
