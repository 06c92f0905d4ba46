/* SPDX-License-Identifier: Apache-2.0 */
/* A token as the plugin interface describes it: cleaned texts, flags, and the mechanisms it can sign with. */
#include "text.h"
#include "token.h"

#define MECHANISMS_MAX 4096u

typedef struct TokenText {
    char label[40], serial[24], manufacturer[40], model[24], reader[72];
} TokenText;

static uint32_t mechanism_set(CK_MECHANISM_TYPE type) {
    switch (type) {
    case CKM_RSA_PKCS:
        return EONAY_MECH_RSA_PKCS1_SHA256 | EONAY_MECH_RSA_PKCS1_SHA384 | EONAY_MECH_RSA_PKCS1_SHA512;
    case CKM_RSA_PKCS_PSS:
        return EONAY_MECH_RSA_PSS_SHA256 | EONAY_MECH_RSA_PSS_SHA384 | EONAY_MECH_RSA_PSS_SHA512;
    case CKM_ECDSA:
        return EONAY_MECH_ECDSA_SHA256 | EONAY_MECH_ECDSA_SHA384 | EONAY_MECH_ECDSA_SHA512;
    default:
        return 0;
    }
}

/* A mechanism counts unless the module says outright that it cannot sign with it. */
static bool mechanism_signs(const Pkcs11 *c, CK_SLOT_ID slot, CK_MECHANISM_TYPE type) {
    CK_MECHANISM_INFO info = {0};
    return c->f->C_GetMechanismInfo(slot, type, &info) != CKR_OK || (info.flags & CKF_SIGN) != 0;
}

static uint32_t token_mechanisms(const Pkcs11 *c, CK_SLOT_ID slot) {
    CK_ULONG n = 0, room;
    uint32_t set = 0;

    if (c->f->C_GetMechanismList(slot, NULL, &n) != CKR_OK || n == 0 || n > MECHANISMS_MAX)
        return 0;
    _cleanup_free_ CK_MECHANISM_TYPE *types = calloc(n, sizeof(*types));
    room = n;
    if (!types || c->f->C_GetMechanismList(slot, types, &n) != CKR_OK || n > room)
        return 0;
    for (CK_ULONG i = 0; i < n; i++)
        if (mechanism_set(types[i]) != 0 && mechanism_signs(c, slot, types[i]))
            set |= mechanism_set(types[i]);
    return set;
}

/* The slot's description is the PC/SC reader's name where there is a reader at all. */
static void slot_reader(const Pkcs11 *c, CK_SLOT_ID slot, char *out, size_t size) {
    CK_SLOT_INFO info = {0};

    out[0] = '\0';
    if (c->f->C_GetSlotInfo(slot, &info) == CKR_OK && (info.flags & (CKF_HW_SLOT | CKF_REMOVABLE_DEVICE)) != 0)
        text_clean(info.slotDescription, sizeof(info.slotDescription), out, size);
}

static uint32_t token_flags(const Pkcs11 *c, const Token *token) {
    CK_FLAGS from = token->info.flags;
    uint32_t flags = token_has_pinpad(c, token) ? EONAY_TOKEN_PINPAD : 0;

    flags |= from & CKF_USER_PIN_COUNT_LOW ? EONAY_TOKEN_PIN_LOW : 0;
    flags |= from & CKF_USER_PIN_FINAL_TRY ? EONAY_TOKEN_PIN_FINAL_TRY : 0;
    flags |= from & CKF_USER_PIN_LOCKED ? EONAY_TOKEN_PIN_LOCKED : 0;
    return flags;
}

static const char *token_state(const Token *token) {
    if (token->info.flags & CKF_USER_PIN_LOCKED)
        return "The PIN is locked.";
    if (!(token->info.flags & CKF_USER_PIN_INITIALIZED))
        return "No PIN has been set yet.";
    return NULL;
}

int token_visit(const Pkcs11 *c, const Token *token, const char *state, const EonayTokenVisitor *visitor) {
    const CK_TOKEN_INFO *from = &token->info;
    size_t pin_min, pin_max;
    TokenText text = {0};

    text_clean(from->label, sizeof(from->label), text.label, sizeof(text.label));
    text_clean(from->serialNumber, sizeof(from->serialNumber), text.serial, sizeof(text.serial));
    text_clean(from->manufacturerID, sizeof(from->manufacturerID), text.manufacturer, sizeof(text.manufacturer));
    text_clean(from->model, sizeof(from->model), text.model, sizeof(text.model));
    slot_reader(c, token->slot, text.reader, sizeof(text.reader));
    token_pin_limits(token, &pin_min, &pin_max);
    const EonayTokenInfo info = {
        .struct_size = sizeof(info),
        .flags = token_flags(c, token),
        .key = token->key,
        .label = text.label,
        .serial = text.serial,
        .manufacturer = text.manufacturer,
        .model = text.model,
        .reader = text.reader[0] ? text.reader : NULL,
        .state = state ? state : token_state(token),
        .pin_min = (uint32_t)pin_min,
        .pin_max = (uint32_t)pin_max,
        .mechanisms = token_mechanisms(c, token->slot),
    };
    return visitor->token(visitor, &info);
}
