/* SPDX-License-Identifier: Apache-2.0 */
/* The path from a certificate to a trust anchor, as bytes. */
#ifndef EONAY_CADES_PATH_H
#define EONAY_CADES_PATH_H

#include "cades.h"

#define CADES_PATH_MAX 10u

typedef struct CadesPath {
    CadesBlob certificate[CADES_PATH_MAX]; /* the certificate itself first, the anchor last; OPENSSL_malloc()ed */
    size_t n;
} CadesPath;

/* anchors and intermediates of the expectation are used, and its `at` (0: now is not assumed, pass a time).
 * `contained`: further certificates one behind the other, may be empty. NULL, or why there is no path (static). */
const char *cades_path_build(const CadesBlob *certificate, const CadesBlob *contained, const CadesExpectation *expect,
                             bool time_stamping, CadesPath *ret);
void cades_path_clear(CadesPath *path);
/* Whether this certificate is one of the anchors. */
bool cades_is_anchor(const CadesBlob *certificate, const CadesExpectation *expect);
/* Whether `issuer` may have issued `certificate`: names and key identifiers, and the signature. */
bool cades_is_issuer(const CadesBlob *issuer, const CadesBlob *certificate);

#endif
