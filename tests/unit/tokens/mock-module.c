/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each token holds one certificate (handle 1) and its RSA key (handle 2); on demand two bad certificates before them,
 * one that cannot be read (3) and one that is none (4). Slots are numbered from 10.
 */
#include "mock-module.h"

#include <string.h>

#define FIRST_SLOT 10
#define EXPORT     __attribute__((visibility("default")))

EXPORT Mock mock;
EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_OBJECT_HANDLE found[4];
static CK_ULONG n_found;
static CK_SESSION_HANDLE next_session = 100;

static MockSlot *slot_of(CK_SLOT_ID id) {
    return id >= FIRST_SLOT && id < FIRST_SLOT + MOCK_SLOTS ? &mock.slots[id - FIRST_SLOT] : NULL;
}

static CK_RV mock_initialize(void *arguments) {
    if (arguments && !mock.any_arguments)
        return CKR_ARGUMENTS_BAD;
    if (mock.initialized > mock.finalized)
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    mock.initialized++;
    return CKR_OK;
}

static CK_RV mock_finalize(void *reserved) {
    (void)reserved;
    mock.finalized++;
    return CKR_OK;
}

static CK_RV mock_get_info(CK_INFO *info) {
    memset(info, 0xFE, sizeof(*info));
    return CKR_OK;
}

static CK_RV mock_get_slot_list(unsigned char present, CK_SLOT_ID *slots, CK_ULONG *count) {
    CK_ULONG n = 0;
    if (mock.absurd_slots) {
        *count = mock.absurd_slots;
        return CKR_OK;
    }
    for (CK_ULONG i = 0; i < MOCK_SLOTS; i++)
        if (!present || mock.slots[i].present) {
            if (slots && n < *count)
                slots[n] = FIRST_SLOT + i;
            n++;
        }
    CK_RV rv = slots && n > *count ? CKR_BUFFER_TOO_SMALL : CKR_OK;
    *count = n;
    return rv;
}

static CK_RV mock_get_slot_info(CK_SLOT_ID id, CK_SLOT_INFO *info) {
    MockSlot *slot = slot_of(id);
    if (!slot || slot->slot_info != CKR_OK)
        return slot ? slot->slot_info : CKR_SLOT_ID_INVALID;
    memset(info, ' ', sizeof(*info));
    memcpy(info->slotDescription, "Reader 00", 9);
    info->flags = CKF_HW_SLOT | CKF_REMOVABLE_DEVICE | (slot->present ? CKF_TOKEN_PRESENT : 0);
    return CKR_OK;
}

static CK_RV mock_get_token_info(CK_SLOT_ID id, CK_TOKEN_INFO *info) {
    MockSlot *slot = slot_of(id);
    if (!slot || !slot->present)
        return slot ? CKR_TOKEN_NOT_PRESENT : CKR_SLOT_ID_INVALID;
    if (slot->token_info != CKR_OK)
        return slot->token_info;
    memset(info, ' ', sizeof(*info));
    memcpy(info->label, slot->label, 32);
    memcpy(info->serialNumber, slot->serial, 16);
    memcpy(info->model, "M\0\0\0\0", 5);
    info->ulMinPinLen = slot->pin_min;
    info->ulMaxPinLen = slot->pin_max;
    info->flags = slot->flags | CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
    if (mock.tries < 3)
        info->flags |= CKF_USER_PIN_COUNT_LOW;
    if (mock.tries == 1)
        info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (mock.tries == 0)
        info->flags |= CKF_USER_PIN_LOCKED;
    return CKR_OK;
}

static CK_RV mock_get_mechanism_list(CK_SLOT_ID id, CK_MECHANISM_TYPE *types, CK_ULONG *count) {
    (void)id;
    if (mock.absurd_mechanisms) {
        *count = mock.absurd_mechanisms;
        return CKR_OK;
    }
    if (types) {
        types[0] = CKM_RSA_PKCS;
        types[1] = CKM_ECDSA;
    }
    *count = 2;
    return CKR_OK;
}

