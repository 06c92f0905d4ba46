/* SPDX-License-Identifier: Apache-2.0 */
/* PIN and PUK: the PUK is the security officer's PIN. The counter goes down before the comparison, as on a card. */
#include "fault.h"
#include "token.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One line a slot: number, PIN tries, PUK tries. */
void state_load(Script *script) {
    FILE *file = *script->state ? fopen(script->state, "re") : NULL;
    unsigned slot, pin, puk;
    if (!file)
        return;
    while (fscanf(file, "%u %u %u\n", &slot, &pin, &puk) == 3) {
        if (slot >= SLOTS_MAXIMUM)
            break;
        script->slots[slot].pin.tries = pin;
        script->slots[slot].puk.tries = puk;
    }
    fclose(file);
}

/* In a confined process nothing may be written; the counters then live as long as the process. */
void state_save(const Script *script) {
    FILE *file = *script->state ? fopen(script->state, "we") : NULL;
    if (!file)
        return;
    for (unsigned i = 0; i < SLOTS_MAXIMUM; i++)
        if (script->slots[i].configured)
            fprintf(file, "%u %u %u\n", i, script->slots[i].pin.tries, script->slots[i].puk.tries);
    fclose(file);
}

static CK_RV code_check(const SlotScript *slot, Code *code, const unsigned char *given, unsigned long size) {
    if (code->tries == 0)
        return CKR_PIN_LOCKED;
    if (size < slot->pin_minimum || size > slot->pin_maximum)
        return CKR_PIN_LEN_RANGE;
    code->tries--;
    bool same = size == strlen(code->value) && memcmp(given, code->value, size) == 0;
    if (same)
        code->tries = code->tries_maximum;
    state_save(module.script);
    if (same)
        return CKR_OK;
    return code->tries == 0 && slot->lock_at_once ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
}

/* The reader's own keypad, or the phone: somebody types there, or does not. */
static CK_RV code_protected(SlotScript *slot, Code *code) {
    static const FaultScript hang = {.action = "hang"};
    if (slot->protected_answer == PROTECTED_HANG)
        return fault_perform(&hang);
    fault_delay(slot->protected_delay);
    switch (slot->protected_answer) {
    case PROTECTED_ACCEPT:
        return code_check(slot, code, (unsigned char *)code->value, strlen(code->value));
    case PROTECTED_WRONG:
        return code_check(slot, code, (const unsigned char *)"----", slot->pin_minimum < 4 ? 4 : slot->pin_minimum);
    case PROTECTED_CANCEL:
        return CKR_FUNCTION_CANCELED;
    default:
        return CKR_FUNCTION_FAILED;
    }
}

static CK_RV code_given(SlotScript *slot, Code *code, const unsigned char *pin, unsigned long size) {
    if (slot->protected_path)
        return pin ? CKR_ARGUMENTS_BAD : code_protected(slot, code);
    return pin ? code_check(slot, code, pin, size) : CKR_ARGUMENTS_BAD;
}

static CK_RV login_context(Session *session, SlotScript *slot, const unsigned char *pin, unsigned long size) {
    if (!session->signing || !session->signing->always_authenticate)
        return CKR_OPERATION_NOT_INITIALIZED;
    CK_RV rv = code_given(slot, &slot->pin, pin, size);
    session->confirmed = rv == CKR_OK;
    return rv;
}

CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char *pin, unsigned long size) {
    ENTER_SESSION(handle);
    SlotScript *slot;
    CK_RV rv = token_get(session->slot, &slot);
    if (rv != CKR_OK)
        return rv;
    Login *login = &module.logins[session->slot], wanted = user == CKU_SO ? LOGIN_OFFICER : LOGIN_USER;
    if (user == CKU_CONTEXT_SPECIFIC)
        return login_context(session, slot, pin, size);
    if (user != CKU_SO && user != CKU_USER)
        return CKR_USER_TYPE_INVALID;
    if (*login != LOGIN_NONE)
        return *login == wanted ? CKR_USER_ALREADY_LOGGED_IN : CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    if (user == CKU_SO && !session->writable)
        return CKR_SESSION_READ_ONLY_EXISTS;
    rv = code_given(slot, user == CKU_SO ? &slot->puk : &slot->pin, pin, size);
    if (rv == CKR_OK)
        *login = wanted;
    return rv;
}

CK_RV C_Logout(CK_SESSION_HANDLE handle) {
    ENTER_SESSION(handle);
    if (module.logins[session->slot] == LOGIN_NONE)
        return CKR_USER_NOT_LOGGED_IN;
    module.logins[session->slot] = LOGIN_NONE;
    return CKR_OK;
}

static CK_RV code_replace(const SlotScript *slot, Code *code, const unsigned char *new, unsigned long size) {
    if (!new || size < slot->pin_minimum || size > slot->pin_maximum || size >= CODE_MAXIMUM)
        return CKR_PIN_LEN_RANGE;
    memcpy(code->value, new, size);
    code->value[size] = '\0';
    code->tries = code->tries_maximum;
    state_save(module.script);
    return CKR_OK;
}

CK_RV C_InitPIN(CK_SESSION_HANDLE handle, unsigned char *pin, unsigned long size) {
    ENTER_SESSION(handle);
    SlotScript *slot;
    CK_RV rv = token_get(session->slot, &slot);
    if (rv != CKR_OK)
        return rv;
    if (module.logins[session->slot] != LOGIN_OFFICER)
        return CKR_USER_NOT_LOGGED_IN;
    return code_replace(slot, &slot->pin, pin, size);
}

CK_RV C_SetPIN(CK_SESSION_HANDLE handle, unsigned char *old, unsigned long old_size, unsigned char *new,
               unsigned long new_size) {
    ENTER_SESSION(handle);
    SlotScript *slot;
    CK_RV rv = token_get(session->slot, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!session->writable)
        return CKR_SESSION_READ_ONLY;
    Code *code = module.logins[session->slot] == LOGIN_OFFICER ? &slot->puk : &slot->pin;
    if (slot->protected_path && !old && !new)
        return code_protected(slot, code);
    if (new_size < slot->pin_minimum || new_size > slot->pin_maximum)
        return CKR_PIN_LEN_RANGE;
    rv = code_given(slot, code, old, old_size);
    return rv == CKR_OK ? code_replace(slot, code, new, new_size) : rv;
}
