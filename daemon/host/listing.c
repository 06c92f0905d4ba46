/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card can say anything: a label of binary rubbish, a certificate of a megabyte, a thousand tokens. What does not fit
 * within the limits of names.h is left out and logged once, and the rest is still of use.
 */
#include "listing.h"

#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "log.h"
#include "messages.h"
#include "names.h"
#include "text.h"
#include "util.h"

#define KEY_MAX     255u
#define ID_MAX      255u
#define LISTING_MAX (16u << 20) /* all certificates together: a reply must fit into a D-Bus message */

enum { LABEL, SERIAL, MANUFACTURER, MODEL, READER, STATE, N_STRINGS };
static const char *const string_names[N_STRINGS] = {"Label", "Serial", "Manufacturer", "Model", "Reader", "State"};

enum { FLAGS, PIN_MIN, PIN_MAX, MECHANISMS, N_NUMBERS };
static const char *const number_names[N_NUMBERS] = {"Flags", "PinMin", "PinMax", "Mechanisms"};

typedef struct Certificate {
    char *label;
    uint32_t flags;
    GBytes *id;
    GBytes *der;
} Certificate;

typedef struct Token {
    char *key;
    char *strings[N_STRINGS];
    uint32_t numbers[N_NUMBERS];
    GPtrArray *certificates;
} Token;

struct Listing {
    EonayTokenVisitor visitor; /* the first member: what the plugin holds is the Listing */
    GPtrArray *tokens;
    Token *current; /* NULL: its certificates are left out with it */
    size_t size;
    bool with_certificates;
    bool complained;
};

static void certificate_free(Certificate *c) {
    g_free(c->label);
    g_bytes_unref(c->id);
    g_bytes_unref(c->der);
    g_free(c);
}

static void token_free(Token *t) {
    g_free(t->key);
    for (size_t i = 0; i < N_STRINGS; i++)
        g_free(t->strings[i]);
    g_ptr_array_unref(t->certificates);
    g_free(t);
}

static int leave_out(Listing *l, const char *what) {
    if (!l->complained)
        log_event(LOG_WARNING, MESSAGE_PLUGIN_ANSWER, NULL, "left out of the plugin's listing: %s", what);
    l->complained = true;
    return 0;
}

static bool key_is_listed(const Listing *l, const char *key) {
    for (guint i = 0; i < l->tokens->len; i++)
        if (strcmp(((const Token *)l->tokens->pdata[i])->key, key) == 0)
            return true;
    return false;
}

static Token *token_copy(const EonayTokenInfo *info) {
    const char *const strings[N_STRINGS] = {info->label, info->serial, info->manufacturer,
                                            info->model, info->reader, info->state};
    const uint32_t numbers[N_NUMBERS] = {info->flags, info->pin_min, info->pin_max, info->mechanisms};
    Token *t = g_new0(Token, 1);
    t->key = g_strdup(info->key);
    for (size_t i = 0; i < N_STRINGS; i++)
        t->strings[i] = text_clean(strings[i], EONAY_STRING_MAX);
    memcpy(t->numbers, numbers, sizeof(numbers));
    t->certificates = g_ptr_array_new_with_free_func((GDestroyNotify)certificate_free);
    return t;
}

static int visit_token(const EonayTokenVisitor *visitor, const EonayTokenInfo *info) {
    Listing *l = (Listing *)visitor;
    l->current = NULL;
    if (!info || info->struct_size < offsetof(EonayTokenInfo, mechanisms) + sizeof(info->mechanisms))
        return leave_out(l, "a token without its data");
    if (!text_is_clean(info->key, KEY_MAX))
        return leave_out(l, "a token whose key is not 1 to 255 bytes of plain text");
    if (l->tokens->len == EONAY_TOKENS_MAX)
        return leave_out(l, "more tokens than one instance may have");
    if (key_is_listed(l, info->key))
        return leave_out(l, "a second token of the same key");
    l->current = token_copy(info);
    g_ptr_array_add(l->tokens, l->current);
    return 0;
}