static CK_RV mock_get_mechanism_info(CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info) {
    (void)id;
    info->flags = type == CKM_RSA_PKCS ? CKF_SIGN : CKF_VERIFY;
    return CKR_OK;
}

static CK_RV mock_open_session(CK_SLOT_ID id, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                               CK_SESSION_HANDLE *session) {
    MockSlot *slot = slot_of(id);
    (void)flags;
    (void)application;
    (void)notify;
    if (!slot || slot->open_session != CKR_OK)
        return slot ? slot->open_session : CKR_SLOT_ID_INVALID;
    mock.sessions++;
    *session = next_session++;
    return CKR_OK;
}

static CK_RV mock_close_session(CK_SESSION_HANDLE session) {
    (void)session;
    mock.sessions--;
    return CKR_OK;
}

static CK_RV mock_get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info) {
    (void)session;
    memset(info, 0, sizeof(*info));
    return CKR_OK;
}

static CK_RV pin_try(const unsigned char *pin, CK_ULONG size) {
    if (mock.tries == 0)
        return CKR_PIN_LOCKED;
    if (!pin)
        mock.null_pins++;
    else if (size != strlen(mock.pin) || memcmp(pin, mock.pin, size) != 0) {
        mock.tries--;
        return CKR_PIN_INCORRECT;
    }
    mock.tries = 3;
    return CKR_OK;
}

static CK_RV mock_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG size) {
    (void)session;
    if (user == CKU_CONTEXT_SPECIFIC) {
        mock.context_logins++;
        return mock.sign_active ? pin_try(pin, size) : CKR_OPERATION_NOT_INITIALIZED;
    }
    mock.logins++;
    if (mock.leftover_login != CKR_OK) {
        CK_RV rv = mock.leftover_login;
        mock.leftover_login = CKR_OK;
        return rv;
    }
    CK_RV rv = pin_try(pin, size);
    mock.logged_in = rv == CKR_OK;
    return rv;
}

static CK_RV mock_logout(CK_SESSION_HANDLE session) {
    (void)session;
    mock.logouts++;
    mock.logged_in = false;
    return CKR_OK;
}

static CK_RV mock_find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count) {
    CK_OBJECT_CLASS class = CK_UNAVAILABLE_INFORMATION;
    (void)session;
    for (CK_ULONG i = 0; i < count; i++)
        if (attributes[i].type == CKA_CLASS)
            memcpy(&class, attributes[i].pValue, sizeof(class));
    n_found = 0;
    if (class == CKO_CERTIFICATE && mock.bad_certificates) {
        found[n_found++] = 3;
        found[n_found++] = 4;
    }
    if (class == CKO_CERTIFICATE)
        found[n_found++] = 1;
    else if (class == CKO_PRIVATE_KEY && (mock.key_visible || mock.logged_in))
        found[n_found++] = 2;
    return CKR_OK;
}

static CK_RV mock_find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count) {
    (void)session;
    if (mock.endless_objects) {
        objects[0] = 1;
        *count = 1;
        return CKR_OK;
    }
    *count = n_found < max ? n_found : max;
    memcpy(objects, found, *count * sizeof(*objects));
    memmove(found, found + *count, (n_found - *count) * sizeof(*found));
    n_found -= *count;
    return CKR_OK;
}

static CK_RV mock_find_objects_final(CK_SESSION_HANDLE session) {
    (void)session;
    return CKR_OK;
}

static CK_RV give(CK_ATTRIBUTE *attribute, const void *value, CK_ULONG size) {
    if (mock.absurd_attribute) {
        attribute->ulValueLen = mock.absurd_attribute;
        return CKR_OK;
    }
    CK_RV rv = attribute->pValue && attribute->ulValueLen < size ? CKR_BUFFER_TOO_SMALL : CKR_OK;
    if (attribute->pValue && rv == CKR_OK)
        memcpy(attribute->pValue, value, size);
    attribute->ulValueLen = size;
    return rv;
}

