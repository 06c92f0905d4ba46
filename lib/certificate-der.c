/* SPDX-License-Identifier: Apache-2.0 */
/* TBSCertificate begins with [0] version, serialNumber, signature, issuer (RFC 5280 section 4.1): enough to walk by
 * hand. */
#include "certificate-der.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static X509 *last_parsed;
static uint8_t *last_bytes;
static size_t last_size;

static X509 *last_take(DerBytes certificate) {
    X509 *found = NULL;
    pthread_mutex_lock(&last_lock);
    if (last_parsed && der_equal(certificate, (DerBytes){last_bytes, last_size}) && X509_up_ref(last_parsed))
        found = last_parsed;
    pthread_mutex_unlock(&last_lock);
    return found;
}

static void last_keep(DerBytes certificate, X509 *parsed) {
    uint8_t *copy = malloc(certificate.n);
    if (!copy || !X509_up_ref(parsed)) {
        free(copy);
        return;
    }
    memcpy(copy, certificate.p, certificate.n);
    pthread_mutex_lock(&last_lock);
    X509_free(last_parsed);
    free(last_bytes);
    last_parsed = parsed;
    last_bytes = copy;
    last_size = certificate.n;
    pthread_mutex_unlock(&last_lock);
}

X509 *certificate_parse_shared(DerBytes certificate) {
    X509 *parsed = last_take(certificate);
    if (parsed)
        return parsed;
    parsed = certificate_parse(certificate);
    if (parsed && X509_get0_pubkey(parsed))
        last_keep(certificate, parsed);
    return parsed;
}
