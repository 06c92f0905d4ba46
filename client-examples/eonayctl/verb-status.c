/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl status: the daemon, its authorities, what is wrong and what to do; with --subject-file also an approval. */
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "error.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "state.h"
#include "table.h"
#include "text.h"

static char *backend;
static char *subject_file;

static const GOptionEntry options[] = {
    {"subject-file", 0, 0, G_OPTION_ARG_FILENAME, &subject_file,
     N_("Tell whether this T.C. identity number (in a file; -: standard input) has approved already"), N_("FILE")},
    {"backend", 'b', 0, G_OPTION_ARG_STRING, &backend, N_("Ask this authority for the approval"), N_("NAME")},
    {NULL},
};

static int manager_properties(Ctl *ctl, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    sd_bus_message *m = bus_method(ctl, NULL, "org.freedesktop.DBus.Properties", "GetAll");
    if (m)
        sd_bus_message_append(m, "s", EONAY_INTERFACE_MANAGER);
    int r = bus_call_or_report(ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = json_read(reply, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

static int approval(Ctl *ctl, json_t *status) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    g_autofree char *subject = NULL;
    json_t *answer = NULL;
    int r = file_line(subject_file, 64, &subject);
    if (r < 0)
        return r == -EFBIG ? failure_report_code(ctl, EONAY_ERROR_SUBJECT_INVALID, NULL)
                           : ctl_usage(_("A file given cannot be read: %s"), g_strerror(-r));
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "GetApproval");
    if (m) {
        sd_bus_message_sensitive(m);
        sd_bus_message_append(m, "sa{sv}", backend ? backend : "", 1, "subject", "s", subject);
    }
    r = bus_call_or_report(ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = json_read(reply, &answer);
    if (r < 0)
        return failure_report_errno(ctl, r);
    json_object_set_new(status, "Approval", answer);
    return CTL_OK;
}

/* "ao" becomes the properties of each, in the same order. */
static int add_backends(Ctl *ctl, json_t *status) {
    json_t *list = json_array(), *path;
    size_t i;
    json_array_foreach(json_object_get(status, "Backends"), i, path) {
        json_t *properties = NULL;
        const char *name = json_string_value(path);
        if (!name || bus_properties(ctl, name, EONAY_INTERFACE_BACKEND, &properties) < 0)
            continue;
        json_object_set(properties, "Path", path);
        json_array_append_new(list, properties);
    }
    json_object_set_new(status, "Backends", list);
    return ctl->interrupted ? failure_report_errno(ctl, -EINTR) : CTL_OK;
}

static char *join(const json_t *strings) {
    GString *all = g_string_new(NULL);
    json_t *one;
    size_t i;
    json_array_foreach(strings, i, one) {
        g_string_append_printf(all, "%s%s", i > 0 ? ", " : "", json_string_value(one) ? json_string_value(one) : "");
    }
    return g_string_free(all, FALSE);
}

static void show_backends(const json_t *status) {
    _cleanup_(table_freep) Table *table =
        table_new((const char *[]){_("AUTHORITY"), _("NAME"), _("PLUGIN"), _("STATE"), _("CODE LIFE"), _("CAN"), NULL});
    const char *preferred = json_get_string(status, "DefaultBackend", "");
    json_t *b;
    size_t i;
    json_array_foreach(json_object_get(status, "Backends"), i, b) {
        const char *path = json_get_string(b, "Path", ""), *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        long long life = json_get_integer(b, "CodeLifetime", 0);
        g_autofree char *id = g_strconcat(name, strcmp(name, preferred) == 0 ? " *" : "", NULL);
        g_autofree char *seconds = life > 0 ? g_strdup_printf(_("%lld s"), life) : g_strdup("-");
        g_autofree char *can = join(json_object_get(b, "Capabilities"));
        table_add(table,
                  (const char *[]){id, json_get_string(b, "Name", "-"), json_get_string(b, "Plugin", "-"),
                                   state_of_object(json_get_string(b, "State", "-")), seconds, *can ? can : "-"});
    }
    puts("");
    if (table_rows(table) > 0)
        table_show(table);
    else
        puts(_("No authority is configured."));
}

static void show_health(const json_t *health) {
    json_t *entry;
    size_t i;
    if (json_array_size(health) == 0)
        puts(_("Nothing is wrong."));
    json_array_foreach(health, i, entry) {
        g_autofree char *problem = text_clean(json_get_string(entry, "problem", ""));
        g_autofree char *hint = text_clean(json_get_string(entry, "hint", ""));
        printf("%s %s\n", _("Problem:"), problem);
        if (*hint)
            printf("  %s\n", hint);
    }
}

static void show_limits(const json_t *limits) {
    const char *key;
    json_t *value;
    printf("\n%s", _("Limits:"));
    json_object_foreach((json_t *)limits, key, value) {
        printf(" %s=%lld", key, (long long)json_integer_value(value));
    }
    puts("");
}

static void show_approval(const json_t *answer) {
    if (!answer)
        return;
    g_autofree char *time = text_time(json_get_integer(answer, "ApprovedAt", 0));
    g_autofree char *receipt = text_clean(json_get_string(answer, "ReceiptId", "-"));
    g_autofree char *text_version = text_clean(json_get_string(answer, "TextVersion", "-"));
    puts("");
    if (!json_get_bool(answer, "Approved", false))
        puts(_("The authority holds no approval of this person."));
    else
        printf(_("The authority holds the approval of this person: receipt %s of %s, text version %s.\n"), receipt,
               time, text_version);
}

static int run(Ctl *ctl, char **arguments) {
    (void)arguments;
    _cleanup_json_ json_t *status = NULL;
    int r = manager_properties(ctl, &status);
    if (r == CTL_OK)
        r = add_backends(ctl, status);
    if (r == CTL_OK && subject_file)
        r = approval(ctl, status);
    if (r != CTL_OK)
        return r;
    if (ctl->json) {
        json_print(json_incref(status));
        return CTL_OK;
    }
    printf(_("eonayd %s, eonayctl %s\n"), json_get_string(status, "Version", "-"), EONAY_VERSION);
    show_health(json_object_get(status, "Health"));
    show_backends(status);
    show_limits(json_object_get(status, "Limits"));
    show_approval(json_object_get(status, "Approval"));
    return CTL_OK;
}

const Verb verb_status = {
    .name = "status",
    .summary = N_("Show the service, its authorities, and what is wrong"),
    .options = options,
    .run = run,
};
