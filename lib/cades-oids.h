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
#define OID_SIGNING_CERTIFICATE    OID_PKCS(9, 16, 2, 12)
#define OID_SIGNING_CERTIFICATE_V2 OID_PKCS(9, 16, 2, 47)

/* EN 319 122-1 section 5 and annex A, TS 101 733 section 5 and 6. */
#define OID_SIGNATURE_POLICY       OID_PKCS(9, 16, 2, 15)
#define OID_SPQ_URI                OID_PKCS(9, 16, 5, 1)
#define OID_SIGNATURE_TIME_STAMP   OID_PKCS(9, 16, 2, 14)
#define OID_CERTIFICATE_REFERENCES OID_PKCS(9, 16, 2, 21)
#define OID_REVOCATION_REFERENCES  OID_PKCS(9, 16, 2, 22)
#define OID_CERTIFICATE_VALUES     OID_PKCS(9, 16, 2, 23)
#define OID_REVOCATION_VALUES      OID_PKCS(9, 16, 2, 24)
#define OID_ARCHIVE_TIME_STAMP_V3  DER_BYTES(0x04, 0x00, 0x8d, 0x45, 0x02, 0x04)       /* 0.4.0.1733.2.4 */
#define OID_ATS_HASH_INDEX_V3      DER_BYTES(0x04, 0x00, 0x81, 0x95, 0x32, 0x01, 0x05) /* 0.4.0.19122.1.5 */
#define OID_TST_INFO               OID_PKCS(9, 16, 1, 4)                               /* RFC 3161 */
#define OID_OCSP_RESPONSE          DER_BYTES(0x2b, 6, 1, 5, 5, 7, 16, 2)               /* RFC 5940 */
#define OID_OCSP_BASIC             DER_BYTES(0x2b, 6, 1, 5, 5, 7, 48, 1, 1)            /* RFC 6960 */

#endif
