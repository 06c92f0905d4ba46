/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trust anchors in force: lib/trust-store.h read from [Signature] TrustStore=, with the key of TrustKey=. Read
 * again when the file has been replaced. Nothing is trusted that is not in it.
 */
#ifndef EONAY_TRUST_H
#define EONAY_TRUST_H

#include <glib.h>

#include "cades.h"
#include "config.h"

typedef struct Trust Trust;

Trust *trust_new(const Config *config);
Trust *trust_free(Trust *t);
/* Fills anchors and intermediates, valid until the next call. False: there are none. */
bool trust_get(Trust *t, CadesExpectation *ret);
/* Why there are none, English; NULL when there are, or when no store was ever made. */
const char *trust_problem(Trust *t);
/* Its number, 0: none. */
uint32_t trust_number(const Trust *t);

#endif
