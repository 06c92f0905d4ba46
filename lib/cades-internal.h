/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: what building, verifying and chain building share. */
#ifndef EONAY_LIB_CADES_INTERNAL_H
#define EONAY_LIB_CADES_INTERNAL_H

#include <openssl/x509.h>

#include "cades.h"
#include "der.h"

/* cades_verify(), with the expected certificate already parsed: parsing is the dearest part of a verification. */
int cades_verify_with(const uint8_t *der, size_t size, const CadesExpectation *expect, X509 *parsed, CadesReport **ret);

/* Whether the certificate leads to an anchor at that time. `contained` is the contents of the message's certificates
 * field. purpose: X509_PURPOSE_ANY, X509_PURPOSE_TIMESTAMP_SIGN. NULL, or why not (static). */
const char *cades_chain_check(X509 *certificate, DerBytes contained, const CadesExpectation *expect, int64_t at,
                              int purpose);
/* The same, always built anew, and the chain itself, the certificate first and the anchor last; free it with its
 * certificates. */
const char *cades_chain_build(X509 *certificate, DerBytes contained, const CadesExpectation *expect, int64_t at,
                              int purpose, STACK_OF(X509) * *ret);

#endif
