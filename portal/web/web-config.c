/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the pages. As everywhere in the file, an unknown key is an error that names it. */
#include <stdlib.h>
#include <string.h>

#include "hold.h"
#include "web.h"

#define SECTION          "Web"
#define LOGIN_PREFIX     "Login "
#define SECRET_BYTES_MAX 1024

static char *check_keys(GKeyFile *file, const char *section, const char *const *known) {
    g_auto(GStrv) keys = g_key_file_get_keys(file, section, NULL, NULL);

    for (char **key = keys; key && *key; key++)
        if (!g_strv_contains(known, *key))
            return g_strdup_printf("[%s] %s= is unknown", section, *key);
    return NULL;
}

static char *text(GKeyFile *file, const char *section, const char *key) {
    g_autofree char *value = g_key_file_get_string(file, section, key, NULL);

    return value && *g_strstrip(value) ? g_steal_pointer(&value) : NULL;
}

static char *number(GKeyFile *file, const char *key, int otherwise, int least, int most, int *ret) {
    g_autofree char *value = text(file, SECTION, key);
    gint64 n = otherwise;

    if (value && !g_ascii_string_to_signed(value, 10, least, most, &n, NULL))
        return g_strdup_printf("[" SECTION "] %s= must be a number from %d to %d", key, least, most);
    *ret = (int)n;
    return NULL;
}

/* A name without a slash is a systemd credential. One line end at its end is none of the secret. */
static char *read_secret(const char *name, char **ret) {
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path =
        strchr(name, '/') ? g_strdup(name) : g_build_filename(folder ? folder : "/etc/eonay-portal", name, NULL);
    char *bytes = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &bytes, &size, NULL))
        return g_strdup_printf("SecretFile=: %s cannot be read", path);
    if (size > 0 && bytes[size - 1] == '\n')
        bytes[--size] = '\0';
    if (size == 0 || size > SECRET_BYTES_MAX || strlen(bytes) != size) {
        explicit_bzero(bytes, size);
        g_free(bytes);
        return g_strdup_printf("SecretFile=: %s holds no secret of one line", path);
    }
    *ret = bytes;
    return NULL;
}

static bool id_good(const char *id) {
    return *id && strlen(id) <= 32 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(id);
}

static char *read_kind(GKeyFile *file, const char *section, LoginProvider *p) {
    g_autofree char *kind = text(file, section, "Kind");

    p->kind = g_strcmp0(kind, "edevlet") == 0 ? LOGIN_EDEVLET : LOGIN_OIDC;
    if (p->kind == LOGIN_OIDC && g_strcmp0(kind, "oidc") != 0)
        return g_strdup_printf("[%s] Kind= must be edevlet or oidc", section);
    return NULL;
}

static char *read_provider(const Config *config, const char *section, LoginProvider *p) {
    static const char *const known[] = {"Kind",  "Issuer",      "ClientId", "SecretFile", "CaFile",
                                        "Scope", "NumberClaim", "Label",    NULL};
    GKeyFile *file = config->file;
    g_autofree char *secret = text(file, section, "SecretFile");
    char *wrong = check_keys(file, section, known);

    p->id = g_strdup(section + strlen(LOGIN_PREFIX));
    if (!wrong && !id_good(p->id))
        wrong = g_strdup_printf("[%s]: a login's name has small letters, digits and hyphens only", section);
    if (!wrong)
        wrong = read_kind(file, section, p);
    p->issuer = text(file, section, "Issuer");
    p->client_id = text(file, section, "ClientId");
    p->ca_file = text(file, section, "CaFile");
    p->scope = text(file, section, "Scope");
    p->number_claim = text(file, section, "NumberClaim");
    p->label = text(file, section, "Label");
    p->redirect_uri = g_strdup_printf("%s/giris/donus/%s", config->public_url, p->id);
    if (!wrong && (!p->issuer || !g_str_has_prefix(p->issuer, "https://") || !p->client_id || !secret))
        wrong = g_strdup_printf("[%s] needs Issuer= (https://…), ClientId= and SecretFile=", section);
    /* Of e-Devlet this is the base of three addresses; an OpenID issuer counts letter by letter and stays as it is. */
    if (!wrong && p->kind == LOGIN_EDEVLET && g_str_has_suffix(p->issuer, "/"))
        p->issuer[strlen(p->issuer) - 1] = '\0';
    return wrong ? wrong : read_secret(secret, &p->client_secret);
}

static char *read_providers(const Config *config, Web *web) {
    g_auto(GStrv) sections = g_key_file_get_groups(config->file, NULL);
    char *wrong = NULL;

    for (char **section = sections; !wrong && *section; section++) {
        if (!g_str_has_prefix(*section, LOGIN_PREFIX)) {
            if (strcmp(*section, "Portal") != 0 && strcmp(*section, SECTION) != 0)
                return g_strdup_printf("section [%s] is unknown", *section);
            continue;
        }
        if (web->n_providers == WEB_PROVIDERS_MAX)
            return g_strdup_printf("there are more than %d logins", WEB_PROVIDERS_MAX);
        web->providers[web->n_providers] = g_new0(LoginProvider, 1);
        wrong = read_provider(config, *section, web->providers[web->n_providers++]);
    }
    return wrong;
}

Web *web_load(const Config *config, char **ret_error) {
    static const char *const known[] = {"SessionIdleMinutes", "SessionMinutes", "RenewalMonths",
                                        "ApplicationUrl",     "SupportUrl",     NULL};
    GKeyFile *file = config->file;
    Web *web = g_new0(Web, 1);
    int idle = 0;
    int absolute = 0;
    char *wrong = check_keys(file, SECTION, known);

    if (!wrong)
        wrong = number(file, "SessionIdleMinutes", 15, 1, 24 * 60, &idle);
    if (!wrong)
        wrong = number(file, "SessionMinutes", 240, 1, 24 * 60, &absolute);
    if (!wrong)
        wrong = number(file, "RenewalMonths", HOLD_MONTHS_DEFAULT, 0, HOLD_MONTHS_MAX, &web->renewal_months);
    web->limits = (SessionLimits){.idle_usec = idle * 60000000LL, .absolute_usec = absolute * 60000000LL};
    web->application_url = text(file, SECTION, "ApplicationUrl");
    web->support_url = text(file, SECTION, "SupportUrl");
    web->logins_at_once = config->workers > 1 ? config->workers / 2 : 1;
    if (!wrong)
        wrong = read_providers(config, web);
    if (!wrong)
        return web;
    *ret_error = wrong;
    return web_free(web);
}

Web *web_free(Web *web) {
    if (!web)
        return NULL;
    for (size_t i = 0; i < web->n_providers; i++)
        login_provider_free(web->providers[i]);
    g_free(web->application_url);
    g_free(web->support_url);
    g_free(web);
    return NULL;
}

const LoginProvider *web_provider(const Web *web, const char *id) {
    for (size_t i = 0; i < web->n_providers; i++)
        if (strcmp(web->providers[i]->id, id) == 0)
            return web->providers[i];
    return NULL;
}
