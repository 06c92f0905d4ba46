/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session, from login() to logout(): opened for it and closed with it, so that a card pulled out in between leaves
 * nothing behind but a session that fails with TOKEN_REMOVED. All of it goes through the module's own functions; libp11
 * would copy the PIN.
 */
#include "session.h"

#include <string.h>

static int login_check_secret(const Pkcs11 *c, const Token *token, const EonaySecret *secret) {
    bool pinpad = token_has_pinpad(c, token);

    if (pinpad)
        return secret ? fault_text(c, EONAY_ERROR_PIN_PAD_REQUIRED, "the token takes its PIN from the reader") : 0;
    if (!secret)
        return fault_text(c, EONAY_ERROR_PIN_REQUIRED, "the token's reader has no keypad");
    return pin_check_format(c, token, secret);
}

int session_login(Pkcs11 *c, const EonayLogin *login) {
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    Token token;

    session_logout(c);
    int r = token_find(c, login->token, &token);
    if (r == 0)
        r = login_check_secret(c, &token, login->secret);
    if (r == 0)
        r = pin_check_tries(c, &token, (login->flags & EONAY_LOGIN_ALLOW_FINAL_TRY) != 0);
    if (r != 0)
        return r;

    CK_RV rv = c->f->C_OpenSession(token.slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return fault_ckr(c, "C_OpenSession", rv, -1);
    rv = pin_login(c, session, CKU_USER, login->secret);
    if (rv != CKR_OK) {
        c->f->C_CloseSession(session);
        return pin_fault(c, "C_Login", rv, token.slot);
    }
    c->logged_in = true;
    c->session = session;
    c->session_slot = token.slot;
    c->session_pinpad = token_has_pinpad(c, &token);
    memcpy(c->session_token, token.key, sizeof(c->session_token));
    return 0;
}

void session_logout(Pkcs11 *c) {
    if (!c->logged_in)
        return;
    c->f->C_Logout(c->session);
    c->f->C_CloseSession(c->session);
    c->logged_in = false;
    c->session = CK_INVALID_HANDLE;
}

void session_renew(Pkcs11 *c) {
    CK_SESSION_HANDLE fresh = CK_INVALID_HANDLE;

    if (c->f->C_OpenSession(c->session_slot, CKF_SERIAL_SESSION, NULL, NULL, &fresh) != CKR_OK) {
        session_logout(c);
        return;
    }
    c->f->C_CloseSession(c->session);
    c->session = fresh;
}

/* A session that can write, for the PIN operations; it ends any login. */
static int session_open_rw(Pkcs11 *c, const char *key, Token *token, CK_SESSION_HANDLE *ret) {
    session_logout(c);
    int r = token_find(c, key, token);
    if (r != 0)
        return r;
    CK_RV rv = c->f->C_OpenSession(token->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, ret);
    return rv == CKR_OK ? 0 : fault_ckr(c, "C_OpenSession", rv, -1);
}

static int pins_check(const Pkcs11 *c, const Token *token, const EonaySecret *old_pin, const EonaySecret *new_pin) {
    if (token_has_pinpad(c, token))
        return fault_text(c, EONAY_ERROR_PIN_PAD_REQUIRED, "the PIN of this token is changed on its reader");
    if (!old_pin || !new_pin)
        return fault_text(c, EONAY_ERROR_PIN_REQUIRED, "both the old and the new one are needed");
    return pin_check_format(c, token, new_pin);
}

int session_change_pin(Pkcs11 *c, const char *key, const EonaySecret *old_pin, const EonaySecret *new_pin) {
    CK_SESSION_HANDLE session;
    Token token;

    int r = session_open_rw(c, key, &token, &session);
    if (r != 0)
        return r;
    r = pins_check(c, &token, old_pin, new_pin);
    if (r == 0)
        r = pin_check_format(c, &token, old_pin);
    if (r == 0)
        r = pin_check_tries(c, &token, false);
    if (r == 0) {
        CK_RV rv = c->f->C_SetPIN(session, (unsigned char *)(uintptr_t)old_pin->bytes, old_pin->size,
                                  (unsigned char *)(uintptr_t)new_pin->bytes, new_pin->size);
        if (rv != CKR_OK)
            r = pin_fault(c, "C_SetPIN", rv, token.slot);
    }
    c->f->C_CloseSession(session);
    return r;
}

/* The authority's one-time code has 15 digits, perhaps in groups; typed as a PUK it would burn a try of the PUK. */
static bool looks_like_code(const EonaySecret *secret) {
    size_t digits = 0;

    for (size_t i = 0; i < secret->size; i++) {
        uint8_t b = secret->bytes[i];
        if (b >= '0' && b <= '9')
            digits++;
        else if (b != ' ' && b != '-')
            return false;
    }
    return digits == 15;
}

static int puk_check(const Pkcs11 *c, const Token *token, const EonaySecret *puk) {
    if (looks_like_code(puk))
        return fault_text(c, EONAY_ERROR_PIN_FORMAT, "the verification code is not a PUK");
    if (puk->size == 0 || memchr(puk->bytes, '\0', puk->size))
        return fault_text(c, EONAY_ERROR_PIN_FORMAT, "the PUK is empty or has a NUL in it");
    if (token->info.flags & CKF_SO_PIN_LOCKED)
        return c->host->fault(c->host, EONAY_ERROR_PIN_LOCKED, 0, 0, "the token says that its PUK is locked");
    if (token->info.flags & CKF_SO_PIN_FINAL_TRY)
        return c->host->fault(c->host, EONAY_ERROR_PIN_FINAL_TRY, 1, 0, "one try of the PUK is left");
    return 0;
}

/* OpenSC's own way, for cards whose PUK cannot log in: told to (user_pin_unblock_style), it takes the PUK for the old
 * PIN of a session that is not logged in. */
static int unblock_by_set_pin(const Pkcs11 *c, CK_SESSION_HANDLE session, const EonaySecret *puk,
                              const EonaySecret *new_pin) {
    CK_RV rv = c->f->C_SetPIN(session, (unsigned char *)(uintptr_t)puk->bytes, puk->size,
                              (unsigned char *)(uintptr_t)new_pin->bytes, new_pin->size);
    return rv == CKR_OK ? 0 : fault_ckr(c, "C_SetPIN", rv, rv == CKR_PIN_LOCKED ? 0 : -1);
}

static int unblock(const Pkcs11 *c, CK_SESSION_HANDLE session, const EonaySecret *puk, const EonaySecret *new_pin) {
    const char *way = c->host->config(c->host, "Unblock");
    if (way && strcmp(way, "set-pin") == 0)
        return unblock_by_set_pin(c, session, puk, new_pin);
    CK_RV rv = pin_login(c, session, CKU_SO, puk);
    if (rv != CKR_OK)
        return fault_ckr(c, "C_Login", rv, rv == CKR_PIN_LOCKED ? 0 : -1);
    rv = c->f->C_InitPIN(session, (unsigned char *)(uintptr_t)new_pin->bytes, new_pin->size);
    c->f->C_Logout(session);
    return rv == CKR_OK ? 0 : fault_ckr(c, "C_InitPIN", rv, -1);
}

int session_unblock_pin(Pkcs11 *c, const char *key, const EonaySecret *puk, const EonaySecret *new_pin) {
    CK_SESSION_HANDLE session;
    Token token;

    int r = session_open_rw(c, key, &token, &session);
    if (r != 0)
        return r;
    r = pins_check(c, &token, puk, new_pin);
    if (r == 0)
        r = puk_check(c, &token, puk);
    if (r == 0)
        r = unblock(c, session, puk, new_pin);
    c->f->C_CloseSession(session);
    return r;
}
