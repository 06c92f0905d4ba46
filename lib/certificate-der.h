/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: a certificate's bytes, and the issuer and serial number that a SignerInfo names it by. */
#ifndef EONAY_LIB_CERTIFICATE_DER_H
#define EONAY_LIB_CERTIFICATE_DER_H

#include <openssl/x509.h>

#include "der.h"

/* Both with tag and length, pointing into the certificate. */
bool certificate_names(DerBytes certificate, DerBytes *ret_issuer, DerBytes *ret_serial);
/* Parses all of the bytes or nothing; NULL when they are no certificate. X509_free() it. */
X509 *certificate_parse(DerBytes certificate);
/* The same; the newest are remembered, since the same ones come again and parsing is what costs. Not to be changed. */
X509 *certificate_parse_shared(DerBytes certificate);

#endif
