/* SPDX-License-Identifier: Apache-2.0 */
/* Names are written as in the specification; values that are missing here are given as numbers. */
#include "names.h"

#define CRYPTOKI_COMPAT 1
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>

#define NAME(value)                                                                                                    \
    { #value, value }

const Name return_values[] = {
    NAME(CKR_OK),
    NAME(CKR_CANCEL),
    NAME(CKR_HOST_MEMORY),
    NAME(CKR_SLOT_ID_INVALID),
    NAME(CKR_GENERAL_ERROR),
    NAME(CKR_FUNCTION_FAILED),
    NAME(CKR_ARGUMENTS_BAD),
    NAME(CKR_ATTRIBUTE_TYPE_INVALID),
    NAME(CKR_ATTRIBUTE_SENSITIVE),
    NAME(CKR_DATA_INVALID),
    NAME(CKR_DATA_LEN_RANGE),
    NAME(CKR_DEVICE_ERROR),
    NAME(CKR_DEVICE_MEMORY),
    NAME(CKR_DEVICE_REMOVED),
    NAME(CKR_FUNCTION_CANCELED),
    NAME(CKR_FUNCTION_NOT_SUPPORTED),
    NAME(CKR_KEY_HANDLE_INVALID),
    NAME(CKR_KEY_TYPE_INCONSISTENT),
    NAME(CKR_KEY_FUNCTION_NOT_PERMITTED),
    NAME(CKR_MECHANISM_INVALID),
    NAME(CKR_MECHANISM_PARAM_INVALID),
    NAME(CKR_OBJECT_HANDLE_INVALID),
    NAME(CKR_OPERATION_ACTIVE),
    NAME(CKR_OPERATION_NOT_INITIALIZED),
    NAME(CKR_PIN_INCORRECT),
    NAME(CKR_PIN_INVALID),
    NAME(CKR_PIN_LEN_RANGE),
    NAME(CKR_PIN_EXPIRED),
    NAME(CKR_PIN_LOCKED),
    NAME(CKR_SESSION_CLOSED),
    NAME(CKR_SESSION_COUNT),
    NAME(CKR_SESSION_HANDLE_INVALID),
    NAME(CKR_SIGNATURE_INVALID),
    NAME(CKR_TOKEN_NOT_PRESENT),
    NAME(CKR_TOKEN_NOT_RECOGNIZED),
    NAME(CKR_USER_ALREADY_LOGGED_IN),
    NAME(CKR_USER_NOT_LOGGED_IN),
    NAME(CKR_USER_PIN_NOT_INITIALIZED),
    NAME(CKR_USER_TYPE_INVALID),
    NAME(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
    NAME(CKR_BUFFER_TOO_SMALL),
    NAME(CKR_CRYPTOKI_NOT_INITIALIZED),
    NAME(CKR_CRYPTOKI_ALREADY_INITIALIZED),
    NAME(CKR_VENDOR_DEFINED),
    {0},
};

const Name token_flags[] = {
    {"LOGIN_REQUIRED", CKF_LOGIN_REQUIRED},
    {"PROTECTED_AUTHENTICATION_PATH", CKF_PROTECTED_AUTHENTICATION_PATH},
    {"WRITE_PROTECTED", CKF_WRITE_PROTECTED},
    {"USER_PIN_COUNT_LOW", CKF_USER_PIN_COUNT_LOW},
    {"USER_PIN_FINAL_TRY", CKF_USER_PIN_FINAL_TRY},
    {"USER_PIN_LOCKED", CKF_USER_PIN_LOCKED},
    {"USER_PIN_TO_BE_CHANGED", CKF_USER_PIN_TO_BE_CHANGED},
    {"SO_PIN_COUNT_LOW", CKF_SO_PIN_COUNT_LOW},
    {"SO_PIN_FINAL_TRY", CKF_SO_PIN_FINAL_TRY},
    {"SO_PIN_LOCKED", CKF_SO_PIN_LOCKED},
    {"none", 0},
    {0},
};

const Name mechanism_names[] = {
    NAME(CKM_RSA_PKCS),        NAME(CKM_RSA_X_509),
    NAME(CKM_RSA_PKCS_PSS),    NAME(CKM_SHA256_RSA_PKCS),
    NAME(CKM_SHA384_RSA_PKCS), NAME(CKM_SHA512_RSA_PKCS),
    NAME(CKM_ECDSA),           NAME(CKM_ECDSA_SHA256),
    NAME(CKM_ECDSA_SHA384),    {0},
};

bool name_value(const Name *table, const char *name, unsigned long *ret) {
    for (; table->name; table++) {
        if (strcmp(table->name, name) != 0)
            continue;
        *ret = table->value;
        return true;
    }
    char *end;
    unsigned long number = strtoul(name, &end, 0);
    if (end == name || *end || *name == '-')
        return false;
    *ret = number;
    return true;
}
