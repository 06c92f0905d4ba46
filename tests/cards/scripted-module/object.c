/* SPDX-License-Identifier: Apache-2.0 */
/* Three objects a key: certificate, public key, private key. The handle is the key's number times three, plus the kind,
 * plus one. Attributes are made when asked for. */
#include "token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_MAXIMUM = 16384 };

typedef struct Value {
    unsigned char data[VALUE_MAXIMUM];
    size_t size;
} Value;

static CK_OBJECT_HANDLE handle_of(size_t key, ObjectKind kind) {
    return key * OBJECT_KINDS + kind + 1;
}

static bool object_visible(const KeyScript *key, ObjectKind kind) {
    if (kind == OBJECT_CERTIFICATE)
        return key->certificate;
    if (!key->key)
        return false;
    if (kind == OBJECT_PUBLIC || key->private_visible)
        return true;
    return module.logins[key->slot] == LOGIN_USER || !module.script->slots[key->slot].login_required;
}

KeyScript *object_key(const Session *session, CK_OBJECT_HANDLE handle, ObjectKind *ret_kind) {
    size_t index = (handle - 1) / OBJECT_KINDS;
    ObjectKind kind = (ObjectKind)((handle - 1) % OBJECT_KINDS);
    if (handle == 0 || index >= module.script->key_count)
        return NULL;
    KeyScript *key = &module.script->keys[index];
    if (key->slot != session->slot || !object_visible(key, kind))
        return NULL;
    *ret_kind = kind;
    return key;
}

static CK_RV value_bytes(Value *value, const void *data, size_t size) {
    if (size > VALUE_MAXIMUM)
        return CKR_DEVICE_MEMORY;
    if (size > 0)
        memcpy(value->data, data, size);
    value->size = size;
    return CKR_OK;
}

static CK_RV value_number(Value *value, unsigned long number) {
    return value_bytes(value, &number, sizeof(number));
}

static CK_RV value_boolean(Value *value, bool on) {
    CK_BBOOL boolean = on ? CK_TRUE : CK_FALSE;
    return value_bytes(value, &boolean, sizeof(boolean));
}

/* An i2d function's answer. */
#define VALUE_DER(value, call)                                                                                         \
    ({                                                                                                                 \
        unsigned char *der_ = NULL;                                                                                    \
        int size_ = (call);                                                                                            \
        CK_RV rv_ = size_ < 0 ? CKR_DEVICE_ERROR : value_bytes(value, der_, (size_t)size_);                            \
        OPENSSL_free(der_);                                                                                            \
        rv_;                                                                                                           \
    })

