/* SPDX-License-Identifier: Apache-2.0 */
#include "cades-path.h"

#include <openssl/x509v3.h>

#include "cades-internal.h"
#include "certificate-der.h"
#include "openssl-cleanup.h"
#include "signature.h"

static X509 *parse(const CadesBlob *blob) {
    return certificate_parse((DerBytes){blob->bytes, blob->size});
}

const char *cades_path_build(const CadesBlob *certificate, const CadesBlob *contained, const CadesExpectation *expect,
                             bool time_stamping, CadesPath *ret) {
    signature_init();
    *ret = (CadesPath){0};
    CLEANUP(X509_free_p) X509 *first = parse(certificate);
    CLEANUP(x509_stack_free_p) STACK_OF(X509) *chain = NULL;
    if (!first)
        return "the certificate cannot be read";
    DerBytes more = contained ? (DerBytes){contained->bytes, contained->size} : (DerBytes){0};
    const char *why = cades_chain_build(first, more, expect, expect->at,
                                        time_stamping ? X509_PURPOSE_TIMESTAMP_SIGN : X509_PURPOSE_ANY, &chain);
    if (why)
        return why;
    if (sk_X509_num(chain) > (int)CADES_PATH_MAX)
        return "the chain is too long";
    for (int i = 0; i < sk_X509_num(chain); i++) {
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(chain, i), &der);
        if (n <= 0) {
            cades_path_clear(ret);
            return "out of memory";
        }
        ret->certificate[ret->n++] = (CadesBlob){der, (size_t)n};
    }
    return NULL;
}

void cades_path_clear(CadesPath *path) {
    for (size_t i = 0; i < path->n; i++)
        OPENSSL_free((void *)path->certificate[i].bytes);
    *path = (CadesPath){0};
}

bool cades_is_anchor(const CadesBlob *certificate, const CadesExpectation *expect) {
    for (size_t i = 0; i < expect->n_anchors; i++)
        if (der_equal((DerBytes){certificate->bytes, certificate->size},
                      (DerBytes){expect->anchors[i].bytes, expect->anchors[i].size}))
            return true;
    return false;
}

bool cades_is_issuer(const CadesBlob *issuer, const CadesBlob *certificate) {
    signature_init();
    CLEANUP(X509_free_p) X509 *authority = parse(issuer);
    CLEANUP(X509_free_p) X509 *subject = parse(certificate);
    return authority && subject && X509_check_issued(authority, subject) == X509_V_OK &&
           X509_verify(subject, X509_get0_pubkey(authority)) == 1;
}
