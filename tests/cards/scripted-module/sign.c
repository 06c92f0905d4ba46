/* SPDX-License-Identifier: Apache-2.0 */
/* Real signatures by OpenSSL, in the shape the script wants: ECDSA as r||s or as DER, or something that is no signature
 * at all. */
#include "token.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <string.h>

enum { SIGNATURE_MAXIMUM = 1024 };

static bool mechanism_known(const SlotScript *slot, CK_MECHANISM_TYPE type) {
    for (size_t i = 0; i < slot->mechanism_count; i++)
        if (slot->mechanisms[i] == type)
            return true;
    return false;
}

static const EVP_MD *mechanism_hash(CK_MECHANISM_TYPE type) {
    switch (type) {
    case CKM_SHA256_RSA_PKCS:
    case CKM_ECDSA_SHA256:
    case CKM_SHA256:
    case CKG_MGF1_SHA256:
        return EVP_sha256();
    case CKM_SHA384_RSA_PKCS:
    case CKM_ECDSA_SHA384:
    case CKM_SHA384:
        return EVP_sha384();
    case CKM_SHA512_RSA_PKCS:
    case CKM_SHA512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

static bool mechanism_is_curve(CK_MECHANISM_TYPE type) {
    return type == CKM_ECDSA || type == CKM_ECDSA_SHA256 || type == CKM_ECDSA_SHA384;
}

static CK_RV sign_parameters(Session *session, const struct _CK_MECHANISM *mechanism) {
    session->mechanism = mechanism->mechanism;
    if (mechanism->mechanism != CKM_RSA_PKCS_PSS)
        return CKR_OK;
    if (!mechanism->pParameter || mechanism->ulParameterLen != sizeof(session->pss))
        return CKR_MECHANISM_PARAM_INVALID;
    memcpy(&session->pss, mechanism->pParameter, sizeof(session->pss));
    return mechanism_hash(session->pss.hashAlg) ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

CK_RV C_SignInit(CK_SESSION_HANDLE handle, struct _CK_MECHANISM *mechanism, CK_OBJECT_HANDLE object) {
    ENTER_SESSION(handle);
    ObjectKind kind;
    const SlotScript *slot = &module.script->slots[session->slot];
    if (!mechanism)
        return CKR_ARGUMENTS_BAD;
    if (session->signing)
        return CKR_OPERATION_ACTIVE;
    if (slot->login_required && module.logins[session->slot] != LOGIN_USER)
        return CKR_USER_NOT_LOGGED_IN;
    KeyScript *key = object_key(session, object, &kind);
    if (!key || kind != OBJECT_PRIVATE)
        return CKR_KEY_HANDLE_INVALID;
    if (!key->can_sign)
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    if (!mechanism_known(slot, mechanism->mechanism))
        return CKR_MECHANISM_INVALID;
    if (mechanism_is_curve(mechanism->mechanism) == EVP_PKEY_is_a(key->key, "RSA"))
        return CKR_KEY_TYPE_INCONSISTENT;
    CK_RV rv = sign_parameters(session, mechanism);
    if (rv != CKR_OK)
        return rv;
    session->signing = key;
    session->confirmed = false;
    session->parts_size = 0;
    return CKR_OK;
}

static bool context_prepare(const Session *session, EVP_PKEY_CTX *context) {
    if (EVP_PKEY_sign_init(context) <= 0)
        return false;
    const EVP_MD *hash = mechanism_hash(session->mechanism);
    if (mechanism_is_curve(session->mechanism))
        return true;
    int padding = session->mechanism == CKM_RSA_X_509      ? RSA_NO_PADDING
                  : session->mechanism == CKM_RSA_PKCS_PSS ? RSA_PKCS1_PSS_PADDING
                                                           : RSA_PKCS1_PADDING;
    if (EVP_PKEY_CTX_set_rsa_padding(context, padding) <= 0)
        return false;
    if (session->mechanism == CKM_RSA_PKCS_PSS) {
        hash = mechanism_hash(session->pss.hashAlg);
        if (EVP_PKEY_CTX_set_rsa_pss_saltlen(context, (int)session->pss.sLen) <= 0)
            return false;
    }
    return !hash || EVP_PKEY_CTX_set_signature_md(context, hash) > 0;
}

/* DER to r||s, each as long as the curve's order. */
static bool signature_raw(EVP_PKEY *key, unsigned char *signature, size_t *size) {
    const unsigned char *at = signature;
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &at, (long)*size);
    int half = (EVP_PKEY_get_bits(key) + 7) / 8;
    bool good = parsed && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, half) == half &&
                BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + half, half) == half;
    ECDSA_SIG_free(parsed);
    *size = (size_t)half * 2;
    return good;
}

