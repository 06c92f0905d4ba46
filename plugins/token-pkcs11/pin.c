/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wrong PIN costs one of three tries, so everything that can be known beforehand is checked before C_Login: that
 * the PIN has a length the token accepts, that it is not locked, that this is not the last try. PKCS#11 tells no number
 * of tries, only flags; after a refusal they are read again.
 */
#include <string.h>

#include "session.h"

int pin_check_format(const Pkcs11 *c, const Token *token, const EonaySecret *secret) {
    size_t min, max;

    token_pin_limits(token, &min, &max);
    if (secret->size == 0 || memchr(secret->bytes, '\0', secret->size))
        return fault_text(c, EONAY_ERROR_PIN_FORMAT, "the PIN is empty or has a NUL in it");
    if (secret->size < min)
        return fault_text(c, EONAY_ERROR_PIN_FORMAT, "the PIN is shorter than the token allows");
    if (max != 0 && secret->size > max)
        return fault_text(c, EONAY_ERROR_PIN_FORMAT, "the PIN is longer than the token allows");
    return 0;
}

int pin_check_tries(const Pkcs11 *c, const Token *token, bool allow_final_try) {
    int left = token_tries_left(token);

    if (left == 0)
        return c->host->fault(c->host, EONAY_ERROR_PIN_LOCKED, 0, 0, "the token says that its PIN is locked");
    if (left == 1 && !allow_final_try)
        return c->host->fault(c->host, EONAY_ERROR_PIN_FINAL_TRY, 1, 0, "the token says that one try is left");
    return 0;
}

CK_RV pin_login(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_USER_TYPE user, const EonaySecret *secret) {
    unsigned char *pin = secret ? (unsigned char *)(uintptr_t)secret->bytes : NULL;
    CK_ULONG size = secret ? secret->size : 0;

    CK_RV rv = c->f->C_Login(session, user, pin, size);
    if (user == CKU_CONTEXT_SPECIFIC || (rv != CKR_USER_ALREADY_LOGGED_IN && rv != CKR_USER_ANOTHER_ALREADY_LOGGED_IN))
        return rv;
    /* A login left over from before: the PIN has not been looked at, so that asking again spends no second try. */
    c->f->C_Logout(session);
    return c->f->C_Login(session, user, pin, size);
}

int pin_fault(const Pkcs11 *c, const char *what, CK_RV rv, CK_SLOT_ID slot) {
    Token token = {.slot = slot};
    int left = -1;

    if (rv == CKR_PIN_LOCKED)
        left = 0;
    else if (rv == CKR_PIN_INCORRECT && token_refresh(c, &token) == CKR_OK)
        left = token_tries_left(&token);
    return fault_ckr(c, what, rv, left);
}
