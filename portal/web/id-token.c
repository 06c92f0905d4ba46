/* SPDX-License-Identifier: Apache-2.0 */
/* The signature is cjose's affair; what the token says is checked here. */
#include "id-token.h"

#include <cjose/cjose.h>
#include <string.h>

#include "oidc-provider.h"

static void jws_endp(cjose_jws_t **jws) {
    cjose_jws_release(*jws);
}

static void jwk_endp(cjose_jwk_t **jwk) {
    cjose_jwk_release(*jwk);
}

/* The type of key an allowed algorithm needs, or NULL for every other algorithm. */
static const char *key_type(const char *algorithm) {
    if (g_strcmp0(algorithm, "RS256") == 0 || g_strcmp0(algorithm, "PS256") == 0)
        return "RSA";
    return g_strcmp0(algorithm, "ES256") == 0 ? "EC" : NULL;
}

static json_t *payload(const LoginProvider *p, const char *token, LoginResult *ret_result, LoginFault *fault) {
    __attribute__((cleanup(jws_endp))) cjose_jws_t *jws = cjose_jws_import(token, strlen(token), NULL);
    __attribute__((cleanup(jwk_endp))) cjose_jwk_t *jwk = NULL;
    _cleanup_json_ json_t *key = NULL;
    cjose_header_t *header = jws ? cjose_jws_get_protected(jws) : NULL;
    OidcKeyWanted wanted = {.algorithm = header ? cjose_header_get(header, CJOSE_HDR_ALG, NULL) : NULL};
    const uint8_t *bytes = NULL;
    FetchFault why = {0};
    size_t size = 0;

    *ret_result = LOGIN_REFUSED;
    wanted.type = key_type(wanted.algorithm);
    if (!wanted.type || json_object_get((json_t *)header, "crit")) {
        login_say(fault, LOGIN_REFUSED, "the ID token is no JWS of an allowed kind");
        return NULL;
    }
    wanted.kid = cjose_header_get(header, CJOSE_HDR_KID, NULL);
    key = oidc_key(p, &wanted, &why);
    if (!key) {
        *ret_result = login_say(fault, LOGIN_UNREACHABLE, "keys: %s", why.text);
        return NULL;
    }
    jwk = cjose_jwk_import_json((cjose_header_t *)key, NULL);
    if (!jwk || !cjose_jws_verify(jws, jwk, NULL) || !cjose_jws_get_plaintext(jws, (uint8_t **)&bytes, &size, NULL)) {
        login_say(fault, LOGIN_REFUSED, "the ID token's signature is wrong");
        return NULL;
    }
    return json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
}

/* "aud" is a name or a list of names; with several, "azp" says for whom it was made. */
static bool audience_right(const json_t *claims, const char *client) {
    const json_t *audience = json_object_get(claims, "aud");
    const char *party = login_string(claims, "azp");
    bool found = false;
    const json_t *one = NULL;
    size_t i = 0;

    if (json_is_string(audience))
        found = strcmp(json_string_value(audience), client) == 0;
    json_array_foreach(audience, i, one) found = found || g_strcmp0(json_string_value(one), client) == 0;
    if (party ? strcmp(party, client) != 0 : json_array_size(audience) > 1)
        return false;
    return found;
}

static const char *claims_fault(const LoginProvider *p, const json_t *claims, const char *nonce) {
    json_int_t now = g_get_real_time() / G_USEC_PER_SEC;
    const json_t *expires = json_object_get(claims, "exp");
    const json_t *issued = json_object_get(claims, "iat");

    if (g_strcmp0(login_string(claims, "iss"), p->issuer) != 0)
        return "the ID token is of another issuer";
    if (!audience_right(claims, p->client_id))
        return "the ID token is for somebody else";
    if (!json_is_integer(expires) || json_integer_value(expires) + ID_TOKEN_SKEW_SECONDS <= now)
        return "the ID token has expired";
    if (!json_is_integer(issued) || json_integer_value(issued) - ID_TOKEN_SKEW_SECONDS > now ||
        json_integer_value(issued) + LOGIN_SECONDS_MAX < now)
        return "the ID token was not made just now";
    if (g_strcmp0(login_string(claims, "nonce"), nonce) != 0)
        return "the ID token is of another attempt";
    if (!login_string(claims, "sub"))
        return "the ID token names nobody";
    return NULL;
}

json_t *id_token_verify(const LoginProvider *p, const char *token, const char *nonce, LoginResult *ret_result,
                        LoginFault *fault) {
    json_t *claims = payload(p, token, ret_result, fault);
    const char *wrong = NULL;

    if (!claims)
        return NULL;
    wrong = claims_fault(p, claims, nonce);
    if (!wrong)
        return claims;
    *ret_result = login_say(fault, LOGIN_REFUSED, "%s", wrong);
    json_decref(claims);
    return NULL;
}
