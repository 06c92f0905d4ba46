/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: the object identifiers of CMS (RFC 5652) and ESS (RFC 2634, 5035) that builder and verifier share.
 */
#ifndef EONAY_LIB_CADES_OIDS_H
#define EONAY_LIB_CADES_OIDS_H

#include "der.h"

#define OID_PKCS(...)              DER_BYTES(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, __VA_ARGS__)
#define OID_DATA                   OID_PKCS(7, 1)
#define OID_SIGNED_DATA            OID_PKCS(7, 2)
#define OID_CONTENT_TYPE           OID_PKCS(9, 3)
#define OID_MESSAGE_DIGEST         OID_PKCS(9, 4)
#define OID_SIGNING_TIME           OID_PKCS(9, 5)
#define OID_SIGNING_CERTIFICATE_V2 OID_PKCS(9, 16, 2, 47)

#endif
