/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One signature over one digest. Only the three mechanisms that take a finished digest are used (CKM_RSA_PKCS over a
 * DigestInfo made here, CKM_RSA_PKCS_PSS, CKM_ECDSA): tokens differ in which hashing mechanisms they have.
 */
#include <string.h>

#include "key.h"
#include "session.h"

#define SIGNATURE_MAX 2048u

typedef enum Scheme { SCHEME_PKCS1, SCHEME_PSS, SCHEME_ECDSA } Scheme;

typedef struct Method {
    EonayMechanism mechanism;
    Scheme scheme;
    size_t digest_size;
    CK_MECHANISM_TYPE hash;
    CK_ULONG mgf;
    uint8_t oid; /* last byte of the hash's object identifier, 2.16.840.1.101.3.4.2.x */
} Method;

static const Method methods[] = {
    {EONAY_MECH_RSA_PKCS1_SHA256, SCHEME_PKCS1, 32, CKM_SHA256, CKG_MGF1_SHA256, 1},
    {EONAY_MECH_RSA_PKCS1_SHA384, SCHEME_PKCS1, 48, CKM_SHA384, CKG_MGF1_SHA384, 2},
    {EONAY_MECH_RSA_PKCS1_SHA512, SCHEME_PKCS1, 64, CKM_SHA512, CKG_MGF1_SHA512, 3},
    {EONAY_MECH_RSA_PSS_SHA256, SCHEME_PSS, 32, CKM_SHA256, CKG_MGF1_SHA256, 1},
    {EONAY_MECH_RSA_PSS_SHA384, SCHEME_PSS, 48, CKM_SHA384, CKG_MGF1_SHA384, 2},
    {EONAY_MECH_RSA_PSS_SHA512, SCHEME_PSS, 64, CKM_SHA512, CKG_MGF1_SHA512, 3},
    {EONAY_MECH_ECDSA_SHA256, SCHEME_ECDSA, 32, CKM_SHA256, CKG_MGF1_SHA256, 1},
    {EONAY_MECH_ECDSA_SHA384, SCHEME_ECDSA, 48, CKM_SHA384, CKG_MGF1_SHA384, 2},
    {EONAY_MECH_ECDSA_SHA512, SCHEME_ECDSA, 64, CKM_SHA512, CKG_MGF1_SHA512, 3},
};

/* What goes into C_SignInit and C_Sign. */
typedef struct Input {
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_MECHANISM mechanism;
    uint8_t bytes[19 + 64];
    size_t size;
} Input;

static const Method *method_of(uint32_t mechanism, size_t digest_size) {
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if ((uint32_t)methods[i].mechanism == mechanism && methods[i].digest_size == digest_size)
            return &methods[i];
    return NULL;
}

/* DigestInfo of RFC 8017, section 9.2, note 1. */
static void input_digest_info(Input *input, const Method *method, const uint8_t *digest) {
    const uint8_t head[19] = {0x30,
                              (uint8_t)(17 + method->digest_size),
                              0x30,
                              0x0d,
                              0x06,
                              0x09,
                              0x60,
                              0x86,
                              0x48,
                              0x01,
                              0x65,
                              0x03,
                              0x04,
                              0x02,
                              method->oid,
                              0x05,
                              0x00,
                              0x04,
                              (uint8_t)method->digest_size};
    memcpy(input->bytes, head, sizeof(head));
    memcpy(input->bytes + sizeof(head), digest, method->digest_size);
    input->size = sizeof(head) + method->digest_size;
    input->mechanism.mechanism = CKM_RSA_PKCS;
}

static void input_pss(Input *input, const Method *method, const uint8_t *digest) {
    memcpy(input->bytes, digest, method->digest_size);
    input->size = method->digest_size;
    input->pss = (CK_RSA_PKCS_PSS_PARAMS){method->hash, method->mgf, method->digest_size};
    input->mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &input->pss, sizeof(input->pss)};
}

/* ECDSA uses the leftmost bits of a digest longer than the curve's order; some tokens refuse more than these. */
static void input_ecdsa(Input *input, const Method *method, const uint8_t *digest, size_t order_size) {
    input->size = method->digest_size < order_size ? method->digest_size : order_size;
    memcpy(input->bytes, digest, input->size);
    input->mechanism.mechanism = CKM_ECDSA;
}

static int input_make(const Pkcs11 *c, const EonaySignRequest *request, const Key *key, Input *input) {
    const Method *method = method_of(request->mechanism, request->digest_size);

    if (!method)
        return fault_text(c, EONAY_ERROR_MECHANISM_UNSUPPORTED, "no such mechanism, or a digest of another size");
    if ((method->scheme == SCHEME_ECDSA) != (key->type == CKK_EC))
        return fault_text(c, EONAY_ERROR_MECHANISM_UNSUPPORTED, "the mechanism is not one of this key's type");
    *input = (Input){0};
    if (method->scheme == SCHEME_PKCS1)
        input_digest_info(input, method, request->digest);
    else if (method->scheme == SCHEME_PSS)
        input_pss(input, method, request->digest);
    else
        input_ecdsa(input, method, request->digest, key->size);
    return 0;
}

/* Such a key wants the PIN between C_SignInit and C_Sign (PKCS#11 v2.40, section 4.9). */
static int sign_authenticate(const Pkcs11 *c, const Key *key, const EonaySecret *secret) {
    if (!key->always_authenticate)
        return 0;
    CK_RV rv = pin_login(c, c->session, CKU_CONTEXT_SPECIFIC, c->session_pinpad ? NULL : secret);
    return rv == CKR_OK ? 0 : pin_fault(c, "C_Login", rv, c->session_slot);
}

static int sign_input(Pkcs11 *c, const Key *key, Input *input, const EonaySecret *secret, uint8_t **ret,
                      size_t *ret_size) {
    uint8_t signature[SIGNATURE_MAX];
    CK_ULONG size = sizeof(signature);

    CK_RV rv = c->f->C_SignInit(c->session, &input->mechanism, key->object);
    if (rv != CKR_OK)
        return fault_ckr(c, "C_SignInit", rv, -1);
    int r = sign_authenticate(c, key, secret);
    if (r != 0) {
        session_renew(c);
        return r;
    }
    rv = c->f->C_Sign(c->session, input->bytes, input->size, signature, &size);
    if (rv == CKR_BUFFER_TOO_SMALL) /* leaves the operation open */
        session_renew(c);
    if (rv != CKR_OK)
        return fault_ckr(c, "C_Sign", rv, -1);
    if (size == 0 || size > sizeof(signature))
        return fault_text(c, EONAY_ERROR_PLUGIN_FAILED, "C_Sign returned a signature of impossible size");
    *ret = c->host->alloc(c->host, size);
    memcpy(*ret, signature, size);
    *ret_size = size;
    return 0;
}

int session_sign(Pkcs11 *c, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size) {
    Input input;
    Key key;

    if (!c->logged_in || strcmp(c->session_token, request->token) != 0)
        return fault_text(c, EONAY_ERROR_PIN_REQUIRED, "no login to this token is under way");
    int r = key_find(c, c->session, request->certificate, request->certificate_size, &key);
    if (r == 0)
        r = input_make(c, request, &key, &input);
    if (r != 0)
        return r;
    if (key.always_authenticate && !c->session_pinpad && !request->secret)
        return fault_text(c, EONAY_ERROR_PIN_REQUIRED, "the key wants the PIN for each signature");
    return sign_input(c, &key, &input, request->secret, ret_signature, ret_size);
}
