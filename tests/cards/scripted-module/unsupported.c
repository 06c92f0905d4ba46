/* SPDX-License-Identifier: Apache-2.0 */
/* What a signature card's module does not do. The functions exist, as PKCS#11 requires, pass the gate as all do (so
 * that faults can be laid on them) and say that they are not supported. And the list of all functions. */
#include "token.h"

#define UNSUPPORTED(name, arguments)                                                                                   \
    CK_RV name arguments {                                                                                             \
        ENTER(NO_SLOT);                                                                                                \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                             \
    }

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define SESSION   CK_SESSION_HANDLE session
#define OBJECT    CK_OBJECT_HANDLE
#define MECHANISM struct _CK_MECHANISM *
#define TEMPLATE  struct _CK_ATTRIBUTE *
#define BYTES     unsigned char *
#define NUMBER    unsigned long
#define LENGTH    unsigned long *

UNSUPPORTED(C_GetOperationState, (SESSION, BYTES a, LENGTH b))
UNSUPPORTED(C_SetOperationState, (SESSION, BYTES a, NUMBER b, OBJECT c, OBJECT d))
UNSUPPORTED(C_CreateObject, (SESSION, TEMPLATE a, NUMBER b, OBJECT *c))
UNSUPPORTED(C_CopyObject, (SESSION, OBJECT a, TEMPLATE b, NUMBER c, OBJECT *d))
UNSUPPORTED(C_DestroyObject, (SESSION, OBJECT a))
UNSUPPORTED(C_GetObjectSize, (SESSION, OBJECT a, LENGTH b))
UNSUPPORTED(C_SetAttributeValue, (SESSION, OBJECT a, TEMPLATE b, NUMBER c))
UNSUPPORTED(C_EncryptInit, (SESSION, MECHANISM a, OBJECT b))
UNSUPPORTED(C_Encrypt, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_EncryptUpdate, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_EncryptFinal, (SESSION, BYTES a, LENGTH b))
UNSUPPORTED(C_DecryptInit, (SESSION, MECHANISM a, OBJECT b))
UNSUPPORTED(C_Decrypt, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_DecryptUpdate, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_DecryptFinal, (SESSION, BYTES a, LENGTH b))
UNSUPPORTED(C_DigestInit, (SESSION, MECHANISM a))
UNSUPPORTED(C_Digest, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_DigestUpdate, (SESSION, BYTES a, NUMBER b))
UNSUPPORTED(C_DigestKey, (SESSION, OBJECT a))
UNSUPPORTED(C_DigestFinal, (SESSION, BYTES a, LENGTH b))
UNSUPPORTED(C_SignRecoverInit, (SESSION, MECHANISM a, OBJECT b))
UNSUPPORTED(C_SignRecover, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_VerifyInit, (SESSION, MECHANISM a, OBJECT b))
UNSUPPORTED(C_Verify, (SESSION, BYTES a, NUMBER b, BYTES c, NUMBER d))
UNSUPPORTED(C_VerifyUpdate, (SESSION, BYTES a, NUMBER b))
UNSUPPORTED(C_VerifyFinal, (SESSION, BYTES a, NUMBER b))
UNSUPPORTED(C_VerifyRecoverInit, (SESSION, MECHANISM a, OBJECT b))
UNSUPPORTED(C_VerifyRecover, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_DigestEncryptUpdate, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_DecryptDigestUpdate, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_SignEncryptUpdate, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_DecryptVerifyUpdate, (SESSION, BYTES a, NUMBER b, BYTES c, LENGTH d))
UNSUPPORTED(C_GenerateKey, (SESSION, MECHANISM a, TEMPLATE b, NUMBER c, OBJECT *d))
UNSUPPORTED(C_GenerateKeyPair, (SESSION, MECHANISM a, TEMPLATE b, NUMBER c, TEMPLATE d, NUMBER e, OBJECT *f, OBJECT *g))
UNSUPPORTED(C_WrapKey, (SESSION, MECHANISM a, OBJECT b, OBJECT c, BYTES d, LENGTH e))
UNSUPPORTED(C_UnwrapKey, (SESSION, MECHANISM a, OBJECT b, BYTES c, NUMBER d, TEMPLATE e, NUMBER f, OBJECT *g))
UNSUPPORTED(C_DeriveKey, (SESSION, MECHANISM a, OBJECT b, TEMPLATE c, NUMBER d, OBJECT *e))
UNSUPPORTED(C_SeedRandom, (SESSION, BYTES a, NUMBER b))
UNSUPPORTED(C_GenerateRandom, (SESSION, BYTES a, NUMBER b))
UNSUPPORTED(C_GetFunctionStatus, (SESSION))
UNSUPPORTED(C_CancelFunction, (SESSION))

