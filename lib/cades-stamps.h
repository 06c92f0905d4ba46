/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the signature time stamps of a message are good; a full validation is another matter. */
#ifndef EONAY_CADES_STAMPS_H
#define EONAY_CADES_STAMPS_H

#include "cades.h"

/* There is at least one, and each is good and stamps this signature, with its chain to the anchors if any are given.
 * NULL, or why not (static). *ret_time: the earliest, seconds UTC. */
const char *cades_stamps_check(const uint8_t *der, size_t size, const CadesExpectation *expect, int64_t *ret_time);

#define CADES_STAMPS_MAX 32

/* The tokens of the signature and the archive time stamps, in no order; they point into der. How many. */
size_t cades_stamps_list(const uint8_t *der, size_t size, CadesBlob ret[CADES_STAMPS_MAX]);

#endif
