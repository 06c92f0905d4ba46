/* SPDX-License-Identifier: Apache-2.0 */
/*
 * e-Devlet Kapısı: OAuth 2.0 authorization code, then one more call that tells who it is. As relying programs use it:
 *
 *   1. browser  GET  BASE/AuthorizationControllerresponse_type=code&client_id&redirect_uri&scope&state
 *   2. portal   POST BASE/AccessTokenController   grant_type, code, redirect_uri, client_id, client_secret
 *   3. portal   POST BASE/AuthenticationController clientId, accessToken, resourceId=1, kapsam
 *
 * Scopes are joined with ';'. There is neither PKCE nor a signed token: what proves the answer is that the portal asked
 * for it itself, over TLS, with its own secret.
 */
#include <string.h>

#include "login-internal.h"
#include "url.h"

/* Large enough that a body never moves and leaves a copy behind. */
#define FORM_SIZE 4096

#define RESULT_GOOD   "EDV09.000"
#define RESOURCE      "1"
#define SCOPE_DEFAULT "Kimlik-Dogrula;Ad-Soyad"
#define SCOPE_NAME    "Ad-Soyad"

char *edevlet_begin(const LoginProvider *p, const char *secret) {
    GString *url = g_string_new(p->issuer);
    char state[LOGIN_DERIVED_SIZE];

    login_derive(p, secret, "state", state);
    g_string_append(url, "/AuthorizationController");
    url_append(url, "response_type", "code");
    url_append(url, "client_id", p->client_id);
    url_append(url, "redirect_uri", p->redirect_uri);
    url_append(url, "scope", p->scope ? p->scope : SCOPE_DEFAULT);
    url_append(url, "state", state);
    return g_string_free(url, FALSE);
}

static json_t *call(const LoginProvider *p, const char *controller, GString *form, FetchFault *fault) {
    g_autofree char *url = g_strconcat(p->issuer, "/", controller, NULL);
    FetchRequest request = {.url = url, .ca_file = p->ca_file, .form = form->str};
    json_t *answer = fetch_json(&request, NULL, fault);

    explicit_bzero(form->str, form->len);
    return answer;
}

static json_t *get_token(const LoginProvider *p, const char *code, FetchFault *fault) {
    g_autoptr(GString) form = g_string_sized_new(FORM_SIZE);

    form_append(form, "grant_type", "authorization_code");
    form_append(form, "code", code);
    form_append(form, "redirect_uri", p->redirect_uri);
    form_append(form, "client_id", p->client_id);
    form_append(form, "client_secret", p->client_secret);
    return call(p, "AccessTokenController", form, fault);
}

static json_t *get_user(const LoginProvider *p, const char *token, FetchFault *fault) {
    g_autoptr(GString) form = g_string_sized_new(FORM_SIZE);

    form_append(form, "clientId", p->client_id);
    form_append(form, "accessToken", token);
    form_append(form, "resourceId", RESOURCE);
    form_append(form, "kapsam", SCOPE_NAME);
    return call(p, "AuthenticationController", form, fault);
}

LoginResult edevlet_finish(const LoginProvider *p, const char *code, LoginIdentity *ret, LoginFault *fault) {
    FetchFault why = {0};
    _cleanup_json_ json_t *token = get_token(p, code, &why);
    _cleanup_json_ json_t *user = NULL;
    g_autofree char *name = NULL;
    const json_t *about = NULL;
    const char *given = NULL;
    const char *family = NULL;

    if (!token)
        return login_say(fault, LOGIN_UNREACHABLE, "AccessTokenController: %s", why.text);
    if (!login_string(token, "access_token"))
        return login_say(fault, LOGIN_REFUSED, "AccessTokenController gave no token");
    user = get_user(p, login_string(token, "access_token"), &why);
    if (!user)
        return login_say(fault, LOGIN_UNREACHABLE, "AuthenticationController: %s", why.text);
    if (g_strcmp0(login_string(user, "sonucKodu"), RESULT_GOOD) != 0)
        return login_say(fault, LOGIN_REFUSED, "AuthenticationController does not say " RESULT_GOOD);
    about = json_object_get(user, "kullaniciBilgileri");
    given = login_string(about, "ad");
    family = login_string(about, "soyad");
    name = g_strjoin(given && family ? " " : "", given ? given : "", family ? family : "", NULL);
    return login_identity(login_string(about, "kimlikNo"), name, ret, fault);
}
