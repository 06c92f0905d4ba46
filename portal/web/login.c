/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a login that is the same with every provider: the attempt's secret, the state, the identity. */
#include "login.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <string.h>

#include "login-internal.h"

void login_json_endp(json_t **json) {
    json_decref(*json);
}

LoginProvider *login_provider_free(LoginProvider *p) {
    if (!p)
        return NULL;
    if (p->client_secret)
        explicit_bzero(p->client_secret, strlen(p->client_secret));
    g_free(p->client_secret);
    g_free(p->id);
    g_free(p->label);
    g_free(p->issuer);
    g_free(p->client_id);
    g_free(p->redirect_uri);
    g_free(p->ca_file);
    g_free(p->scope);
    g_free(p->number_claim);
    g_free(p);
    return NULL;
}

LoginResult login_say(LoginFault *fault, LoginResult result, const char *format, ...) {
    va_list args;

    va_start(args, format);
    g_vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return result;
}

/* RFC 4648 section 5, without padding. ret holds (size * 4 + 2) / 3 characters and the end. */
void login_base64url(const unsigned char *bytes, size_t size, char *ret) {
    g_autofree char *plain = g_base64_encode(bytes, size);
    size_t n = 0;

    for (const char *p = plain; *p && *p != '='; p++)
        ret[n++] = *p;
    ret[n] = '\0';
    g_strdelimit(ret, "+", '-');
    g_strdelimit(ret, "/", '_');
    explicit_bzero(plain, strlen(plain));
}

void login_secret_make(char ret[LOGIN_SECRET_SIZE]) {
    unsigned char bytes[32];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        g_error("the machine gives no random numbers");
    login_base64url(bytes, sizeof bytes, ret);
    explicit_bzero(bytes, sizeof bytes);
}

bool login_secret_valid(const char *s) {
    return s && strlen(s) == LOGIN_SECRET_SIZE - 1 &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == LOGIN_SECRET_SIZE - 1;
}

void login_derive(const LoginProvider *p, const char *secret, const char *what, char ret[LOGIN_DERIVED_SIZE]) {
    g_autofree char *message = g_strdup_printf("%s|%s", p->id, what);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)message, strlen(message), mac, &size))
        g_error("HMAC-SHA-256 is not to be had");
    login_base64url(mac, 32, ret);
}

const char *login_string(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);

    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value)
               ? json_string_value(value)
               : NULL;
}

LoginResult login_identity(const char *number, const char *name, LoginIdentity *ret, LoginFault *fault) {
    if (!tckn_valid(number))
        return login_say(fault, LOGIN_NO_NUMBER, "the answer has no valid identity number");
    g_strlcpy(ret->tckn, number, sizeof ret->tckn);
    g_strlcpy(ret->name, name ? name : "", sizeof ret->name);
    /* cut between characters, not within one */
    while (*ret->name && !g_utf8_validate(ret->name, -1, NULL))
        ret->name[strlen(ret->name) - 1] = '\0';
    return LOGIN_OK;
}

char *login_begin(const LoginProvider *p, const char *secret, const char *language, LoginFault *fault) {
    return p->kind == LOGIN_OIDC ? oidc_begin(p, secret, language, fault) : edevlet_begin(p, secret);
}

LoginResult login_finish(const LoginProvider *p, const char *secret, const LoginAnswer *answer, LoginIdentity *ret,
                         LoginFault *fault) {
    char state[LOGIN_DERIVED_SIZE];

    if (!login_secret_valid(secret))
        return login_say(fault, LOGIN_REFUSED, "this browser has no login under way");
    login_derive(p, secret, "state", state);
    if (!answer->state || strlen(answer->state) != strlen(state) ||
        CRYPTO_memcmp(answer->state, state, strlen(state)) != 0)
        return login_say(fault, LOGIN_REFUSED, "the state is not the one this browser left with");
    /* A provider that names itself (RFC 9207) must be the one that was asked. */
    if (answer->issuer && p->kind == LOGIN_OIDC && strcmp(answer->issuer, p->issuer) != 0)
        return login_say(fault, LOGIN_REFUSED, "the answer comes from another issuer");
    if (answer->error || !answer->code || !*answer->code)
        return login_say(fault, LOGIN_DENIED, "the provider gave no code");
    return p->kind == LOGIN_OIDC ? oidc_finish(p, secret, answer->code, ret, fault)
                                 : edevlet_finish(p, answer->code, ret, fault);
}