CK_RV C_InitToken(CK_SLOT_ID id, unsigned char *pin, unsigned long size, unsigned char *label) {
    (void)pin, (void)size, (void)label;
    ENTER((long)id);
    return CKR_FUNCTION_NOT_SUPPORTED;
}

#define ENTRY(name) .name = name

static struct _CK_FUNCTION_LIST function_list = {
    .version = {2, 40},
    ENTRY(C_Initialize),
    ENTRY(C_Finalize),
    ENTRY(C_GetInfo),
    ENTRY(C_GetFunctionList),
    ENTRY(C_GetSlotList),
    ENTRY(C_GetSlotInfo),
    ENTRY(C_GetTokenInfo),
    ENTRY(C_WaitForSlotEvent),
    ENTRY(C_GetMechanismList),
    ENTRY(C_GetMechanismInfo),
    ENTRY(C_InitToken),
    ENTRY(C_InitPIN),
    ENTRY(C_SetPIN),
    ENTRY(C_OpenSession),
    ENTRY(C_CloseSession),
    ENTRY(C_CloseAllSessions),
    ENTRY(C_GetSessionInfo),
    ENTRY(C_GetOperationState),
    ENTRY(C_SetOperationState),
    ENTRY(C_Login),
    ENTRY(C_Logout),
    ENTRY(C_CreateObject),
    ENTRY(C_CopyObject),
    ENTRY(C_DestroyObject),
    ENTRY(C_GetObjectSize),
    ENTRY(C_GetAttributeValue),
    ENTRY(C_SetAttributeValue),
    ENTRY(C_FindObjectsInit),
    ENTRY(C_FindObjects),
    ENTRY(C_FindObjectsFinal),
    ENTRY(C_EncryptInit),
    ENTRY(C_Encrypt),
    ENTRY(C_EncryptUpdate),
    ENTRY(C_EncryptFinal),
    ENTRY(C_DecryptInit),
    ENTRY(C_Decrypt),
    ENTRY(C_DecryptUpdate),
    ENTRY(C_DecryptFinal),
    ENTRY(C_DigestInit),
    ENTRY(C_Digest),
    ENTRY(C_DigestUpdate),
    ENTRY(C_DigestKey),
    ENTRY(C_DigestFinal),
    ENTRY(C_SignInit),
    ENTRY(C_Sign),
    ENTRY(C_SignUpdate),
    ENTRY(C_SignFinal),
    ENTRY(C_SignRecoverInit),
    ENTRY(C_SignRecover),
    ENTRY(C_VerifyInit),
    ENTRY(C_Verify),
    ENTRY(C_VerifyUpdate),
    ENTRY(C_VerifyFinal),
    ENTRY(C_VerifyRecoverInit),
    ENTRY(C_VerifyRecover),
    ENTRY(C_DigestEncryptUpdate),
    ENTRY(C_DecryptDigestUpdate),
    ENTRY(C_SignEncryptUpdate),
    ENTRY(C_DecryptVerifyUpdate),
    ENTRY(C_GenerateKey),
    ENTRY(C_GenerateKeyPair),
    ENTRY(C_WrapKey),
    ENTRY(C_UnwrapKey),
    ENTRY(C_DeriveKey),
    ENTRY(C_SeedRandom),
    ENTRY(C_GenerateRandom),
    ENTRY(C_GetFunctionStatus),
    ENTRY(C_CancelFunction),
};

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(struct _CK_FUNCTION_LIST **ret) {
    ENTER(NO_SLOT);
    if (!ret)
        return CKR_ARGUMENTS_BAD;
    *ret = &function_list;
    return CKR_OK;
}
