/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: times and algorithms of revocation answers. */
#ifndef EONAY_LIB_REVOCATION_TIMES_H
#define EONAY_LIB_REVOCATION_TIMES_H

#include <openssl/x509.h>

#include "revocation.h"

/* Seconds UTC; false when it cannot be read. NULL is 0. */
bool revocation_time(const ASN1_TIME *time, int64_t *ret);
/* NULL when the answer's times fit, or why not. */
const char *revocation_times_check(const RevocationAnswer *answer, const RevocationExpectation *e);
/* Whether a signature algorithm and key may stand under an answer given at that time. */
bool revocation_algorithm_permitted(const X509_ALGOR *algorithm, EVP_PKEY *key, int64_t at);

#endif
