/* SPDX-License-Identifier: Apache-2.0 */
#include "contract.h"

#include "../../eonayctl/text.h"
#include "eonay/plugin.h"

static void contract_text_free(gpointer data) {
    ContractText *t = data;
    g_free(t->title);
    g_free(t->sha256);
    g_bytes_unref(t->bytes);
    g_free(t);
}

void choice_free(gpointer data) {
    Choice *c = data;
    char *strings[] = {c->path, c->token, c->name, c->issuer, c->token_label};
    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_free(c);
}

Contract *contract_free(Contract *c) {
    if (!c)
        return NULL;
    char *strings[] = {c->requester, c->caller, c->subject, c->certificate, c->token_label, c->problem};
    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_strfreev(c->hashes);
    g_ptr_array_unref(c->texts);
    g_clear_pointer(&c->choices, g_ptr_array_unref);
    g_free(c);
    return NULL;
}

static char *read_string(GVariant *details, const char *key) {
    const char *value = "";
    g_variant_lookup(details, key, "&s", &value);
    return *value ? text_clean(value) : NULL;
}

static PinEntry read_pin_entry(GVariant *details) {
    const char *value = "agent";
    g_variant_lookup(details, "PinEntry", "&s", &value);
    if (g_strcmp0(value, "reader") == 0)
        return PIN_ENTRY_READER;
    return g_strcmp0(value, "caller") == 0 ? PIN_ENTRY_CALLER : PIN_ENTRY_AGENT;
}

static gint64 read_deadline(GVariant *details) {
    guint64 remaining = 0, expires = 0;
    if (!g_variant_lookup(details, "RemainingUSec", "t", &remaining) &&
        g_variant_lookup(details, "ExpiresAt", "t", &expires) && (gint64)expires > g_get_real_time())
        remaining = expires - (guint64)g_get_real_time();
    return g_get_monotonic_time() + (gint64)remaining;
}

/* The program's file, which it cannot choose as freely as its name. It may be gone by now: this is no proof. */
static char *read_caller(GVariant *details) {
    guint32 pid = 0;
    g_variant_lookup(details, "CallerPid", "u", &pid);
    g_autofree char *link = g_strdup_printf("/proc/%u/exe", pid);
    g_autofree char *file = pid > 0 ? g_file_read_link(link, NULL) : NULL;
    if (!file)
        return read_string(details, "Caller");
    g_autofree char *shown = g_strdup_printf("%s (pid %u)", file, pid);
    return text_clean(shown);
}

Contract *contract_new(GVariant *details) {
    Contract *c = g_new0(Contract, 1);
    c->requester = read_string(details, "Requester");
    c->caller = read_caller(details);
    c->subject = read_string(details, "SubjectMasked");
    c->token_label = read_string(details, "TokenLabel");
    g_autofree char *subject = read_string(details, "CertificateSubject");
    c->certificate = subject ? text_common_name(subject) : NULL;
    c->texts = g_ptr_array_new_with_free_func(contract_text_free);
    g_variant_lookup(details, "TextSha256", "^as", &c->hashes);
    g_variant_lookup(details, "CreatedAt", "t", &c->created_at);
    c->deadline = read_deadline(details);
    c->tries_left = -1;
    g_variant_lookup(details, "TriesLeft", "i", &c->tries_left);
    g_variant_lookup(details, "FinalTry", "b", &c->final_try);
    g_variant_lookup(details, "MinLength", "u", &c->min_length);
    g_variant_lookup(details, "MaxLength", "u", &c->max_length);
    c->pin_entry = read_pin_entry(details);
    return c;
}

static int take_text(Contract *c, GVariant *text) {
    const char *title, *media_type, *sha256;
    g_autoptr(GVariant) content = NULL;
    g_variant_get(text, "(&s&s&s@ay)", &title, &media_type, &sha256, &content);
    ContractText *t = g_new0(ContractText, 1);
    t->title = text_clean(title);
    t->sha256 = g_strdup(sha256);
    t->bytes = g_variant_get_data_as_bytes(content);
    g_ptr_array_add(c->texts, t);
    g_autofree char *found = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, t->bytes);
    if (g_strcmp0(found, sha256) != 0)
        return EONAY_ERROR_TEXT_MISMATCH;
    gsize size;
    const char *bytes = g_bytes_get_data(t->bytes, &size);
    return text_is_safe(bytes, size) ? 0 : EONAY_ERROR_TEXT_UNSAFE;
}

int contract_take_texts(Contract *c, GVariant *texts) {
    g_ptr_array_set_size(c->texts, 0);
    int r = g_variant_n_children(texts) == 0 ? EONAY_ERROR_TEXT_MISMATCH : 0;
    for (gsize i = 0; r == 0 && i < g_variant_n_children(texts); i++) {
        g_autoptr(GVariant) text = g_variant_get_child_value(texts, i);
        r = take_text(c, text);
    }
    return r;
}

guint contract_seconds_left(const Contract *c) {
    gint64 left = c->deadline - g_get_monotonic_time();
    return left > 0 ? (guint)((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC) : 0;
}
