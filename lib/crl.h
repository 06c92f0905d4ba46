/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate revocation lists (RFC 5280 section 5). A list counts when the certificate's issuer signed it, when it is
 * whole (no delta), direct (no indirect CRL), for all reasons and for this kind of certificate, has no critical
 * extension that is not understood, and when its times fit.
 */
#ifndef EONAY_CRL_H
#define EONAY_CRL_H

#include "revocation.h"

#define CRL_SIZE_MAX (16u * 1024 * 1024)

/* NULL, or why the list does not count (static); then *ret's status is REVOCATION_UNKNOWN. */
const char *crl_verify(const CadesBlob *crl, const CadesBlob *certificate, const CadesBlob *issuer,
                       const RevocationExpectation *e, RevocationAnswer *ret);
/* The times of a list, unverified; false when it is none. *ret_next 0: it has none. */
bool crl_times(const CadesBlob *crl, int64_t *ret_this, int64_t *ret_next);

#endif
