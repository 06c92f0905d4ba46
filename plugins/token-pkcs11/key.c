/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate and its key are tied together by CKA_ID, when whoever wrote the card cared. The key is therefore looked
 * for by CKA_ID and believed only if its public half is that of the certificate; failing that, every key on the token
 * is compared. Only where no key can be compared (elliptic curve keys do not carry their public point) is a CKA_ID
 * taken on trust: a wrong guess is caught when the signature is verified.
 */
#include "key.h"

#include <openssl/core_names.h>
#include <string.h>

#include "object.h"

typedef enum Match { MATCH_NO, MATCH_UNKNOWN, MATCH_YES } Match;

/* The public key of a certificate in the form that PKCS#11 stores it. */
struct PublicKey {
    CK_KEY_TYPE type;
    size_t size;
    uint8_t value[2048]; /* modulus, or uncompressed point */
    size_t value_size;
};

/* What a key may be used for, as far as a signature is concerned. */
typedef struct KeyUses {
    bool known;
    bool signs;
    bool always; /* wants the PIN again for each signature */
} KeyUses;

static bool public_number(const EVP_PKEY *pkey, const char *name, uint8_t *out, size_t size) {
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 && BN_bn2binpad(number, out, (int)size) == (int)size;
    BN_free(number);
    return ok;
}

static bool public_key_fill(const EVP_PKEY *pkey, PublicKey *key) {
    int bits = EVP_PKEY_get_bits(pkey);

    if (bits <= 0 || bits > 8 * 1000)
        return false;
    key->size = ((size_t)bits + 7) / 8;
    if (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS")) {
        key->type = CKK_RSA;
        key->value_size = key->size;
        return public_number(pkey, OSSL_PKEY_PARAM_RSA_N, key->value, key->size);
    }
    if (!EVP_PKEY_is_a(pkey, "EC"))
        return false;
    key->type = CKK_EC;
    key->value[0] = 0x04;
    key->value_size = 1 + 2 * key->size;
    return public_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->value + 1, key->size) &&
           public_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->value + 1 + key->size, key->size);
}

static int public_key_read(const Pkcs11 *c, const uint8_t *der, size_t size, PublicKey *ret) {
    X509 *certificate = size <= ATTRIBUTE_MAX ? d2i_X509(NULL, &der, (long)size) : NULL;
    const EVP_PKEY *pkey = certificate ? X509_get0_pubkey(certificate) : NULL;
    bool known = pkey && public_key_fill(pkey, ret);

    X509_free(certificate);
    ERR_clear_error();
    if (!certificate)
        return fault_text(c, EONAY_ERROR_NO_CERTIFICATE, "the certificate asked for cannot be read");
    if (!known)
        return fault_text(c, EONAY_ERROR_MECHANISM_UNSUPPORTED, "the certificate's key is neither RSA nor EC");
    return 0;
}

static Match modulus_match(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const PublicKey *key) {
    _cleanup_free_ uint8_t *modulus = NULL;
    size_t size = 0, zeros = 0;

    if (!object_read(c, session, object, CKA_MODULUS, &modulus, &size))
        return MATCH_UNKNOWN;
    while (zeros < size && modulus[zeros] == 0)
        zeros++;
    return size - zeros == key->value_size && memcmp(modulus + zeros, key->value, key->value_size) == 0 ? MATCH_YES
                                                                                                        : MATCH_NO;
}

/* CKA_EC_POINT is the point in an OCTET STRING; some modules leave the OCTET STRING out. */
static Match point_match(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const PublicKey *key) {
    _cleanup_free_ uint8_t *point = NULL;
    size_t size = 0;

    if (!object_read(c, session, object, CKA_EC_POINT, &point, &size))
        return MATCH_UNKNOWN;
    size_t head = size > key->value_size && point[0] == 0x04 ? (key->value_size < 128 ? 2 : 3) : 0;
    return size == head + key->value_size && memcmp(point + head, key->value, key->value_size) == 0 ? MATCH_YES
                                                                                                    : MATCH_NO;
}

static Match half_match(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const PublicKey *key) {
    return key->type == CKK_RSA ? modulus_match(c, session, object, key) : point_match(c, session, object, key);
}

/* The public key objects with the private key's CKA_ID: one that matches is enough, as an ID may be used twice. */
static Match other_half_match(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private_key,
                              const PublicKey *key) {
    _cleanup_free_ uint8_t *id = NULL;
    CK_OBJECT_HANDLE objects[8];
    size_t id_size = 0, n = 0;
    Match match = MATCH_UNKNOWN;

    if (!object_read(c, session, private_key, CKA_ID, &id, &id_size) ||
        object_find_by_id(c, session, CKO_PUBLIC_KEY, id, id_size, objects, 8, &n) != CKR_OK)
        return MATCH_UNKNOWN;
    for (size_t i = 0; i < n && match != MATCH_YES; i++) {
        Match one = half_match(c, session, objects[i], key);
        if (one != MATCH_UNKNOWN)
            match = one;
    }
    return match;
}

