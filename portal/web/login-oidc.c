/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenID Connect, code flow with PKCE S256 (Core 1.0 section 3.1, RFC 7636). The number may stand in the ID token or,
 * as many providers have it, only at the userinfo endpoint, whose answer counts when its sub is the ID token's.
 */
#include <openssl/evp.h>
#include <string.h>

#include "id-token.h"
#include "oidc-provider.h"
#include "url.h"

#define SCOPE_DEFAULT        "openid profile"
#define NUMBER_CLAIM_DEFAULT "tckn"
/* Large enough that a body never moves and leaves a copy behind. */
#define FORM_SIZE 4096

static void challenge_make(const char *verifier, char ret[LOGIN_DERIVED_SIZE]) {
    unsigned char hash[32];

    if (EVP_Digest(verifier, strlen(verifier), hash, NULL, EVP_sha256(), NULL) != 1)
        g_error("SHA-256 is not to be had");
    login_base64url(hash, sizeof hash, ret);
}

char *oidc_begin(const LoginProvider *p, const char *secret, const char *language, LoginFault *fault) {
    FetchFault why = {0};
    _cleanup_json_ json_t *metadata = oidc_metadata(p, &why);
    const char *endpoint = metadata ? login_string(metadata, "authorization_endpoint") : NULL;
    char derived[LOGIN_DERIVED_SIZE];
    char challenge[LOGIN_DERIVED_SIZE];
    GString *url = NULL;

    if (!endpoint || !g_str_has_prefix(endpoint, "https://")) {
        login_say(fault, LOGIN_UNREACHABLE, "discovery: %s", *why.text ? why.text : "no authorization_endpoint");
        return NULL;
    }
    url = g_string_new(endpoint);
    url_append(url, "response_type", "code");
    url_append(url, "client_id", p->client_id);
    url_append(url, "redirect_uri", p->redirect_uri);
    url_append(url, "scope", p->scope ? p->scope : SCOPE_DEFAULT);
    url_append(url, "ui_locales", language);
    login_derive(p, secret, "state", derived);
    url_append(url, "state", derived);
    login_derive(p, secret, "nonce", derived);
    url_append(url, "nonce", derived);
    login_derive(p, secret, "verifier", derived);
    challenge_make(derived, challenge);
    url_append(url, "code_challenge", challenge);
    url_append(url, "code_challenge_method", "S256");
    return g_string_free(url, FALSE);
}

static json_t *exchange(const LoginProvider *p, const char *secret, const char *endpoint, const char *code,
                        FetchFault *fault) {
    g_autoptr(GString) form = g_string_sized_new(FORM_SIZE);
    /* RFC 6749 section 2.3.1: both are form-encoded before they become HTTP Basic. */
    g_autofree char *user = g_uri_escape_string(p->client_id, NULL, FALSE);
    g_autofree char *password = g_uri_escape_string(p->client_secret, NULL, FALSE);
    char verifier[LOGIN_DERIVED_SIZE];
    json_t *answer = NULL;

    login_derive(p, secret, "verifier", verifier);
    form_append(form, "grant_type", "authorization_code");
    form_append(form, "code", code);
    form_append(form, "redirect_uri", p->redirect_uri);
    form_append(form, "code_verifier", verifier);
    answer = fetch_json(
        &(FetchRequest){.url = endpoint, .ca_file = p->ca_file, .form = form->str, .user = user, .password = password},
        NULL, fault);
    explicit_bzero(form->str, form->len);
    explicit_bzero(password, strlen(password));
    explicit_bzero(verifier, sizeof verifier);
    return answer;
}

/* What the userinfo endpoint knows beyond the claims; NULL when there is nothing or it speaks of somebody else. */
static json_t *userinfo(const LoginProvider *p, const json_t *metadata, const json_t *tokens, const json_t *claims) {
    const char *endpoint = login_string(metadata, "userinfo_endpoint");
    const char *token = login_string(tokens, "access_token");
    FetchFault why = {0};
    json_t *info = NULL;

    if (!endpoint || !token)
        return NULL;
    info = fetch_json(&(FetchRequest){.url = endpoint, .ca_file = p->ca_file, .bearer = token}, NULL, &why);
    if (info && g_strcmp0(login_string(info, "sub"), login_string(claims, "sub")) != 0) {
        json_decref(info);
        return NULL;
    }
    return info;
}

static const char *claim(const json_t *claims, const json_t *info, const char *name) {
    const char *value = login_string(claims, name);

    return value || !info ? value : login_string(info, name);
}

static LoginResult identify(const LoginProvider *p, const json_t *claims, const json_t *info, LoginIdentity *ret,
                            LoginFault *fault) {
    const char *number = claim(claims, info, p->number_claim ? p->number_claim : NUMBER_CLAIM_DEFAULT);
    const char *given = claim(claims, info, "given_name");
    const char *family = claim(claims, info, "family_name");
    const char *whole = claim(claims, info, "name");
    g_autofree char *joined = given && family ? g_strjoin(" ", given, family, NULL) : NULL;

    return login_identity(number, whole ? whole : joined, ret, fault);
}

LoginResult oidc_finish(const LoginProvider *p, const char *secret, const char *code, LoginIdentity *ret,
                        LoginFault *fault) {
    FetchFault why = {0};
    _cleanup_json_ json_t *metadata = oidc_metadata(p, &why);
    const char *endpoint = metadata ? login_string(metadata, "token_endpoint") : NULL;
    _cleanup_json_ json_t *tokens = endpoint ? exchange(p, secret, endpoint, code, &why) : NULL;
    _cleanup_json_ json_t *claims = NULL;
    _cleanup_json_ json_t *info = NULL;
    char nonce[LOGIN_DERIVED_SIZE];
    LoginResult result = LOGIN_OK;

    if (!tokens)
        return login_say(fault, LOGIN_UNREACHABLE, "token endpoint: %s", why.text);
    if (!login_string(tokens, "id_token"))
        return login_say(fault, LOGIN_REFUSED, "the token endpoint gave no ID token");
    login_derive(p, secret, "nonce", nonce);
    claims = id_token_verify(p, login_string(tokens, "id_token"), nonce, &result, fault);
    if (!claims)
        return result;
    info = userinfo(p, metadata, tokens, claims);
    return identify(p, claims, info, ret, fault);
}
