/* SPDX-License-Identifier: Apache-2.0 */
/* A time stamp: the configured authorities are asked in their order until one gives a token that is good. */
#ifndef EONAY_STAMP_H
#define EONAY_STAMP_H

#include "fetch.h"
#include "timestamp.h"

typedef struct Stamp Stamp;

/* token: verified to a trust anchor; NULL with the fault, TIMESTAMP_FAILED. What stamp points to is valid during the
 * call. The Stamp is gone when this is called. */
typedef void (*StampHandler)(const Fault *fault, GBytes *token, const Timestamp *stamp, void *userdata);

/* hash: SHA-256 of what is stamped. Positive: LEVEL_UNREACHABLE, no authority or no anchor is configured. */
int stamp_start(Manager *m, const uint8_t hash[32], StampHandler handler, void *userdata, Stamp **ret);
/* Only whether one of them would answer, before a code is spent; the handler may be called before this returns:
 * LEVEL_UNREACHABLE when none does, token is NULL. */
int stamp_probe(Manager *m, StampHandler handler, void *userdata, Stamp **ret);
/* Gives up; the handler is not called. NULL is fine. Returns NULL. */
Stamp *stamp_cancel(Stamp *s);

#endif