static CK_RV serial_value(const KeyScript *key, Value *value) {
    const ASN1_INTEGER *serial = X509_get0_serialNumber(key->certificate);
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *text = NULL;
    CK_RV rv = CKR_ATTRIBUTE_TYPE_INVALID;
    if (key->serial == SERIAL_DER)
        rv = VALUE_DER(value, i2d_ASN1_INTEGER((ASN1_INTEGER *)serial, &der_));
    else if (key->serial == SERIAL_RAW)
        rv = value_bytes(value, ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
    else if (key->serial != SERIAL_ABSENT) {
        text = key->serial == SERIAL_HEX ? BN_bn2hex(number) : BN_bn2dec(number);
        rv = text ? value_bytes(value, text, strlen(text)) : CKR_DEVICE_ERROR;
    }
    OPENSSL_free(text);
    BN_free(number);
    return rv;
}

static CK_RV certificate_value(const KeyScript *key, CK_ATTRIBUTE_TYPE type, Value *value) {
    switch (type) {
    case CKA_CERTIFICATE_TYPE:
        return value_number(value, CKC_X_509);
    case CKA_VALUE:
        return VALUE_DER(value, i2d_X509(key->certificate, &der_));
    case CKA_SUBJECT:
        return VALUE_DER(value, i2d_X509_NAME(X509_get_subject_name(key->certificate), &der_));
    case CKA_ISSUER:
        return VALUE_DER(value, i2d_X509_NAME(X509_get_issuer_name(key->certificate), &der_));
    case CKA_SERIAL_NUMBER:
        return serial_value(key, value);
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV rsa_value(const KeyScript *key, const char *name, Value *value) {
    BIGNUM *number = NULL;
    if (!EVP_PKEY_get_bn_param(key->key, name, &number))
        return CKR_ATTRIBUTE_TYPE_INVALID;
    value->size = (size_t)BN_bn2bin(number, value->data);
    BN_free(number);
    return CKR_OK;
}

static CK_RV curve_parameters(const KeyScript *key, Value *value) {
    char group[64];
    if (!EVP_PKEY_get_group_name(key->key, group, sizeof(group), NULL))
        return CKR_ATTRIBUTE_TYPE_INVALID;
    return VALUE_DER(value, i2d_ASN1_OBJECT(OBJ_nid2obj(OBJ_txt2nid(group)), &der_));
}

/* The point inside an OCTET STRING, as the specification asks. */
static CK_RV curve_point(const KeyScript *key, Value *value) {
    unsigned char *point = NULL;
    size_t size = EVP_PKEY_get1_encoded_public_key(key->key, &point);
    if (size == 0)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(string, point, (int)size);
    CK_RV rv = VALUE_DER(value, i2d_ASN1_OCTET_STRING(string, &der_));
    ASN1_OCTET_STRING_free(string);
    OPENSSL_free(point);
    return rv;
}

static CK_RV key_value(const KeyScript *key, CK_ATTRIBUTE_TYPE type, bool private, Value *value) {
    bool rsa = EVP_PKEY_is_a(key->key, "RSA");
    switch (type) {
    case CKA_KEY_TYPE:
        return value_number(value, rsa ? CKK_RSA : CKK_EC);
    case CKA_SIGN:
        return value_boolean(value, private && key->can_sign);
    case CKA_VERIFY:
        return value_boolean(value, !private);
    case CKA_DECRYPT:
    case CKA_ENCRYPT:
    case CKA_DERIVE:
    case CKA_EXTRACTABLE:
        return value_boolean(value, false);
    case CKA_SENSITIVE:
        return value_boolean(value, private);
    case CKA_ALWAYS_AUTHENTICATE:
        return private ? value_boolean(value, key->always_authenticate) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_MODULUS:
        return rsa ? rsa_value(key, OSSL_PKEY_PARAM_RSA_N, value) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_PUBLIC_EXPONENT:
        return rsa ? rsa_value(key, OSSL_PKEY_PARAM_RSA_E, value) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_MODULUS_BITS:
        return rsa ? value_number(value, (unsigned long)EVP_PKEY_get_bits(key->key)) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_EC_PARAMS:
        return rsa ? CKR_ATTRIBUTE_TYPE_INVALID : curve_parameters(key, value);
    case CKA_EC_POINT:
        return rsa || private ? CKR_ATTRIBUTE_TYPE_INVALID : curve_point(key, value);
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV object_value(const KeyScript *key, ObjectKind kind, CK_ATTRIBUTE_TYPE type, Value *value) {
    static const CK_OBJECT_CLASS classes[] = {CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY};
    value->size = 0;
    switch (type) {
    case CKA_CLASS:
        return value_number(value, classes[kind]);
    case CKA_TOKEN:
        return value_boolean(value, true);
    case CKA_PRIVATE:
        return value_boolean(value, kind == OBJECT_PRIVATE);
    case CKA_MODIFIABLE:
        return value_boolean(value, false);
    case CKA_LABEL:
        return value_bytes(value, key->label.data, key->label.size);
    case CKA_ID:
        return kind == OBJECT_PRIVATE ? value_bytes(value, key->private_id, key->private_id_size)
                                      : value_bytes(value, key->id, key->id_size);
    default:
        return kind == OBJECT_CERTIFICATE ? certificate_value(key, type, value)
                                          : key_value(key, type, kind == OBJECT_PRIVATE, value);
    }
}

static bool object_matches(const KeyScript *key, ObjectKind kind, const struct _CK_ATTRIBUTE *wanted,
                           unsigned long count) {
    static Value value; /* under the module's lock */
    for (unsigned long i = 0; i < count; i++) {
        if (object_value(key, kind, wanted[i].type, &value) != CKR_OK || value.size != wanted[i].ulValueLen)
            return false;
        if (value.size > 0 && memcmp(value.data, wanted[i].pValue, value.size) != 0)
            return false;
    }
    return true;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, struct _CK_ATTRIBUTE *wanted, unsigned long count) {
    ENTER_SESSION(handle);
    if (session->finding)
        return CKR_OPERATION_ACTIVE;
    session->finding = true;
    session->found_count = session->found_at = 0;
    for (size_t i = 0; i < module.script->key_count; i++) {
        const KeyScript *key = &module.script->keys[i];
        for (int kind = 0; kind < OBJECT_KINDS; kind++)
            if (key->slot == session->slot && object_visible(key, (ObjectKind)kind) &&
                object_matches(key, (ObjectKind)kind, wanted, count))
                session->found[session->found_count++] = handle_of(i, (ObjectKind)kind);
    }
    return CKR_OK;
}

CK_RV C_FindObjects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE *list, unsigned long room, unsigned long *count) {
    ENTER_SESSION(handle);
    if (!session->finding)
        return CKR_OPERATION_NOT_INITIALIZED;
    if (!list || !count)
        return CKR_ARGUMENTS_BAD;
    for (*count = 0; *count < room && session->found_at < session->found_count; (*count)++)
        list[*count] = session->found[session->found_at++];
    return CKR_OK;
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle) {
    ENTER_SESSION(handle);
    if (!session->finding)
        return CKR_OPERATION_NOT_INITIALIZED;
    session->finding = false;
    return CKR_OK;
}

static CK_RV attribute_give(const Value *value, unsigned long claimed, struct _CK_ATTRIBUTE *attribute) {
    unsigned long claim = attribute->type == CKA_VALUE ? claimed : 0;
    unsigned long room = attribute->ulValueLen;
    attribute->ulValueLen = claim ? claim : value->size;
    if (!attribute->pValue)
        return CKR_OK;
    if (room < value->size) {
        attribute->ulValueLen = (unsigned long)-1;
        return CKR_BUFFER_TOO_SMALL;
    }
    if (value->size > 0)
        memcpy(attribute->pValue, value->data, value->size);
    return CKR_OK;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, struct _CK_ATTRIBUTE *list,
                          unsigned long count) {
    static Value value; /* under the module's lock */
    ENTER_SESSION(handle);
    ObjectKind kind;
    const KeyScript *key = object_key(session, object, &kind);
    CK_RV worst = CKR_OK;
    if (!key)
        return CKR_OBJECT_HANDLE_INVALID;
    for (unsigned long i = 0; i < count; i++) {
        CK_RV rv = object_value(key, kind, list[i].type, &value);
        if (rv == CKR_OK)
            rv = attribute_give(&value, module.script->slots[key->slot].claim, &list[i]);
        else
            list[i].ulValueLen = (unsigned long)-1;
        if (rv != CKR_OK)
            worst = rv;
    }
    return worst;
}