static int visit_certificate(const EonayTokenVisitor *visitor, const EonayCertificateInfo *info) {
    Listing *l = (Listing *)visitor;
    if (!l->current || !l->with_certificates)
        return 0;
    if (!info || info->struct_size < offsetof(EonayCertificateInfo, der_size) + sizeof(info->der_size) || !info->der)
        return leave_out(l, "a certificate without its data");
    if (info->der_size == 0 || info->der_size > EONAY_CERTIFICATE_SIZE_MAX || info->id_size > ID_MAX)
        return leave_out(l, "a certificate of an impossible size");
    if (l->current->certificates->len == EONAY_CERTIFICATES_MAX || l->size + info->der_size > LISTING_MAX)
        return leave_out(l, "more certificates than one token may have");
    Certificate *c = g_new0(Certificate, 1);
    c->label = text_clean(info->label, EONAY_STRING_MAX);
    c->flags = info->flags;
    c->id = g_bytes_new(info->id, info->id ? info->id_size : 0);
    c->der = g_bytes_new(info->der, info->der_size);
    l->size += info->der_size;
    g_ptr_array_add(l->current->certificates, c);
    return 0;
}

Listing *listing_new(bool with_certificates) {
    Listing *l = g_new0(Listing, 1);
    l->visitor = (EonayTokenVisitor){.token = visit_token, .certificate = visit_certificate};
    l->tokens = g_ptr_array_new_with_free_func((GDestroyNotify)token_free);
    l->with_certificates = with_certificates;
    return l;
}

Listing *listing_free(Listing *l) {
    if (!l)
        return NULL;
    g_ptr_array_unref(l->tokens);
    g_free(l);
    return NULL;
}

void listing_freep(Listing **l) {
    *l = listing_free(*l);
}

const EonayTokenVisitor *listing_visitor(Listing *l) {
    return &l->visitor;
}

/* ------------------------------------------------------------------------------------------------------ wire -- */

static int append_bytes(sd_bus_message *reply, GBytes *bytes) {
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    return sd_bus_message_append_array(reply, 'y', data, size);
}

static int append_bytes_entry(sd_bus_message *reply, const char *name, GBytes *bytes) {
    int r = sd_bus_message_open_container(reply, 'e', "sv");
    if (r >= 0)
        r = sd_bus_message_append(reply, "s", name);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'v', "ay");
    if (r >= 0)
        r = append_bytes(reply, bytes);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_certificate(sd_bus_message *reply, const Certificate *c) {
    int r = sd_bus_message_open_container(reply, 'r', "aya{sv}");
    if (r >= 0)
        r = append_bytes(reply, c->der);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
    if (r >= 0)
        r = sd_bus_message_append(reply, "{sv}{sv}", "Label", "s", c->label, "Flags", "u", c->flags);
    if (r >= 0)
        r = append_bytes_entry(reply, "Id", c->id);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_token(sd_bus_message *reply, const Token *t) {
    int r = sd_bus_message_open_container(reply, 'a', "{sv}");
    if (r >= 0 && t)
        r = sd_bus_message_append(reply, "{sv}", "Key", "s", t->key);
    for (size_t i = 0; r >= 0 && t && i < N_STRINGS; i++)
        r = sd_bus_message_append(reply, "{sv}", string_names[i], "s", t->strings[i]);
    for (size_t i = 0; r >= 0 && t && i < N_NUMBERS; i++)
        r = sd_bus_message_append(reply, "{sv}", number_names[i], "u", t->numbers[i]);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_entry(sd_bus_message *reply, const Token *t) {
    int r = sd_bus_message_open_container(reply, 'r', "a{sv}a(aya{sv})");
    if (r >= 0)
        r = append_token(reply, t);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(aya{sv})");
    for (guint i = 0; r >= 0 && i < t->certificates->len; i++)
        r = append_certificate(reply, t->certificates->pdata[i]);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

int listing_append(const Listing *l, bool success, sd_bus_message *reply) {
    int r = sd_bus_message_open_container(reply, 'a', "(a{sv}a(aya{sv}))");
    for (guint i = 0; r >= 0 && success && i < l->tokens->len; i++)
        r = append_entry(reply, l->tokens->pdata[i]);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

int listing_append_token(const Listing *l, bool success, sd_bus_message *reply) {
    return append_token(reply, success && l->tokens->len > 0 ? l->tokens->pdata[0] : NULL);
}
