/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row an algorithm. Every AlgorithmIdentifier is compared with, or read against, the few forms that the RFCs allow
 * (3370, 4055, 5754), so that a digest algorithm cannot contradict the signature algorithm beside it.
 */
#include "signature-algorithm.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

#include "eonay/plugin.h"
#include "openssl-cleanup.h"
#include "signature.h"

typedef struct HashRow {
    const char *name;
    const char *fetch;
    size_t size;
    uint8_t digest_oid_end; /* 2.16.840.1.101.3.4.2.x */
    uint8_t rsa_oid_end;    /* 1.2.840.113549.1.1.x */
    uint8_t ecdsa_oid_end;  /* 1.2.840.10045.4.3.x */
} HashRow;

static const HashRow hash_rows[N_HASHES] = {
    [HASH_SHA256] = {"sha256", "SHA2-256", 32, 1, 11, 2},
    [HASH_SHA384] = {"sha384", "SHA2-384", 48, 2, 12, 3},
    [HASH_SHA512] = {"sha512", "SHA2-512", 64, 3, 13, 4},
};

static const SignatureAlgorithm algorithms[] = {
    {EONAY_MECH_RSA_PKCS1_SHA256, SCHEME_RSA_PKCS1, HASH_SHA256, "rsa-pkcs1-sha256"},
    {EONAY_MECH_RSA_PKCS1_SHA384, SCHEME_RSA_PKCS1, HASH_SHA384, "rsa-pkcs1-sha384"},
    {EONAY_MECH_RSA_PKCS1_SHA512, SCHEME_RSA_PKCS1, HASH_SHA512, "rsa-pkcs1-sha512"},
    {EONAY_MECH_RSA_PSS_SHA256, SCHEME_RSA_PSS, HASH_SHA256, "rsa-pss-sha256"},
    {EONAY_MECH_RSA_PSS_SHA384, SCHEME_RSA_PSS, HASH_SHA384, "rsa-pss-sha384"},
    {EONAY_MECH_RSA_PSS_SHA512, SCHEME_RSA_PSS, HASH_SHA512, "rsa-pss-sha512"},
    {EONAY_MECH_ECDSA_SHA256, SCHEME_ECDSA, HASH_SHA256, "ecdsa-sha256"},
    {EONAY_MECH_ECDSA_SHA384, SCHEME_ECDSA, HASH_SHA384, "ecdsa-sha384"},
    {EONAY_MECH_ECDSA_SHA512, SCHEME_ECDSA, HASH_SHA512, "ecdsa-sha512"},
};

typedef struct CurveRow {
    const char *group; /* OpenSSL's */
    const char *name;
    unsigned bits;
    HashKind hash;
} CurveRow;

static const CurveRow curve_rows[] = {
    {"prime256v1", "p256", 256, HASH_SHA256},
    {"secp384r1", "p384", 384, HASH_SHA384},
    {"secp521r1", "p521", 521, HASH_SHA512},
};

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

#define OID_DIGEST(last) DER_BYTES(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, (last))
#define OID_RSA(last)    DER_BYTES(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, (last))
#define OID_ECDSA(last)  DER_BYTES(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, (last))
#define RSA_ENCRYPTION   1
#define RSA_MGF1         8
#define RSA_PSS          10

/* ------------------------------------------------------------------------------------------------- hashes -- */

static EVP_MD *hash_mds[N_HASHES];
static pthread_once_t hash_mds_once = PTHREAD_ONCE_INIT;

static void hash_mds_fetch(void) {
    signature_init();
    for (int i = 0; i < N_HASHES; i++)
        hash_mds[i] = EVP_MD_fetch(NULL, hash_rows[i].fetch, NULL);
}

const char *hash_name(HashKind hash) {
    return hash_rows[hash].name;
}

size_t hash_size(HashKind hash) {
    return hash_rows[hash].size;
}

const EVP_MD *hash_md(HashKind hash) {
    pthread_once(&hash_mds_once, hash_mds_fetch);
    return hash_mds[hash];
}

bool hash_bytes(HashKind hash, DerBytes bytes, uint8_t ret[HASH_SIZE_MAX]) {
    const EVP_MD *md = hash_md(hash);
    return md && EVP_Digest(bytes.p, bytes.n, ret, NULL, md, NULL) == 1;
}

/* ------------------------------------------------------------------------------- AlgorithmIdentifiers, read -- */

typedef enum Parameters {
    PARAMETERS_ABSENT,
    PARAMETERS_NULL,
    PARAMETERS_OTHER,
} Parameters;

static bool identifier_read(DerBytes identifier, DerBytes *ret_oid, DerBytes *ret_rest, Parameters *ret_parameters) {
    DerBytes sequence, oid;
    if (!der_read_value(&identifier, DER_SEQUENCE, &sequence) || identifier.n > 0)
        return false;
    if (!der_read_value(&sequence, DER_OID, &oid))
        return false;
    *ret_oid = oid;
    *ret_rest = sequence;
    if (sequence.n == 0)
        *ret_parameters = PARAMETERS_ABSENT;
    else if (der_equal(sequence, DER_BYTES(DER_NULL, 0)))
        *ret_parameters = PARAMETERS_NULL;
    else
        *ret_parameters = PARAMETERS_OTHER;
    return true;
}