static CK_RV give_one(CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attribute) {
    const CK_ULONG x509 = CKC_X_509, rsa = CKK_RSA, certificate_class = CKO_CERTIFICATE, key_class = CKO_PRIVATE_KEY;
    const CK_BBOOL yes = CK_TRUE, always = mock.always_authenticate;

    if (object == 3)
        return CKR_OBJECT_HANDLE_INVALID;
    switch (attribute->type) {
    case CKA_CLASS:
        return give(attribute, object == 2 ? &key_class : &certificate_class, sizeof(key_class));
    case CKA_CERTIFICATE_TYPE:
        return give(attribute, &x509, sizeof(x509));
    case CKA_KEY_TYPE:
        return give(attribute, &rsa, sizeof(rsa));
    case CKA_LABEL:
        return give(attribute, "l\x01\xff", 3);
    case CKA_ID:
        return give(attribute, "\x07", 1);
    case CKA_VALUE:
        if (object == 4)
            return give(attribute, "not a certificate", 17);
        return give(attribute, mock.certificate, mock.certificate_size);
    case CKA_MODULUS:
        return object == 2 ? give(attribute, mock.modulus, mock.modulus_size) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_SIGN:
        return give(attribute, &yes, sizeof(yes));
    case CKA_ALWAYS_AUTHENTICATE:
        return give(attribute, &always, sizeof(always));
    default:
        attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV mock_get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
                                      CK_ULONG count) {
    CK_RV rv = CKR_OK;
    (void)session;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV one = give_one(object, &attributes[i]);
        rv = one != CKR_OK ? one : rv;
    }
    return rv;
}

static CK_RV mock_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    (void)session;
    (void)mechanism;
    (void)key;
    mock.sign_active = true;
    return CKR_OK;
}

static CK_RV mock_sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG data_size, unsigned char *signature,
                       CK_ULONG *size) {
    (void)session;
    (void)data;
    (void)data_size;
    mock.sign_active = false;
    if (mock.sign != CKR_OK)
        return mock.sign;
    memset(signature, 0x5A, 256);
    *size = mock.absurd_signature ? mock.absurd_signature : 256;
    return CKR_OK;
}

static CK_RV mock_set_pin(CK_SESSION_HANDLE session, unsigned char *old, CK_ULONG old_size, unsigned char *new_pin,
                          CK_ULONG new_size) {
    (void)session;
    (void)new_pin;
    (void)new_size;
    return pin_try(old, old_size);
}

static CK_RV mock_init_pin(CK_SESSION_HANDLE session, unsigned char *pin, CK_ULONG size) {
    (void)session;
    (void)pin;
    (void)size;
    return CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    static CK_FUNCTION_LIST functions;
    functions = (CK_FUNCTION_LIST){
        .version = {0xFE, 0x2E}, /* one known module has no number there */
        .C_Initialize = mock_initialize,
        .C_Finalize = mock_finalize,
        .C_GetInfo = mock_get_info,
        .C_GetFunctionList = C_GetFunctionList,
        .C_GetSlotList = mock_get_slot_list,
        .C_GetSlotInfo = mock_get_slot_info,
        .C_GetTokenInfo = mock_get_token_info,
        .C_GetMechanismList = mock_get_mechanism_list,
        .C_GetMechanismInfo = mock_get_mechanism_info,
        .C_OpenSession = mock_open_session,
        .C_CloseSession = mock_close_session,
        .C_GetSessionInfo = mock_get_session_info,
        .C_Login = mock_login,
        .C_Logout = mock_logout,
        .C_FindObjectsInit = mock_find_objects_init,
        .C_FindObjects = mock_find_objects,
        .C_FindObjectsFinal = mock_find_objects_final,
        .C_GetAttributeValue = mock_get_attribute_value,
        .C_SignInit = mock_sign_init,
        .C_Sign = mock.gap ? NULL : mock_sign,
        .C_SetPIN = mock_set_pin,
        .C_InitPIN = mock_init_pin,
    };
    *list = &functions;
    return mock.function_list;
}
