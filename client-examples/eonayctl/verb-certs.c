/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl certs: the certificates on all tokens; with each that cannot be used, why not. */
#include <stdio.h>

#include "bus.h"
#include "certificate.h"
#include "json.h"
#include "table.h"
#include "text.h"

static gboolean all;
static char *token;

static const GOptionEntry options[] = {
    {"all", 'a', 0, G_OPTION_ARG_NONE, &all, N_("Also those that cannot be used, with the reasons"), NULL},
    {"token", 0, 0, G_OPTION_ARG_STRING, &token, N_("Only those of this token"), N_("PATH")},
    {NULL},
};

static void add_row(Table *table, const json_t *c) {
    g_autofree char *subject = text_common_name(json_get_string(c, "Subject", ""));
    g_autofree char *issuer = text_common_name(json_get_string(c, "Issuer", ""));
    g_autofree char *from = text_date(json_get_integer(c, "NotBefore", 0));
    g_autofree char *until = text_time(json_get_integer(c, "NotAfter", 0));
    g_autofree char *print = g_strndup(json_get_string(c, "Fingerprint", ""), FINGERPRINT_SHORT);
    g_autofree char *reasons = certificate_reasons(c);
    bool usable = json_get_bool(c, "Usable", false);
    table_add(table, (const char *[]){print, subject, issuer, from, until, json_get_string(c, "KeyType", "-"),
                                      usable ? _("usable") : reasons});
}

static void show_table(const json_t *list) {
    _cleanup_(table_freep) Table *table = table_new((const char *[]){
        _("FINGERPRINT"), _("SUBJECT"), _("ISSUER"), _("VALID FROM"), _("VALID UNTIL"), _("KEY"), _("USE"), NULL});
    size_t i;
    json_t *certificate;
    json_array_foreach(list, i, certificate) {
        add_row(table, certificate);
    }
    table_show(table);
}

/* For people: when nothing can be used, the reasons are what they want to see next. */
static void show(const json_t *list) {
    _cleanup_json_ json_t *usable = json_array();
    json_t *certificate;
    size_t i;
    json_array_foreach(list, i, certificate) {
        if (json_get_bool(certificate, "Usable", false))
            json_array_append(usable, certificate);
    }
    bool some = json_array_size(usable) > 0;
    if (json_array_size(list) == 0)
        puts(_("No certificate was found. Is the card inserted?"));
    else
        show_table(all || !some ? list : usable);
    if (!some && json_array_size(list) > 0)
        puts(_("None of these can be used."));
}

static int check(const Ctl *ctl) {
    (void)ctl;
    if (token && !sd_bus_object_path_is_valid(token))
        return ctl_usage(_("'%s' is not an object path; 'eonayctl tokens' shows them."), token);
    return CTL_OK;
}

static int run(Ctl *ctl, char **arguments) {
    (void)arguments;
    _cleanup_json_ json_t *list = NULL;
    int r = certificate_list(ctl, &(CertificateFilter){.usable = ctl->json && !all, .token = token}, &list);
    if (r != CTL_OK)
        return r;
    if (ctl->json)
        json_print(json_incref(list));
    else
        show(list);
    return CTL_OK;
}

const Verb verb_certs = {
    .name = "certs",
    .summary = N_("List certificates and whether they can be used"),
    .options = options,
    .check = check,
    .run = run,
};
