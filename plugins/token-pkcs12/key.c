/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's decoders leave the DER of a private key behind in memory they have freed. So the key is taken apart here,
 * in place, and handed to OpenSSL number by number; numbers are cleared when they are freed. What is public (the curve,
 * the point) comes from the certificate.
 */
#include "key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <string.h>

#define NUMBER_MAX 1024u /* bytes: RSA up to 8192 bits */
#define N_RSA      8u

/* A piece of DER. */
typedef struct Der {
    const uint8_t *at;
    size_t size;
} Der;

/* Takes the element at the front, which must have this tag. Lengths of more than two bytes do not occur in keys. */
static bool der_take(Der *from, uint8_t tag, Der *ret) {
    size_t head = 2, size;

    if (from->size < 2 || from->at[0] != tag)
        return false;
    size = from->at[1];
    if (size == 0x81 && from->size >= 3) {
        head = 3;
        size = from->at[2];
    } else if (size == 0x82 && from->size >= 4) {
        head = 4;
        size = (size_t)from->at[2] << 8 | from->at[3];
    } else if (size >= 0x80) {
        return false;
    }
    if (size > from->size - head)
        return false;
    *ret = (Der){from->at + head, size};
    from->at += head + size;
    from->size -= head + size;
    return true;
}

/* A positive INTEGER without the zero in front of it. */
static bool der_take_number(Der *from, Der *ret) {
    if (!der_take(from, 0x02, ret) || ret->size == 0 || (ret->at[0] & 0x80) != 0)
        return false;
    if (ret->at[0] == 0) {
        ret->at++;
        ret->size--;
    }
    return ret->size > 0 && ret->size <= NUMBER_MAX;
}

/* The byte order that OSSL_PARAM wants, which is the machine's. */
static OSSL_PARAM number_param(const char *name, const Der *number, uint8_t room[static NUMBER_MAX]) {
    const uint16_t probe = 1;
    bool little = *(const uint8_t *)&probe == 1;

    for (size_t i = 0; i < number->size; i++)
        room[i] = number->at[little ? number->size - 1 - i : i];
    return OSSL_PARAM_construct_BN(name, room, number->size);
}

static EVP_PKEY *key_from_params(const P12 *p, const char *type, OSSL_PARAM *params) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(p->library, type, NULL);
    EVP_PKEY *key = NULL;

    if (!context || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static bool modulus_equal(const EVP_PKEY *public_key, const Der *modulus) {
    uint8_t bytes[NUMBER_MAX];
    BIGNUM *n = NULL;

    bool equal = EVP_PKEY_get_bn_param(public_key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                 (size_t)BN_num_bytes(n) == modulus->size && BN_bn2bin(n, bytes) > 0 &&
                 memcmp(bytes, modulus->at, modulus->size) == 0;
    BN_free(n);
    return equal;
}

/* RSAPrivateKey of RFC 8017, appendix A.1.2: version, then eight numbers. */
static EVP_PKEY *rsa_make(const P12 *p, Der der, const EVP_PKEY *public_key) {
    static const char *const names[N_RSA] = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
                                             OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
                                             OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                             OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    uint8_t room[N_RSA][NUMBER_MAX];
    OSSL_PARAM params[N_RSA + 1];
    Der body, version, numbers[N_RSA];

    if (!der_take(&der, 0x30, &body) || !der_take(&body, 0x02, &version))
        return NULL;
    for (size_t i = 0; i < N_RSA; i++)
        if (!der_take_number(&body, &numbers[i]))
            return NULL;
    if (!modulus_equal(public_key, &numbers[0]))
        return NULL;
    for (size_t i = 0; i < N_RSA; i++)
        params[i] = number_param(names[i], &numbers[i], room[i]);
    params[N_RSA] = OSSL_PARAM_construct_end();
    EVP_PKEY *key = key_from_params(p, "RSA", params);
    OPENSSL_cleanse(room, sizeof(room));
    return key;
}

/* Whether the private number belongs to the point it was put together with. */
static bool pair_fits(const P12 *p, EVP_PKEY *key) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(p->library, key, NULL);
    bool fits = context && EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return fits;
}

/* ECPrivateKey of RFC 5915: version, the number as an OCTET STRING; the rest is known from the certificate. */
static EVP_PKEY *ec_make(const P12 *p, Der der, const EVP_PKEY *public_key) {
    uint8_t room[NUMBER_MAX], point[256];
    char group[64];
    size_t group_size = 0, point_size = 0;
    Der body, version, number;

    if (!der_take(&der, 0x30, &body) || !der_take(&body, 0x02, &version) || !der_take(&body, 0x04, &number) ||
        number.size == 0 || number.size > 66)
        return NULL;
    if (EVP_PKEY_get_utf8_string_param(public_key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &group_size) !=
            1 ||
        EVP_PKEY_get_octet_string_param(public_key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &point_size) != 1)
        return NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, point_size),
        number_param(OSSL_PKEY_PARAM_PRIV_KEY, &number, room),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = key_from_params(p, "EC", params);
    OPENSSL_cleanse(room, sizeof(room));
    if (key && !pair_fits(p, key)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

bool key_make(const P12 *p, const PKCS8_PRIV_KEY_INFO *info, EVP_PKEY *public_key, EVP_PKEY **ret) {
    const ASN1_OBJECT *algorithm = NULL;
    const unsigned char *bytes = NULL;
    EVP_PKEY *key = NULL;
    int size = 0;

    if (PKCS8_pkey_get0(&algorithm, &bytes, &size, NULL, info) != 1 || size <= 0)
        return false;
    int nid = OBJ_obj2nid(algorithm);
    const Der der = {bytes, (size_t)size};
    if ((nid == NID_rsaEncryption || nid == NID_rsassaPss) &&
        (EVP_PKEY_is_a(public_key, "RSA") || EVP_PKEY_is_a(public_key, "RSA-PSS")))
        key = rsa_make(p, der, public_key);
    else if (nid == NID_X9_62_id_ecPublicKey && EVP_PKEY_is_a(public_key, "EC"))
        key = ec_make(p, der, public_key);
    ERR_clear_error();
    if (!key)
        return false;
    *ret = key;
    return true;
}
