/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates made for a test, and signatures checked with OpenSSL. */
#ifndef EONAY_TEST_KEYS_H
#define EONAY_TEST_KEYS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "eonay/plugin.h"

typedef struct TestKey {
    EVP_PKEY *key;
    X509 *certificate;
    unsigned char *der;
    size_t der_size;
} TestKey;

/* `kind` is "RSA:2048" or "EC:P-256". A self-signed end-entity certificate with this common name. */
void test_key_make(TestKey *k, const char *kind, const char *name);
/* The key of another, under a certificate of its own. */
void test_key_copy(TestKey *k, const TestKey *from, const char *name);
void test_key_clear(TestKey *k);

/* A digest of the size the mechanism wants. */
size_t test_digest(uint32_t mechanism, uint8_t out[64]);
/* Verifies; an ECDSA value may be r||s or DER. */
int test_verify(const TestKey *k, uint32_t mechanism, const uint8_t *signature, size_t size);

#endif
