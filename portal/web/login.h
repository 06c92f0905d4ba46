/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Login through somebody who knows the citizen: e-Devlet (OAuth 2.0 authorization code with its own user call) or any
 * OpenID Connect provider (code flow with PKCE). What comes out is a T.C. kimlik no and a name, and nothing else is
 * kept: no token outlives the function that got it.
 *
 * An attempt needs no record: state, nonce and code verifier are derived from one random secret that the browser holds
 * in a cookie, so whoever comes back with an answer must be the browser that left with the question, at whichever
 * instance.
 */
#ifndef EONAY_PORTAL_LOGIN_H
#define EONAY_PORTAL_LOGIN_H

#include <glib.h>
#include <stdbool.h>

#include "tckn.h"

#define LOGIN_SECRET_SIZE 44 /* 32 random bytes in base64url, and the end */
#define LOGIN_PERSON_MAX  200
#define LOGIN_SECONDS_MAX 600 /* from leaving for the provider to coming back */

typedef enum LoginKind {
    LOGIN_OIDC,
    LOGIN_EDEVLET,
} LoginKind;

/* One section [Login NAME] of the configuration. Strings are owned; ca_file and claims may be NULL. */
typedef struct LoginProvider {
    LoginKind kind;
    char *id;     /* in paths: a-z, 0-9, - */
    char *label;  /* what the button says; NULL: a text of ours */
    char *issuer; /* OpenID Connect: the issuer; e-Devlet: the base of its three addresses, without / at its end */
    char *client_id;
    char *client_secret; /* from a file; wiped when freed */
    char *redirect_uri;  /* as registered there */
    char *ca_file;
    char *scope;
    char *number_claim; /* OpenID Connect: the claim that holds the T.C. kimlik no */
} LoginProvider;
LoginProvider *login_provider_free(LoginProvider *p);

typedef struct LoginIdentity {
    char tckn[TCKN_LENGTH + 1];
    char name[LOGIN_PERSON_MAX];
} LoginIdentity;

/* Why nobody was logged in. The text is for the log and names no person. */
typedef enum LoginResult {
    LOGIN_OK = 0,
    LOGIN_DENIED,      /* the person, or the provider, said no */
    LOGIN_UNREACHABLE, /* no answer in time */
    LOGIN_REFUSED,     /* an answer that proves nothing: wrong state, signature, nonce, audience … */
    LOGIN_NO_NUMBER,   /* a proven answer without a valid T.C. kimlik no */
} LoginResult;

typedef struct LoginFault {
    char text[256];
} LoginFault;

/* What the provider sent to the redirect address. Each may be NULL. */
typedef struct LoginAnswer {
    const char *state;
    const char *code;
    const char *error;
    const char *issuer; /* RFC 9207 */
} LoginAnswer;

void login_secret_make(char ret[LOGIN_SECRET_SIZE]);
bool login_secret_valid(const char *s);

/* Where the browser is sent. NULL when the provider cannot be asked for its addresses. Blocks. */
char *login_begin(const LoginProvider *p, const char *secret, const char *language, LoginFault *fault);
/* Turns the answer into an identity. Blocks for some seconds at most. */
LoginResult login_finish(const LoginProvider *p, const char *secret, const LoginAnswer *answer, LoginIdentity *ret,
                         LoginFault *fault);

#endif
