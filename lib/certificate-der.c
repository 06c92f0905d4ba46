/* SPDX-License-Identifier: Apache-2.0 */
/* TBSCertificate begins with [0] version, serialNumber, signature, issuer (RFC 5280 section 4.1): enough to walk by
 * hand. */
#include "certificate-der.h"

#include "signature.h"

bool certificate_names(DerBytes certificate, DerBytes *ret_issuer, DerBytes *ret_serial) {
    DerBytes outer, tbs;
    DerElement version, serial, algorithm, issuer;
    if (!der_read_value(&certificate, DER_SEQUENCE, &outer) || !der_read_value(&outer, DER_SEQUENCE, &tbs))
        return false;
    if (der_next_is(tbs, DER_CONTEXT_0) && !der_read(&tbs, &version))
        return false;
    if (!der_read_tag(&tbs, DER_INTEGER, &serial) || !der_read_tag(&tbs, DER_SEQUENCE, &algorithm) ||
        !der_read_tag(&tbs, DER_SEQUENCE, &issuer))
        return false;
    *ret_issuer = issuer.whole;
    *ret_serial = serial.whole;
    return true;
}

X509 *certificate_parse(DerBytes certificate) {
    if (certificate.n == 0 || certificate.n > SIGNATURE_CERTIFICATE_SIZE_MAX)
        return NULL;
    const unsigned char *p = certificate.p;
    X509 *parsed = d2i_X509(NULL, &p, (long)certificate.n);
    if (parsed && p == certificate.p + certificate.n)
        return parsed;
    X509_free(parsed);
    return NULL;
}
