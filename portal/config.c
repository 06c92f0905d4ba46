/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#define SECTION "Portal"

/* X(KEY, member, default): texts; X(KEY, member, default, least, most): numbers; X(KEY, member): yes or no. */
#define TEXT_TABLE(X)                                                                                                  \
    X("Listen", listen, "127.0.0.1:8443")                                                                              \
    X("Certificate", certificate, NULL)                                                                                \
    X("PrivateKey", private_key, NULL)                                                                                 \
    X("PublicUrl", public_url, NULL)                                                                                   \
    X("Name", name, "Yerel E-Onay Kurumu (deneme)")                                                                    \
    X("Database", database, "sqlite:/var/lib/eonay-portal/portal.db")                                                  \
    X("KeyFile", key_file, "/var/lib/eonay-portal/portal.key")                                                         \
    X("TrustAnchors", anchors, NULL)                                                                                   \
    X("Intermediates", intermediates, NULL)                                                                            \
    X("RevocationLists", revocation_lists, NULL)                                                                       \
    X("TextFile", text_file, NULL)                                                                                     \
    X("TextVersion", text_version, NULL)                                                                               \
    X("UndertakingVersion", undertaking_version, "taahhutname-1")                                                      \
    X("OcspResponder", ocsp_responder, NULL)                                                                           \
    X("CrlIssuer", crl_issuer, NULL)                                                                                   \
    X("CrlKey", crl_key, NULL)                                                                                         \
    X("CrlFile", crl_file, NULL)                                                                                       \
    X("Clients", clients, NULL)

#define NUMBER_TABLE(X)                                                                                                \
    X("CodeLifetime", code_lifetime, 300, 1, 86400)                                                                    \
    X("GuessesPerMinute", guesses_per_minute, 10, 1, 10)                                                               \
    X("TotalGuessesPerMinute", total_guesses_per_minute, 1000, 1, 100000)                                              \
    X("DevicesPerMinute", devices_per_minute, 10, 1, 16)                                                               \
    X("OcspSeconds", ocsp_seconds, 5, 0, 60)                                                                           \
    X("CrlHours", crl_hours, 24, 1, 720)                                                                               \
    X("Workers", workers, 4, 1, 64)                                                                                    \
    X("Connections", connections_max, 512, 1, 100000)                                                                  \
    X("ConnectionsPerAddress", connections_per_address, 256, 1, 100000)

#define SWITCH_TABLE(X)                                                                                                \
    X("PlainHttp", plain_http)                                                                                         \
    X("TrustedProxy", trusted_proxy)                                                                                   \
    X("RequireClient", require_client)                                                                                 \
    X("AllowRepeats", allow_repeats)

static const struct {
    const char *key;
    size_t offset;
    const char *otherwise;
} texts[] = {
#define TEXT_ROW_(key, member, otherwise) {key, offsetof(Config, member), otherwise},
    TEXT_TABLE(TEXT_ROW_)};

static const struct {
    const char *key;
    size_t offset;
    int otherwise, least, most;
} numbers[] = {
#define NUMBER_ROW_(key, member, otherwise, least, most) {key, offsetof(Config, member), otherwise, least, most},
    NUMBER_TABLE(NUMBER_ROW_)};

static const struct {
    const char *key;
    size_t offset;
} switches[] = {
#define SWITCH_ROW_(key, member) {key, offsetof(Config, member)},
    SWITCH_TABLE(SWITCH_ROW_)};

static bool known(const char *key) {
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(texts[i].key, key) == 0)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (strcmp(numbers[i].key, key) == 0)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(switches); i++)
        if (strcmp(switches[i].key, key) == 0)
            return true;
    return false;
}

static char *check_keys(GKeyFile *file) {
    g_auto(GStrv) keys = g_key_file_get_keys(file, SECTION, NULL, NULL);

    for (char **key = keys; key && *key; key++)
        if (!known(*key))
            return g_strdup_printf("[" SECTION "] %s= is unknown", *key);
    return NULL;
}

