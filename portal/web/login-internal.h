/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of login share. */
#ifndef EONAY_PORTAL_LOGIN_INTERNAL_H
#define EONAY_PORTAL_LOGIN_INTERNAL_H

#include "fetch.h"
#include "login.h"

#define _cleanup_json_ __attribute__((cleanup(login_json_endp)))
void login_json_endp(json_t **json);

/* base64url(HMAC-SHA-256(secret, provider's id | what)): 43 characters, also right for a PKCE verifier. */
#define LOGIN_DERIVED_SIZE 44
void login_derive(const LoginProvider *p, const char *secret, const char *what, char ret[LOGIN_DERIVED_SIZE]);
void login_base64url(const unsigned char *bytes, size_t size, char *ret);

/* Takes the identity when the number is one. */
LoginResult login_identity(const char *number, const char *name, LoginIdentity *ret, LoginFault *fault);
LoginResult login_say(LoginFault *fault, LoginResult result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A member that is a string without NUL inside, or NULL. Owned by the object. */
const char *login_string(const json_t *object, const char *name);

char *oidc_begin(const LoginProvider *p, const char *secret, const char *language, LoginFault *fault);
LoginResult oidc_finish(const LoginProvider *p, const char *secret, const char *code, LoginIdentity *ret,
                        LoginFault *fault);
char *edevlet_begin(const LoginProvider *p, const char *secret);
LoginResult edevlet_finish(const LoginProvider *p, const char *code, LoginIdentity *ret, LoginFault *fault);

#endif
