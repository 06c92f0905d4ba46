/* SPDX-License-Identifier: Apache-2.0 */
/* What needs the PIN: logging in, signing, changing the PIN. */
#ifndef EONAY_TOKEN_PKCS11_SESSION_H
#define EONAY_TOKEN_PKCS11_SESSION_H

#include "pkcs11.h"
#include "token.h"

/* The operations of EonayTokenOps with the same names. */
int session_login(Pkcs11 *c, const EonayLogin *login);
void session_logout(Pkcs11 *c);
int session_sign(Pkcs11 *c, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size);
int session_change_pin(Pkcs11 *c, const char *token, const EonaySecret *old_pin, const EonaySecret *new_pin);
int session_unblock_pin(Pkcs11 *c, const char *token, const EonaySecret *puk, const EonaySecret *new_pin);

/* Exchanges the session for a fresh one under the same login: the only way out of an operation that was begun. */
void session_renew(Pkcs11 *c);

/* Whether this can be the PIN, by length and content; no try is spent. Errors: PIN_FORMAT. */
int pin_check_format(const Pkcs11 *c, const Token *token, const EonaySecret *secret);
/* Whether a try may be spent at all. Errors: PIN_LOCKED, PIN_FINAL_TRY. */
int pin_check_tries(const Pkcs11 *c, const Token *token, bool allow_final_try);
/* C_Login: the one place where a try is spent, never twice for one PIN. NULL means that the PIN is entered elsewhere.
 */
CK_RV pin_login(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_USER_TYPE user, const EonaySecret *secret);
/* Records a refusal together with the tries that are left, which are read from the token anew. */
int pin_fault(const Pkcs11 *c, const char *what, CK_RV rv, CK_SLOT_ID slot);

#endif
