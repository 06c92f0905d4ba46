/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that a certificate names (RFC 5280 sections 4.2.1.13 and 4.2.2.1): http and https ones only. */
#ifndef EONAY_CERTIFICATE_LOCATIONS_H
#define EONAY_CERTIFICATE_LOCATIONS_H

#include "cades.h"

typedef enum CertificateLocation {
    LOCATION_OCSP,
    LOCATION_ISSUERS, /* the issuer's certificate */
    LOCATION_CRL,
} CertificateLocation;

#define LOCATIONS_MAX     4   /* of a kind: more are not looked at */
#define LOCATION_SIZE_MAX 512 /* longer ones are left out */

/* How many; each in ret[], NUL-terminated. */
size_t certificate_locations(const CadesBlob *certificate, CertificateLocation kind,
                             char ret[LOCATIONS_MAX][LOCATION_SIZE_MAX]);

#endif
