/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: reading a BasicOCSPResponse (RFC 6960 section 4.2.1), bare or within an OCSPResponse. */
#ifndef EONAY_LIB_OCSP_BASIC_H
#define EONAY_LIB_OCSP_BASIC_H

#include <openssl/ocsp.h>

#include "cades.h"

#define OCSP_SIZE_MAX (256 * 1024)

/* True when all its answers are certainly about other serial numbers. Reads no more than that, and judges nothing. */
bool ocsp_basic_is_foreign(const CadesBlob *response, const CadesBlob *certificate);

/* NULL with the reason. */
OCSP_BASICRESP *ocsp_basic_parse(const CadesBlob *response, const char **ret_why);

#endif