bool hash_from_der(DerBytes identifier, HashKind *ret) {
    DerBytes oid, rest;
    Parameters parameters;
    if (!identifier_read(identifier, &oid, &rest, &parameters) || parameters == PARAMETERS_OTHER)
        return false;
    for (int i = 0; i < N_HASHES; i++) {
        if (!der_equal(oid, OID_DIGEST(hash_rows[i].digest_oid_end)))
            continue;
        *ret = (HashKind)i;
        return true;
    }
    return false;
}

static bool mgf1_matches(DerBytes identifier, HashKind hash) {
    DerBytes oid, rest;
    Parameters parameters;
    HashKind found;
    return identifier_read(identifier, &oid, &rest, &parameters) && der_equal(oid, OID_RSA(RSA_MGF1)) &&
           hash_from_der(rest, &found) && found == hash;
}

/* RSASSA-PSS-params, RFC 4055 section 3.1. None of the defaults (SHA-1, 20) can be meant, so all three are there. */
static bool pss_parameters_match(DerBytes parameters, HashKind hash) {
    DerBytes sequence, hash_identifier, mgf, salt, salt_value;
    HashKind found;
    uint32_t salt_size;
    if (!der_read_value(&parameters, DER_SEQUENCE, &sequence) || parameters.n > 0)
        return false;
    if (!der_read_value(&sequence, DER_CONTEXT_0, &hash_identifier) ||
        !der_read_value(&sequence, DER_CONTEXT_1, &mgf) || !der_read_value(&sequence, DER_CONTEXT_2, &salt) ||
        sequence.n > 0)
        return false;
    if (!hash_from_der(hash_identifier, &found) || found != hash || !mgf1_matches(mgf, hash))
        return false;
    return der_read_value(&salt, DER_INTEGER, &salt_value) && salt.n == 0 &&
           der_small_integer(salt_value, &salt_size) && salt_size == hash_size(hash);
}

static bool scheme_from_der(DerBytes identifier, HashKind hash, SignatureScheme *ret) {
    DerBytes oid, rest;
    Parameters parameters;
    const HashRow *row = &hash_rows[hash];
    if (!identifier_read(identifier, &oid, &rest, &parameters))
        return false;
    bool pkcs1 = der_equal(oid, OID_RSA(row->rsa_oid_end)) || der_equal(oid, OID_RSA(RSA_ENCRYPTION));
    if (pkcs1 && parameters == PARAMETERS_NULL)
        *ret = SCHEME_RSA_PKCS1;
    else if (der_equal(oid, OID_RSA(RSA_PSS)) && pss_parameters_match(rest, hash))
        *ret = SCHEME_RSA_PSS;
    else if (der_equal(oid, OID_ECDSA(row->ecdsa_oid_end)) && parameters == PARAMETERS_ABSENT)
        *ret = SCHEME_ECDSA;
    else
        return false;
    return true;
}

const SignatureAlgorithm *signature_algorithm_from_der(DerBytes digest, DerBytes signature) {
    HashKind hash;
    SignatureScheme scheme;
    if (!hash_from_der(digest, &hash) || !scheme_from_der(signature, hash, &scheme))
        return NULL;
    for (size_t i = 0; i < N_ROWS(algorithms); i++)
        if (algorithms[i].scheme == scheme && algorithms[i].hash == hash)
            return &algorithms[i];
    return NULL;
}

const SignatureAlgorithm *signature_algorithm_find(uint32_t mechanism) {
    for (size_t i = 0; i < N_ROWS(algorithms); i++)
        if (algorithms[i].mechanism == mechanism)
            return &algorithms[i];
    return NULL;
}

/* ---------------------------------------------------------------------------- AlgorithmIdentifiers, written -- */

static void identifier_append(DerBuffer *b, DerBytes oid, bool null) {
    size_t from = b->size;
    der_append_element(b, DER_OID, oid);
    if (null)
        der_append(b, DER_BYTES(DER_NULL, 0));
    der_wrap(b, from, DER_SEQUENCE);
}

void hash_append(DerBuffer *b, HashKind hash) {
    identifier_append(b, OID_DIGEST(hash_rows[hash].digest_oid_end), false);
}