/* Type and modulus, and with `ret` the uses as well, in one call: the usual case. Modules that do not answer all of it
 * are asked one by one. */
static bool rsa_matches_at_once(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                const PublicKey *key, KeyUses *ret) {
    CK_KEY_TYPE type = CKK_VENDOR_DEFINED;
    CK_BBOOL signs = CK_FALSE, always = CK_FALSE;
    uint8_t modulus[sizeof(key->value) + 1];
    CK_ATTRIBUTE attributes[] = {{CKA_KEY_TYPE, &type, sizeof(type)},
                                 {CKA_MODULUS, modulus, sizeof(modulus)},
                                 {CKA_SIGN, &signs, sizeof(signs)},
                                 {CKA_ALWAYS_AUTHENTICATE, &always, sizeof(always)}};

    if (key->type != CKK_RSA || c->f->C_GetAttributeValue(session, object, attributes, ret ? 4 : 2) != CKR_OK ||
        type != CKK_RSA || attributes[1].ulValueLen > sizeof(modulus))
        return false;
    if (ret && (attributes[2].ulValueLen != sizeof(signs) || attributes[3].ulValueLen != sizeof(always)))
        return false;
    size_t size = attributes[1].ulValueLen, zeros = 0;
    while (zeros < size && modulus[zeros] == 0)
        zeros++;
    if (size - zeros != key->value_size || memcmp(modulus + zeros, key->value, key->value_size) != 0)
        return false;
    if (ret)
        *ret = (KeyUses){.known = true, .signs = signs != CK_FALSE, .always = always != CK_FALSE};
    return true;
}

static Match key_match(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const PublicKey *key) {
    CK_KEY_TYPE type = 0;
    CK_ATTRIBUTE attribute = {CKA_KEY_TYPE, &type, sizeof(type)};

    if (rsa_matches_at_once(c, session, object, key, NULL))
        return MATCH_YES;

    if (c->f->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || type != key->type)
        return MATCH_NO;
    Match match = half_match(c, session, object, key);
    return match == MATCH_UNKNOWN ? other_half_match(c, session, object, key) : match;
}

/* The best of some keys; an earlier one wins among equals. */
static Match keys_best(const Pkcs11 *c, CK_SESSION_HANDLE session, const CK_OBJECT_HANDLE *objects, size_t n,
                       const PublicKey *key, CK_OBJECT_HANDLE *ret) {
    Match best = MATCH_NO;

    for (size_t i = 0; i < n && best != MATCH_YES; i++) {
        Match match = key_match(c, session, objects[i], key);
        if (match > best) {
            best = match;
            *ret = objects[i];
        }
    }
    return best;
}

/* Keys that share the CKA_ID of a certificate object with exactly these bytes. */
static Match keys_by_certificate(const Pkcs11 *c, CK_SESSION_HANDLE session, const uint8_t *der, size_t der_size,
                                 const PublicKey *key, CK_OBJECT_HANDLE *ret) {
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_VALUE, (void *)(uintptr_t)der, der_size}};
    CK_OBJECT_HANDLE certificates[4], keys[8];
    Match best = MATCH_NO;
    size_t n = 0;

    if (object_find(c, session, wanted, 2, certificates, 4, &n) != CKR_OK)
        return MATCH_NO;
    for (size_t i = 0; i < n && best != MATCH_YES; i++) {
        _cleanup_free_ uint8_t *id = NULL;
        CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
        size_t id_size = 0, n_keys = 0;
        if (!object_read(c, session, certificates[i], CKA_ID, &id, &id_size) ||
            object_find_by_id(c, session, CKO_PRIVATE_KEY, id, id_size, keys, 8, &n_keys) != CKR_OK)
            continue;
        Match match = keys_best(c, session, keys, n_keys, key, &found);
        if (match > best) {
            best = match;
            *ret = found;
        }
    }
    return best;
}

static int key_search(const Pkcs11 *c, CK_SESSION_HANDLE session, const uint8_t *der, size_t der_size,
                      const PublicKey *key, CK_OBJECT_HANDLE *ret) {
    CK_OBJECT_HANDLE all[KEYS_MAX], other = CK_INVALID_HANDLE;
    size_t n = 0;

    Match by_id = keys_by_certificate(c, session, der, der_size, key, ret);
    if (by_id == MATCH_YES)
        return 0;
    CK_RV rv = object_find_by_id(c, session, CKO_PRIVATE_KEY, NULL, 0, all, KEYS_MAX, &n);
    if (rv != CKR_OK)
        return fault_ckr(c, "C_FindObjects", rv, -1);
    if (keys_best(c, session, all, n, key, &other) == MATCH_YES) {
        *ret = other;
        return 0;
    }
    if (by_id == MATCH_UNKNOWN)
        return 0;
    return fault_text(c, EONAY_ERROR_NO_CERTIFICATE, "the token has no private key for this certificate");
}