static CK_RV signature_make(const Session *session, const unsigned char *data, size_t data_size,
                            unsigned char signature[static SIGNATURE_MAXIMUM], size_t *size) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_size;
    const EVP_MD *hash = mechanism_hash(session->mechanism);
    if (hash) {
        if (!EVP_Digest(data, data_size, digest, &digest_size, hash, NULL))
            return CKR_DEVICE_ERROR;
        data = digest;
        data_size = digest_size;
    }
    EVP_PKEY *key = session->signing->key;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    *size = SIGNATURE_MAXIMUM;
    bool good =
        context && context_prepare(session, context) && EVP_PKEY_sign(context, signature, size, data, data_size) > 0;
    EVP_PKEY_CTX_free(context);
    if (!good)
        return CKR_DATA_LEN_RANGE;
    if (mechanism_is_curve(session->mechanism) && !module.script->slots[session->slot].ecdsa_der)
        return signature_raw(key, signature, size) ? CKR_OK : CKR_DEVICE_ERROR;
    return CKR_OK;
}

static void signature_spoil(SignatureStyle style, unsigned char signature[static SIGNATURE_MAXIMUM], size_t *size) {
    if (style == SIGNATURE_GARBAGE)
        memset(signature, 0x5A, *size);
    else if (style == SIGNATURE_SHORT)
        *size /= 2;
    else if (style == SIGNATURE_EMPTY)
        *size = 0;
}

static size_t signature_room(const Session *session) {
    const SlotScript *slot = &module.script->slots[session->slot];
    if (mechanism_is_curve(session->mechanism) && !slot->ecdsa_der)
        return (size_t)((EVP_PKEY_get_bits(session->signing->key) + 7) / 8) * 2;
    return (size_t)EVP_PKEY_get_size(session->signing->key);
}

static CK_RV sign_finish(Session *session, const unsigned char *data, size_t data_size, unsigned char *signature,
                         unsigned long *size) {
    unsigned char made[SIGNATURE_MAXIMUM];
    size_t made_size;
    const SlotScript *slot = &module.script->slots[session->slot];
    if (!session->signing)
        return CKR_OPERATION_NOT_INITIALIZED;
    if (!size || (!data && data_size))
        return CKR_ARGUMENTS_BAD;
    if (!signature || *size < signature_room(session)) {
        *size = signature_room(session);
        return signature ? CKR_BUFFER_TOO_SMALL : CKR_OK;
    }
    if (session->signing->always_authenticate && !session->confirmed)
        return CKR_USER_NOT_LOGGED_IN;
    CK_RV rv = signature_make(session, data, data_size, made, &made_size);
    session->signing = NULL;
    if (rv != CKR_OK)
        return rv;
    signature_spoil(slot->signature, made, &made_size);
    memcpy(signature, made, made_size < *size ? made_size : *size);
    *size = slot->signature == SIGNATURE_HUGE ? ~0UL : made_size;
    return CKR_OK;
}

CK_RV C_Sign(CK_SESSION_HANDLE handle, unsigned char *data, unsigned long data_size, unsigned char *signature,
             unsigned long *size) {
    ENTER_SESSION(handle);
    return sign_finish(session, data, data_size, signature, size);
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE handle, unsigned char *part, unsigned long size) {
    ENTER_SESSION(handle);
    if (!session->signing)
        return CKR_OPERATION_NOT_INITIALIZED;
    if (!part && size)
        return CKR_ARGUMENTS_BAD;
    if (size > PARTS_MAXIMUM - session->parts_size)
        return CKR_DATA_LEN_RANGE;
    if (size > 0)
        memcpy(session->parts + session->parts_size, part, size);
    session->parts_size += size;
    return CKR_OK;
}

CK_RV C_SignFinal(CK_SESSION_HANDLE handle, unsigned char *signature, unsigned long *size) {
    ENTER_SESSION(handle);
    return sign_finish(session, session->parts, session->parts_size, signature, size);
}