static char *read_number(Config *c, size_t i) {
    int *value = (int *)((char *)c + numbers[i].offset);
    g_autofree char *text = g_key_file_get_string(c->file, SECTION, numbers[i].key, NULL);
    gint64 n = numbers[i].otherwise;

    if (text && !g_ascii_string_to_signed(text, 10, numbers[i].least, numbers[i].most, &n, NULL))
        return g_strdup_printf("%s= must be a number from %d to %d", numbers[i].key, numbers[i].least, numbers[i].most);
    *value = (int)n;
    return NULL;
}

static char *read_switch(Config *c, size_t i) {
    bool *value = (bool *)((char *)c + switches[i].offset);
    g_autofree char *text = g_key_file_get_string(c->file, SECTION, switches[i].key, NULL);

    if (text && strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        return g_strdup_printf("%s= must be yes or no", switches[i].key);
    *value = text && strcmp(text, "yes") == 0;
    return NULL;
}

static bool listens_locally(const char *listen) {
    return g_str_has_prefix(listen, "unix:/") || g_str_has_prefix(listen, "127.") || g_str_has_prefix(listen, "[::1]:");
}

/* What must fit together. */
static char *check_sense(Config *c) {
    if (!c->anchors || *c->anchors == '\0')
        return g_strdup("TrustAnchors= is required: without it nobody's signature could be believed");
    if (c->plain_http && !listens_locally(c->listen))
        return g_strdup("PlainHttp=yes needs Listen= on 127.0.0.1, [::1] or a unix socket");
    if (!c->plain_http && (!c->certificate || !c->private_key))
        return g_strdup("Certificate= and PrivateKey= are required, or PlainHttp=yes behind a proxy");
    if (c->require_client && !c->clients)
        return g_strdup("RequireClient=yes needs Clients=");
    if ((c->crl_key || c->crl_file) && !c->crl_issuer)
        return g_strdup("CrlKey= and CrlFile= need CrlIssuer=");
    if (c->ocsp_responder && !g_str_has_prefix(c->ocsp_responder, "http://") &&
        !g_str_has_prefix(c->ocsp_responder, "https://"))
        return g_strdup("OcspResponder= must be http://… or https://…");
    if (strlen(c->name) > 127)
        return g_strdup("Name= is longer than 127 bytes");
    if (!c->public_url)
        c->public_url = g_strdup_printf("https://%s", c->listen);
    if (g_str_has_suffix(c->public_url, "/"))
        c->public_url[strlen(c->public_url) - 1] = '\0';
    return NULL;
}

static char *read_all(Config *c) {
    char *error = check_keys(c->file);

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        char **value = (char **)((char *)c + texts[i].offset);
        *value = g_key_file_get_string(c->file, SECTION, texts[i].key, NULL);
        if (!*value)
            *value = g_strdup(texts[i].otherwise);
    }
    for (size_t i = 0; !error && i < G_N_ELEMENTS(numbers); i++)
        error = read_number(c, i);
    for (size_t i = 0; !error && i < G_N_ELEMENTS(switches); i++)
        error = read_switch(c, i);
    return error ? error : check_sense(c);
}

Config *config_load(const char *path, char **ret_error) {
    g_autoptr(GError) error = NULL;
    Config *c = g_new0(Config, 1);
    char *why = NULL;

    c->file = g_key_file_new();
    if (!g_key_file_load_from_file(c->file, path, G_KEY_FILE_NONE, &error))
        why = g_strdup(error->message);
    else
        why = read_all(c);
    if (!why)
        return c;
    *ret_error = g_strdup_printf("%s: %s", path, why);
    g_free(why);
    return config_free(c);
}

Config *config_free(Config *c) {
    if (!c)
        return NULL;
    g_key_file_unref(c->file);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(*(char **)((char *)c + texts[i].offset));
    g_free(c);
    return NULL;
}