/* All that is asked of a key before it signs, in one call where the module goes along with that. */
static void key_describe(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, KeyUses *ret) {
    CK_BBOOL signs = CK_FALSE, always = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {{CKA_SIGN, &signs, sizeof(signs)}, {CKA_ALWAYS_AUTHENTICATE, &always, sizeof(always)}};

    if (c->f->C_GetAttributeValue(session, object, attributes, 2) == CKR_OK &&
        attributes[0].ulValueLen == sizeof(signs) && attributes[1].ulValueLen == sizeof(always)) {
        *ret = (KeyUses){.known = true, .signs = signs != CK_FALSE, .always = always != CK_FALSE};
        return;
    }
    *ret = (KeyUses){.known = true,
                     .signs = object_is(c, session, object, CKA_SIGN, true),
                     .always = object_is(c, session, object, CKA_ALWAYS_AUTHENTICATE, false)};
}

/*
 * The way found last time, when the same certificate is asked for again: its public key, already taken apart, and its
 * CKA_ID. The key object itself is looked up and compared anew each time.
 */
static bool key_search_known(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *ret, KeyUses *ret_uses) {
    CK_OBJECT_HANDLE objects[2];
    size_t n = 0;

    if (c->known_id_size == 0 ||
        object_find_by_id(c, session, CKO_PRIVATE_KEY, c->known_id, c->known_id_size, objects, 2, &n) != CKR_OK ||
        n != 1)
        return false;
    if (!rsa_matches_at_once(c, session, objects[0], c->known_public, ret_uses) &&
        key_match(c, session, objects[0], c->known_public) != MATCH_YES)
        return false;
    *ret = objects[0];
    return true;
}

static void key_forget(Pkcs11 *c) {
    free(c->known_certificate);
    free(c->known_public);
    c->known_certificate = NULL;
    c->known_public = NULL;
    c->known_certificate_size = c->known_id_size = 0;
}

static void key_remember(Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const uint8_t *der,
                         size_t der_size, const PublicKey *key) {
    _cleanup_free_ uint8_t *id = NULL;
    size_t id_size = 0;

    key_forget(c);
    if (der_size == 0 || !object_read(c, session, object, CKA_ID, &id, &id_size) || id_size > sizeof(c->known_id))
        return;
    c->known_certificate = malloc(der_size);
    c->known_public = malloc(sizeof(*key));
    if (!c->known_certificate || !c->known_public) {
        key_forget(c);
        return;
    }
    memcpy(c->known_certificate, der, der_size);
    memcpy(c->known_public, key, sizeof(*key));
    memcpy(c->known_id, id, id_size);
    c->known_certificate_size = der_size;
    c->known_id_size = id_size;
}

void key_close(Pkcs11 *c) {
    key_forget(c);
}

static int key_search_anew(Pkcs11 *c, CK_SESSION_HANDLE session, const uint8_t *der, size_t der_size,
                           CK_OBJECT_HANDLE *ret) {
    PublicKey key = {0};

    int r = public_key_read(c, der, der_size, &key);
    if (r == 0)
        r = key_search(c, session, der, der_size, &key, ret);
    if (r == 0)
        key_remember(c, session, *ret, der, der_size, &key);
    return r;
}

int key_find(Pkcs11 *c, CK_SESSION_HANDLE session, const uint8_t *der, size_t der_size, Key *ret) {
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    KeyUses uses = {0};

    bool known = c->known_certificate && c->known_certificate_size == der_size &&
                 memcmp(c->known_certificate, der, der_size) == 0 && key_search_known(c, session, &object, &uses);
    int r = known ? 0 : key_search_anew(c, session, der, der_size, &object);
    if (r != 0)
        return r;
    if (!uses.known)
        key_describe(c, session, object, &uses);
    if (!uses.signs)
        return fault_text(c, EONAY_ERROR_MECHANISM_UNSUPPORTED, "the key may not sign");
    *ret = (Key){.object = object, .always_authenticate = uses.always};
    if (c->known_public) {
        ret->type = c->known_public->type;
        ret->size = c->known_public->size;
        return 0;
    }
    PublicKey key = {0};
    r = public_key_read(c, der, der_size, &key);
    ret->type = key.type;
    ret->size = key.size;
    return r;
}

uint32_t key_flags_by_id(const Pkcs11 *c, CK_SESSION_HANDLE session, const CK_TOKEN_INFO *token, const uint8_t *id,
                         size_t id_size) {
    uint32_t hidden = token->flags & CKF_LOGIN_REQUIRED ? EONAY_CERT_KEY_UNKNOWN : 0;
    CK_OBJECT_HANDLE object;
    size_t n = 0;

    if (session == CK_INVALID_HANDLE)
        return EONAY_CERT_KEY_UNKNOWN;
    if (id_size == 0 || object_find_by_id(c, session, CKO_PRIVATE_KEY, id, id_size, &object, 1, &n) != CKR_OK || n == 0)
        return hidden;
    uint32_t flags = EONAY_CERT_HAS_KEY;
    if (!object_is(c, session, object, CKA_SIGN, true))
        flags |= EONAY_CERT_KEY_NO_SIGN;
    if (object_is(c, session, object, CKA_ALWAYS_AUTHENTICATE, false))
        flags |= EONAY_CERT_ALWAYS_AUTH;
    return flags;
}
