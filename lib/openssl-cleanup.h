/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: OpenSSL's objects released when their variable leaves its scope. */
#ifndef EONAY_LIB_OPENSSL_CLEANUP_H
#define EONAY_LIB_OPENSSL_CLEANUP_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define CLEANUP(f) __attribute__((cleanup(f)))

#define CLEANUP_FUNCTION_(type, release)                                                                               \
    static inline void release##_p(type **p) {                                                                         \
        release(*p);                                                                                                   \
    }

CLEANUP_FUNCTION_(X509, X509_free)
CLEANUP_FUNCTION_(X509_STORE, X509_STORE_free)
CLEANUP_FUNCTION_(X509_STORE_CTX, X509_STORE_CTX_free)
CLEANUP_FUNCTION_(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
CLEANUP_FUNCTION_(BIO, BIO_free_all)
CLEANUP_FUNCTION_(ASN1_BIT_STRING, ASN1_BIT_STRING_free)
CLEANUP_FUNCTION_(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)
CLEANUP_FUNCTION_(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
CLEANUP_FUNCTION_(CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free)
CLEANUP_FUNCTION_(X509_CRL, X509_CRL_free)
CLEANUP_FUNCTION_(ISSUING_DIST_POINT, ISSUING_DIST_POINT_free)
CLEANUP_FUNCTION_(OCSP_RESPONSE, OCSP_RESPONSE_free)
CLEANUP_FUNCTION_(OCSP_BASICRESP, OCSP_BASICRESP_free)
CLEANUP_FUNCTION_(OCSP_REQUEST, OCSP_REQUEST_free)
CLEANUP_FUNCTION_(OCSP_CERTID, OCSP_CERTID_free)
#undef CLEANUP_FUNCTION_

static inline void x509_stack_free_p(STACK_OF(X509) * *p) {
    sk_X509_pop_free(*p, X509_free);
}

static inline void openssl_bytes_free_p(unsigned char **p) {
    OPENSSL_free(*p);
}

static inline void malloc_free_p(void *p) {
    free(*(void **)p);
}

#endif
