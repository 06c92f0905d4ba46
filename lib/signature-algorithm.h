/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: the signature algorithms of one signer, as mechanism, as AlgorithmIdentifiers and as computation.
 */
#ifndef EONAY_LIB_SIGNATURE_ALGORITHM_H
#define EONAY_LIB_SIGNATURE_ALGORITHM_H

#include <openssl/evp.h>

#include "der.h"

#define HASH_SIZE_MAX 64

typedef enum HashKind {
    HASH_SHA256,
    HASH_SHA384,
    HASH_SHA512,
    N_HASHES,
} HashKind;

typedef enum SignatureScheme {
    SCHEME_RSA_PKCS1,
    SCHEME_RSA_PSS,
    SCHEME_ECDSA,
} SignatureScheme;

typedef struct SignatureAlgorithm {
    uint32_t mechanism; /* EonayMechanism */
    SignatureScheme scheme;
    HashKind hash;
    const char *name; /* "rsa-pkcs1-sha256" */
} SignatureAlgorithm;

typedef struct SignerKey {
    const char *type; /* algorithm-policy's: "rsa", "ec"; NULL when it cannot be used here at all */
    unsigned bits;
    const char *curve; /* "p256"; NULL for RSA */
    HashKind hash;     /* EC: the one that goes with the curve */
} SignerKey;

const char *hash_name(HashKind hash); /* "sha256" */
size_t hash_size(HashKind hash);
/* Fetched once in the life of the process; NULL never but without memory. */
const EVP_MD *hash_md(HashKind hash);
bool hash_bytes(HashKind hash, DerBytes bytes, uint8_t ret[HASH_SIZE_MAX]);
/* A digest AlgorithmIdentifier, parameters absent or NULL (RFC 5754 section 2). */
bool hash_from_der(DerBytes identifier, HashKind *ret);
/* Appends one, parameters absent as RFC 5754 wants it written. */
void hash_append(DerBuffer *b, HashKind hash);

/* What of a public key matters here: RSA up to 8192 bits with an odd exponent from 3, EC on named NIST curves. */
SignerKey signer_key_describe(const EVP_PKEY *key);
/* The set of mechanisms that fit: all of RSA's, or the ECDSA one whose hash is as long as the curve. */
uint32_t signer_key_mechanisms(const SignerKey *key);

const SignatureAlgorithm *signature_algorithm_find(uint32_t mechanism);
/* From the two AlgorithmIdentifiers of a SignerInfo; NULL unless both are known and belong together. */
const SignatureAlgorithm *signature_algorithm_from_der(DerBytes digest, DerBytes signature);
void signature_algorithm_append(DerBuffer *b, const SignatureAlgorithm *algorithm);
bool signature_algorithm_fits(const SignatureAlgorithm *algorithm, const SignerKey *key);
/* Whether the value (ECDSA: DER) is this key's signature of the digest. */
bool signature_verify(const SignatureAlgorithm *algorithm, EVP_PKEY *key, const uint8_t *digest, DerBytes value);

#endif