/* Here RFC 4055 writes the hashes with NULL, other than RFC 5754. */
static void pss_append(DerBuffer *b, HashKind hash) {
    size_t identifier = b->size;
    der_append_element(b, DER_OID, OID_RSA(RSA_PSS));
    size_t parameters = b->size;
    identifier_append(b, OID_DIGEST(hash_rows[hash].digest_oid_end), true);
    der_wrap(b, parameters, DER_CONTEXT_0);
    size_t mgf = b->size;
    der_append_element(b, DER_OID, OID_RSA(RSA_MGF1));
    identifier_append(b, OID_DIGEST(hash_rows[hash].digest_oid_end), true);
    der_wrap(b, mgf, DER_SEQUENCE);
    der_wrap(b, mgf, DER_CONTEXT_1);
    size_t salt = b->size;
    der_append_element(b, DER_INTEGER, DER_BYTES((uint8_t)hash_size(hash)));
    der_wrap(b, salt, DER_CONTEXT_2);
    der_wrap(b, parameters, DER_SEQUENCE);
    der_wrap(b, identifier, DER_SEQUENCE);
}

void signature_algorithm_append(DerBuffer *b, const SignatureAlgorithm *algorithm) {
    const HashRow *row = &hash_rows[algorithm->hash];
    switch (algorithm->scheme) {
    case SCHEME_RSA_PKCS1:
        identifier_append(b, OID_RSA(row->rsa_oid_end), true);
        break;
    case SCHEME_RSA_PSS:
        pss_append(b, algorithm->hash);
        break;
    case SCHEME_ECDSA:
        identifier_append(b, OID_ECDSA(row->ecdsa_oid_end), false);
        break;
    }
}

/* --------------------------------------------------------------------------------------------------- keys -- */

#define RSA_BITS_MAX 8192 /* beyond, a verification takes noticeable time and no card makes such keys */

/* Asked for as a number of 64 bits first: libcrypto writes a bignum by way of 2 KiB, in constant time. */
static bool rsa_exponent_sound(const EVP_PKEY *key) {
    uint64_t small = 0;
    OSSL_PARAM wanted[] = {OSSL_PARAM_construct_uint64(OSSL_PKEY_PARAM_RSA_E, &small), OSSL_PARAM_construct_end()};
    ERR_set_mark();
    bool fits = EVP_PKEY_get_params(key, wanted) == 1;
    ERR_pop_to_mark();
    if (fits)
        return (small & 1) == 1 && small != 1;
    BIGNUM *e = NULL;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
        return false;
    bool sound = BN_is_odd(e) && !BN_is_one(e) && !BN_is_negative(e);
    BN_free(e);
    return sound;
}

static SignerKey ec_key_describe(const EVP_PKEY *key) {
    char group[64];
    size_t size;
    SignerKey none = {NULL, (unsigned)EVP_PKEY_get_bits(key), NULL, HASH_SHA256};
    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &size) != 1)
        return none;
    for (size_t i = 0; i < N_ROWS(curve_rows); i++)
        if (strcmp(curve_rows[i].group, group) == 0)
            return (SignerKey){"ec", curve_rows[i].bits, curve_rows[i].name, curve_rows[i].hash};
    if (none.bits < 256)
        none.type = "ec"; /* too short to be a question of the curve */
    return none;
}

SignerKey signer_key_describe(const EVP_PKEY *key) {
    unsigned bits = (unsigned)EVP_PKEY_get_bits(key);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
        return ec_key_describe(key);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits <= RSA_BITS_MAX && rsa_exponent_sound(key))
        return (SignerKey){"rsa", bits, NULL, HASH_SHA256};
    return (SignerKey){NULL, bits, NULL, HASH_SHA256};
}

bool signature_algorithm_fits(const SignatureAlgorithm *algorithm, const SignerKey *key) {
    if (!key->type)
        return false;
    if (algorithm->scheme == SCHEME_ECDSA)
        return key->curve != NULL;
    return strcmp(key->type, "rsa") == 0;
}

uint32_t signer_key_mechanisms(const SignerKey *key) {
    uint32_t mechanisms = 0;
    for (size_t i = 0; i < N_ROWS(algorithms); i++) {
        bool hash_fits = !key->curve || algorithms[i].hash == key->hash;
        if (signature_algorithm_fits(&algorithms[i], key) && hash_fits)
            mechanisms |= algorithms[i].mechanism;
    }
    return mechanisms;
}

static bool padding_set(EVP_PKEY_CTX *ctx, SignatureScheme scheme) {
    if (scheme == SCHEME_RSA_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    if (scheme == SCHEME_RSA_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0;
    return true;
}

static bool pss_set(EVP_PKEY_CTX *ctx, const SignatureAlgorithm *algorithm) {
    return algorithm->scheme != SCHEME_RSA_PSS ||
           (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hash_md(algorithm->hash)) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)hash_size(algorithm->hash)) > 0);
}

bool signature_verify(const SignatureAlgorithm *algorithm, EVP_PKEY *key, const uint8_t *digest, DerBytes value) {
    const EVP_MD *md = hash_md(algorithm->hash);
    CLEANUP(EVP_PKEY_CTX_free_p) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (!md || !ctx || EVP_PKEY_verify_init(ctx) <= 0 || !padding_set(ctx, algorithm->scheme))
        return false;
    if (EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0 || !pss_set(ctx, algorithm))
        return false;
    return EVP_PKEY_verify(ctx, value.p, value.n, digest, hash_size(algorithm->hash)) == 1;
}
