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

/*
 * The newest certificates, parsed: those of authorities come with every signature, the signer's with each of his. A
 * ring of bounded size; long certificates are not kept.
 */
#define KEPT_MAX      32u
#define KEPT_SIZE_MAX 8192u

typedef struct Kept {
    X509 *parsed;
    uint8_t *bytes;
    size_t size;
} Kept;

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static Kept kept[KEPT_MAX];
static unsigned kept_next;

static X509 *kept_take(DerBytes certificate) {
    X509 *found = NULL;
    pthread_mutex_lock(&kept_lock);
    for (unsigned i = 0; i < KEPT_MAX && !found; i++)
        if (kept[i].parsed && der_equal(certificate, (DerBytes){kept[i].bytes, kept[i].size}) &&
            X509_up_ref(kept[i].parsed))
            found = kept[i].parsed;
    pthread_mutex_unlock(&kept_lock);
    return found;
}

static void kept_add(DerBytes certificate, X509 *parsed) {
    uint8_t *copy = certificate.n <= KEPT_SIZE_MAX ? malloc(certificate.n) : NULL;
    if (!copy || !X509_up_ref(parsed)) {
        free(copy);
        return;
    }
    memcpy(copy, certificate.p, certificate.n);
    pthread_mutex_lock(&kept_lock);
    Kept old = kept[kept_next];
    kept[kept_next] = (Kept){parsed, copy, certificate.n};
    kept_next = (kept_next + 1) % KEPT_MAX;
    pthread_mutex_unlock(&kept_lock);
    X509_free(old.parsed);
    free(old.bytes);
}

X509 *certificate_parse_shared(DerBytes certificate) {
    X509 *parsed = kept_take(certificate);
    if (parsed)
        return parsed;
    parsed = certificate_parse(certificate);
    if (parsed && X509_get0_pubkey(parsed))
        kept_add(certificate, parsed);
    return parsed;
}
