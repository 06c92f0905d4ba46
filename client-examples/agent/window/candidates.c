/* SPDX-License-Identifier: Apache-2.0 */
#include "candidates.h"

#include "../../eonayctl/certificate.h"
#include "../../eonayctl/text.h"
#include "eonay/plugin.h"
#include "error.h"
#include "names.h"
#include "translate.h"

static GVariant *properties_of(GVariant *objects, const char *path, const char *interface) {
    g_autoptr(GVariant) all = g_variant_get_child_value(objects, 0);
    g_autoptr(GVariant) interfaces = g_variant_lookup_value(all, path, G_VARIANT_TYPE("a{sa{sv}}"));
    return interfaces ? g_variant_lookup_value(interfaces, interface, G_VARIANT_TYPE_VARDICT) : NULL;
}

/* The reader a card is in; what it calls itself where there is none. */
static char *place_of(GVariant *objects, GVariant *token) {
    const char *reader = "/", *name = NULL;
    g_variant_lookup(token, "Reader", "&o", &reader);
    g_autoptr(GVariant) properties = properties_of(objects, reader, EONAY_INTERFACE_READER);
    if (!properties || !g_variant_lookup(properties, "Name", "&s", &name))
        g_variant_lookup(token, "Model", "&s", &name);
    return name && *name ? text_clean(name) : NULL;
}

static void add_token(Choice *c, GVariant *objects) {
    const char *pin_state = "";
    g_autoptr(GVariant) token = properties_of(objects, c->token, EONAY_INTERFACE_TOKEN);
    if (!token)
        return;
    g_variant_lookup(token, "PinPad", "b", &c->pinpad);
    g_variant_lookup(token, "PinState", "&s", &pin_state);
    c->final_try = g_strcmp0(pin_state, "final-try") == 0;
    c->locked = g_strcmp0(pin_state, "locked") == 0;
    c->token_label = place_of(objects, token);
}

static Choice *read_choice(const char *path, GVariant *certificate, GVariant *objects) {
    const char *subject = "", *issuer = "", *token = "/";
    Choice *c = g_new0(Choice, 1);
    g_variant_lookup(certificate, "Subject", "&s", &subject);
    g_variant_lookup(certificate, "Issuer", "&s", &issuer);
    g_variant_lookup(certificate, "Token", "&o", &token);
    g_variant_lookup(certificate, "NotAfter", "t", &c->not_after);
    g_autofree char *name = text_common_name(subject);
    g_autofree char *issuer_name = text_common_name(issuer);
    c->path = g_strdup(path);
    c->token = g_strdup(token);
    c->name = text_clean(name);
    c->issuer = text_clean(issuer_name);
    add_token(c, objects);
    return c;
}

/* A locked PIN is something to do about: not with the verification code. */
static void append_reason(GString *problem, const char *reason) {
    if (g_strcmp0(reason, "pin-locked") == 0)
        g_string_append_printf(problem, "%s %s", eonay_error_text(EONAY_ERROR_PIN_LOCKED),
                               eonay_error_hint(EONAY_ERROR_PIN_LOCKED));
    else
        g_string_append(problem, reason ? certificate_reason(reason) : "-");
}

/* "AYŞE YILMAZ: the certificate has expired": the first, most important reason of each. */
static void add_problem(GString *problem, const char *path, GVariant *certificate) {
    g_autofree const char **reasons = NULL;
    const char *subject = path;
    g_variant_lookup(certificate, "Subject", "&s", &subject);
    g_variant_lookup(certificate, "Reasons", "^a&s", &reasons);
    g_autofree char *common = text_common_name(subject);
    g_autofree char *name = text_clean(common);
    g_string_append_printf(problem, "%s%s: ", problem->len ? "\n" : "", name);
    append_reason(problem, reasons ? reasons[0] : NULL);
}

GPtrArray *candidates_read(GVariant *certificates, GVariant *objects, char **ret_problem) {
    GPtrArray *choices = g_ptr_array_new_with_free_func(choice_free);
    g_autoptr(GString) problem = g_string_new(NULL);
    g_autoptr(GVariant) list = g_variant_get_child_value(certificates, 0);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        const char *path;
        gboolean usable = FALSE;
        g_autoptr(GVariant) properties = NULL;
        g_autoptr(GVariant) entry = g_variant_get_child_value(list, i);
        g_variant_get(entry, "(&o@a{sv})", &path, &properties);
        g_variant_lookup(properties, "Usable", "b", &usable);
        if (usable)
            g_ptr_array_add(choices, read_choice(path, properties, objects));
        else
            add_problem(problem, path, properties);
    }
    *ret_problem = choices->len == 0 && problem->len > 0 ? g_strdup(problem->str) : NULL;
    return choices;
}
