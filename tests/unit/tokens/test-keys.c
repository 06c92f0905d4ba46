/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier here shares no code with the plugins: padding and encoding mistakes show. */
#include "test-keys.h"

#include <check.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define ANY_RSA    (EONAY_MECH_RSA_PKCS1_SHA256 | EONAY_MECH_RSA_PKCS1_SHA384 | EONAY_MECH_RSA_PKCS1_SHA512)
#define ANY_PSS    (EONAY_MECH_RSA_PSS_SHA256 | EONAY_MECH_RSA_PSS_SHA384 | EONAY_MECH_RSA_PSS_SHA512)
#define ANY_SHA256 (EONAY_MECH_RSA_PKCS1_SHA256 | EONAY_MECH_RSA_PSS_SHA256 | EONAY_MECH_ECDSA_SHA256)
#define ANY_SHA384 (EONAY_MECH_RSA_PKCS1_SHA384 | EONAY_MECH_RSA_PSS_SHA384 | EONAY_MECH_ECDSA_SHA384)

static void certify(TestKey *k, const char *name) {
    static long serial = 1000;

    k->certificate = X509_new();
    ck_assert_ptr_nonnull(k->certificate);
    X509_set_version(k->certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(k->certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(k->certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(k->certificate), 86400);
    X509_NAME *subject = X509_get_subject_name(k->certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(k->certificate, subject);
    X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "critical,nonRepudiation");
    ck_assert_ptr_nonnull(usage);
    X509_add_ext(k->certificate, usage, -1);
    X509_EXTENSION_free(usage);
    X509_set_pubkey(k->certificate, k->key);
    ck_assert_int_gt(X509_sign(k->certificate, k->key, EVP_sha256()), 0);
    int size = i2d_X509(k->certificate, &k->der);
    ck_assert_int_gt(size, 0);
    k->der_size = (size_t)size;
}

void test_key_make(TestKey *k, const char *kind, const char *name) {
    *k = (TestKey){0};
    if (strncmp(kind, "RSA:", 4) == 0)
        k->key = EVP_RSA_gen((unsigned)atoi(kind + 4));
    else
        k->key = EVP_EC_gen(kind + 3);
    ck_assert_ptr_nonnull(k->key);
    certify(k, name);
}

void test_key_copy(TestKey *k, const TestKey *from, const char *name) {
    *k = (TestKey){.key = from->key};
    EVP_PKEY_up_ref(k->key);
    certify(k, name);
}

void test_key_clear(TestKey *k) {
    EVP_PKEY_free(k->key);
    X509_free(k->certificate);
    OPENSSL_free(k->der);
    *k = (TestKey){0};
}

static const EVP_MD *hash_of(uint32_t mechanism) {
    if (mechanism & ANY_SHA256)
        return EVP_sha256();
    return mechanism & ANY_SHA384 ? EVP_sha384() : EVP_sha512();
}

size_t test_digest(uint32_t mechanism, uint8_t out[64]) {
    unsigned int size = 0;
    ck_assert_int_eq(EVP_Digest("onay metni", 10, out, &size, hash_of(mechanism), NULL), 1);
    return size;
}

/* r||s to DER, where it is not DER already. */
static unsigned char *ecdsa_der(const TestKey *k, const uint8_t *signature, size_t size, size_t *ret_size) {
    size_t half = ((size_t)EVP_PKEY_get_bits(k->key) + 7) / 8;
    unsigned char *der = NULL;

    if (size != 2 * half) {
        *ret_size = size;
        return OPENSSL_memdup(signature, size);
    }
    ECDSA_SIG *value = ECDSA_SIG_new();
    ECDSA_SIG_set0(value, BN_bin2bn(signature, (int)half, NULL), BN_bin2bn(signature + half, (int)half, NULL));
    int n = i2d_ECDSA_SIG(value, &der);
    ECDSA_SIG_free(value);
    *ret_size = n > 0 ? (size_t)n : 0;
    return der;
}

int test_verify(const TestKey *k, uint32_t mechanism, const uint8_t *signature, size_t size) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(X509_get0_pubkey(k->certificate), NULL);
    uint8_t digest[64];
    size_t digest_size = test_digest(mechanism, digest), der_size = size;
    unsigned char *der = NULL;

    ck_assert_int_eq(EVP_PKEY_verify_init(context), 1);
    if (mechanism & (ANY_RSA | ANY_PSS))
        EVP_PKEY_CTX_set_rsa_padding(context, mechanism & ANY_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
    else
        der = ecdsa_der(k, signature, size, &der_size);
    EVP_PKEY_CTX_set_signature_md(context, hash_of(mechanism));
    if (mechanism & ANY_PSS)
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST);
    int r = EVP_PKEY_verify(context, der ? der : signature, der_size, digest, digest_size);
    OPENSSL_free(der);
    EVP_PKEY_CTX_free(context);
    return r == 1;
}
