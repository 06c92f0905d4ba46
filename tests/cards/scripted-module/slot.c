/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, tokens and sessions. A slot of the script whose token is absent still shows, as a reader without a card. */
#include "token.h"

#include <string.h>

CK_RV slot_get(CK_SLOT_ID id, SlotScript **ret) {
    if (!module.initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (id >= SLOTS_MAXIMUM || !module.script->slots[id].configured)
        return CKR_SLOT_ID_INVALID;
    *ret = &module.script->slots[id];
    return CKR_OK;
}

CK_RV token_get(CK_SLOT_ID id, SlotScript **ret) {
    SlotScript *slot;
    CK_RV rv = slot_get(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!slot->present)
        return CKR_TOKEN_NOT_PRESENT;
    *ret = slot;
    return CKR_OK;
}

void slot_close(CK_SLOT_ID id) {
    module.logins[id] = LOGIN_NONE;
    for (size_t i = 0; i < SESSIONS_MAXIMUM; i++)
        if (module.sessions[i].open && module.sessions[i].slot == id)
            module.sessions[i] = (Session){0};
}

CK_RV C_GetSlotList(CK_BBOOL with_token, CK_SLOT_ID *list, unsigned long *count) {
    ENTER(NO_SLOT);
    unsigned long found = 0;
    if (!module.initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!count)
        return CKR_ARGUMENTS_BAD;
    for (CK_SLOT_ID i = 0; i < SLOTS_MAXIMUM; i++) {
        const SlotScript *slot = &module.script->slots[i];
        if (!slot->configured || (with_token && !slot->present))
            continue;
        if (list && found < *count)
            list[found] = i;
        found++;
    }
    bool small = list && found > *count;
    *count = module.script->slot_claim ? module.script->slot_claim : found;
    return small ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

CK_RV C_GetSlotInfo(CK_SLOT_ID id, struct _CK_SLOT_INFO *info) {
    ENTER((long)id);
    SlotScript *slot;
    CK_RV rv = slot_get(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    *info = (struct _CK_SLOT_INFO){.flags = CKF_REMOVABLE_DEVICE | CKF_HW_SLOT};
    if (slot->present)
        info->flags |= CKF_TOKEN_PRESENT;
    field_set(info->slotDescription, sizeof(info->slotDescription), &slot->description);
    field_set(info->manufacturerID, sizeof(info->manufacturerID), &slot->manufacturer);
    field_spoil(info->slotDescription, sizeof(info->slotDescription), slot->info);
    field_spoil(info->manufacturerID, sizeof(info->manufacturerID), slot->info);
    return CKR_OK;
}

static CK_FLAGS code_flags(const Code *code, CK_FLAGS low, CK_FLAGS final, CK_FLAGS locked) {
    if (code->tries == 0)
        return locked;
    CK_FLAGS flags = code->tries < code->tries_maximum ? low : 0;
    return code->tries == 1 ? flags | final : flags;
}

CK_FLAGS token_flags_now(const SlotScript *slot) {
    CK_FLAGS flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED;
    if (slot->login_required)
        flags |= CKF_LOGIN_REQUIRED;
    if (slot->protected_path)
        flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    if (slot->flags_given)
        return flags | slot->flags;
    flags |= code_flags(&slot->pin, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED);
    return flags | code_flags(&slot->puk, CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED);
}

static void token_info_huge(struct _CK_TOKEN_INFO *info) {
    info->ulMaxSessionCount = info->ulSessionCount = info->ulMaxRwSessionCount = info->ulRwSessionCount = ~0UL;
    info->ulMaxPinLen = info->ulMinPinLen = ~0UL;
    info->ulTotalPublicMemory = info->ulFreePublicMemory = ~0UL;
    info->ulTotalPrivateMemory = info->ulFreePrivateMemory = ~0UL;
    info->hardwareVersion = info->firmwareVersion = (struct _CK_VERSION){255, 255};
}

static void token_info_fill(const SlotScript *slot, struct _CK_TOKEN_INFO *info) {
    field_set(info->label, sizeof(info->label), &slot->label);
    field_set(info->manufacturerID, sizeof(info->manufacturerID), &slot->manufacturer);
    field_set(info->model, sizeof(info->model), &slot->model);
    field_set(info->serialNumber, sizeof(info->serialNumber), &slot->serial);
    field_spoil(info->label, sizeof(info->label), slot->info);
    field_spoil(info->manufacturerID, sizeof(info->manufacturerID), slot->info);
    field_spoil(info->model, sizeof(info->model), slot->info);
    field_spoil(info->serialNumber, sizeof(info->serialNumber), slot->info);
    field_spoil(info->utcTime, sizeof(info->utcTime), slot->info);
}

CK_RV C_GetTokenInfo(CK_SLOT_ID id, struct _CK_TOKEN_INFO *info) {
    ENTER((long)id);
    SlotScript *slot;
    CK_RV rv = token_get(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    *info = (struct _CK_TOKEN_INFO){.flags = token_flags_now(slot),
                                    .ulMaxSessionCount = SESSIONS_MAXIMUM,
                                    .ulMaxRwSessionCount = SESSIONS_MAXIMUM,
                                    .ulMinPinLen = slot->pin_minimum,
                                    .ulMaxPinLen = slot->pin_maximum,
                                    .ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
                                    .ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
                                    .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
                                    .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION};
    token_info_fill(slot, info);
    if (slot->info == INFO_HUGE || slot->info == INFO_GARBAGE)
        token_info_huge(info);
    return CKR_OK;
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved) {
    ENTER(NO_SLOT);
    (void)slot, (void)reserved;
    return flags & CKF_DONT_BLOCK ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED;
}

CK_RV C_GetMechanismList(CK_SLOT_ID id, CK_MECHANISM_TYPE *list, unsigned long *count) {
    ENTER((long)id);
    SlotScript *slot;
    CK_RV rv = token_get(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!count)
        return CKR_ARGUMENTS_BAD;
    bool small = list && *count < slot->mechanism_count;
    *count = slot->mechanism_count;
    if (small)
        return CKR_BUFFER_TOO_SMALL;
    if (list)
        memcpy(list, slot->mechanisms, slot->mechanism_count * sizeof(*list));
    return CKR_OK;
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID id, CK_MECHANISM_TYPE type, struct _CK_MECHANISM_INFO *info) {
    ENTER((long)id);
    SlotScript *slot;
    CK_RV rv = token_get(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    for (size_t i = 0; i < slot->mechanism_count; i++) {
        if (slot->mechanisms[i] != type)
            continue;
        bool curve = type >= CKM_ECDSA && type <= CKM_ECDSA_SHA512;
        *info = (struct _CK_MECHANISM_INFO){
            .ulMinKeySize = curve ? 256 : 1024, .ulMaxKeySize = curve ? 521 : 4096, .flags = CKF_HW | CKF_SIGN};
        return CKR_OK;
    }
    return CKR_MECHANISM_INVALID;
}

CK_RV C_OpenSession(CK_SLOT_ID id, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *ret) {
    ENTER((long)id);
    SlotScript *slot;
    (void)application, (void)notify;
    CK_RV rv = token_get(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!ret)
        return CKR_ARGUMENTS_BAD;
    if (!(flags & CKF_SERIAL_SESSION))
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    for (size_t i = 0; i < SESSIONS_MAXIMUM; i++) {
        if (module.sessions[i].open)
            continue;
        module.sessions[i] = (Session){.open = true, .slot = id, .writable = flags & CKF_RW_SESSION};
        *ret = i + 1;
        return CKR_OK;
    }
    return CKR_SESSION_COUNT;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle) {
    ENTER_SESSION(handle);
    CK_SLOT_ID slot = session->slot;
    *session = (Session){0};
    for (size_t i = 0; i < SESSIONS_MAXIMUM; i++)
        if (module.sessions[i].open && module.sessions[i].slot == slot)
            return CKR_OK;
    module.logins[slot] = LOGIN_NONE; /* the last session takes the login with it (PKCS#11 v2.40, 5.6) */
    return CKR_OK;
}

CK_RV C_CloseAllSessions(CK_SLOT_ID id) {
    ENTER((long)id);
    SlotScript *slot;
    CK_RV rv = slot_get(id, &slot);
    if (rv == CKR_OK)
        slot_close(id);
    return rv;
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, struct _CK_SESSION_INFO *info) {
    ENTER_SESSION(handle);
    if (!info)
        return CKR_ARGUMENTS_BAD;
    Login login = module.logins[session->slot];
    CK_STATE state = session->writable ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
    if (login == LOGIN_USER)
        state = session->writable ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    else if (login == LOGIN_OFFICER)
        state = CKS_RW_SO_FUNCTIONS;
    *info = (struct _CK_SESSION_INFO){.slotID = session->slot,
                                      .state = state,
                                      .flags = CKF_SERIAL_SESSION | (session->writable ? CKF_RW_SESSION : 0)};
    return CKR_OK;
}
