/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl consents and export: the daemon's records of this user, and the evidence of one of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "asic.h"
#include "asice.h"
#include "bus.h"
#include "error.h"
#include "export-asice.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "state.h"
#include "table.h"
#include "text.h"

#define NEWEST            20u
#define EVIDENCE_SIZE_MAX (256u << 20)

static gboolean all;
static gint uid = -1;
static char *output;

static const GOptionEntry consents_options[] = {
    {"all", 'a', 0, G_OPTION_ARG_NONE, &all, N_("Not only the 20 newest"), NULL},
    {"uid", 0, 0, G_OPTION_ARG_INT, &uid, N_("Those of another user, for administrators"), N_("NUMBER")},
    {NULL},
};

static const GOptionEntry export_options[] = {
    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, N_("Write the evidence here (-: standard output)"), N_("FILE")},
    {NULL},
};

static int list(Ctl *ctl, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "ListConsents");
    if (m) {
        sd_bus_message_open_container(m, 'a', "{sv}");
        if (!all)
            sd_bus_message_append(m, "{sv}", "limit", "u", (uint32_t)NEWEST);
        if (uid >= 0)
            sd_bus_message_append(m, "{sv}", "uid", "u", (uint32_t)uid);
        sd_bus_message_close_container(m);
    }
    int r = bus_call_or_report(ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = json_read(reply, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

static void add_row(Table *table, const json_t *c) {
    g_autofree char *opened = text_time(json_get_integer(c, "OpenedAt", 0));
    g_autofree char *signed_at = text_time(json_get_integer(c, "SignedAt", 0));
    int error = eonay_error_from_name(json_get_string(c, "Error", ""));
    const char *state = state_of_consent(json_get_string(c, "State", "-"));
    g_autofree char *outcome = error > 0 ? g_strdup_printf("%s: %s", state, eonay_error_text(error)) : g_strdup(state);
    table_add(table, (const char *[]){json_get_string(c, "ConsentId", "-"), opened, json_get_string(c, "Backend", "-"),
                                      json_get_string(c, "Purpose", "-"), signed_at,
                                      json_get_string(c, "ReceiptId", "-"), outcome});
}

static void show_table(const json_t *records) {
    _cleanup_(table_freep) Table *table = table_new((const char *[]){
        _("CONSENT"), _("OPENED"), _("AUTHORITY"), _("PURPOSE"), _("SIGNED"), _("RECEIPT"), _("STATE"), NULL});
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record) {
        add_row(table, record);
    }
    table_show(table);
}

static int run_consents(Ctl *ctl, char **arguments) {
    (void)arguments;
    _cleanup_json_ json_t *records = NULL;
    int r = list(ctl, &records);
    if (r != CTL_OK)
        return r;
    if (ctl->json)
        json_print(json_incref(records));
    else if (json_array_size(records) == 0)
        puts(_("There are no consents yet."));
    else
        show_table(records);
    return CTL_OK;
}

static int export(Ctl *ctl, const char *id, GBytes **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int fd;
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "ExportEvidence");
    if (m)
        sd_bus_message_append(m, "sa{sv}", id, 0);
    int r = bus_call_or_report(ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = sd_bus_message_read(reply, "h", &fd);
    if (r >= 0)
        r = file_from_memfd(fd, EVIDENCE_SIZE_MAX, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

static int report_written(Ctl *ctl, const char *id, size_t size) {
    if (g_strcmp0(output, "-") == 0)
        return CTL_OK;
    if (ctl->json)
        json_print(json_pack("{s:s, s:s, s:I}", "ConsentId", id, "File", output, "Size", (json_int_t)size));
    else
        printf(_("The evidence is in '%s' (%zu bytes). It is personal: it holds name and identity number.\n"), output,
               size);
    return CTL_OK;
}

static int check_export(const Ctl *ctl) {
    (void)ctl;
    return output ? CTL_OK : ctl_usage(_("Say with --output where the evidence shall be written."));
}

static int store(const char *path, GBytes *bytes) {
    int r = file_store(path, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    if (r == 0)
        return CTL_OK;
    fprintf(stderr, _("eonayctl: '%s' cannot be written: %s\n"), path,
            r == -ENOTSUP ? _("it is a terminal") : g_strerror(-r));
    return CTL_FAILED;
}

/* The record without what stands in the container already. */
static GBytes *record_of(const json_t *evidence) {
    _cleanup_json_ json_t *record = json_deep_copy(evidence);
    json_t *texts = json_object_get(record, "texts"), *text;
    size_t i;
    json_object_del(record, "signatures_base64");
    json_object_del(record, "certificate_base64");
    json_array_foreach(texts, i, text) {
        json_object_del(text, "bytes_base64");
    }
    char *bytes = json_text(record);
    return g_bytes_new_take(bytes, strlen(bytes));
}

/* Each signature in a container of its own, the second in NAME-2.asics. */
static int store_containers(const json_t *evidence, size_t *ret_size) {
    g_autoptr(GBytes) record = record_of(evidence);
    json_t *signatures = json_object_get(evidence, "signatures_base64"), *text;
    size_t i;
    int r = json_array_size(signatures) > 0 ? CTL_OK : CTL_FAILED;
    if (r != CTL_OK)
        fputs(_("eonayctl: this consent was not signed.\n"), stderr);
    json_array_foreach(signatures, i, text) {
        g_autofree char *path = i == 0 ? g_strdup(output) : file_numbered(output, (unsigned)i + 1);
        g_autoptr(GBytes) container = NULL;
        gsize size = 0;
        guint8 *der = g_base64_decode(json_string_value(text) ? json_string_value(text) : "", &size);
        g_autoptr(GBytes) signature = g_bytes_new_take(der, size);
        int made = asic_make(signature, record, &container);
        if (made != 0) {
            fprintf(stderr, _("eonayctl: '%s' cannot be written: %s\n"), path, g_strerror(-made));
            return CTL_FAILED;
        }
        r = r == CTL_OK ? store(path, container) : r;
        *ret_size += g_bytes_get_size(container);
    }
    return r;
}

/* All of it in one, under a time stamp. */
static int store_stamped(Ctl *ctl, const char *id, const json_t *evidence, size_t *ret_size) {
    g_autoptr(GBytes) record = record_of(evidence);
    g_autoptr(GBytes) container = NULL;
    int r = export_asice(ctl, id, evidence, record, &container);
    if (r != CTL_OK)
        return r;
    *ret_size = g_bytes_get_size(container);
    return store(output, container);
}

/* The evidence in the form that the name asks for. */
static int store_as_named(Ctl *ctl, const char *id, GBytes *evidence, size_t *ret_size) {
    bool plain = g_str_has_suffix(output, ".asics"), stamped = g_str_has_suffix(output, ".asice");
    *ret_size = g_bytes_get_size(evidence);
    if (container_begins(evidence, ASICE_MIMETYPE)) { /* imported: as it came */
        if (!stamped && g_strcmp0(output, "-") != 0)
            return ctl_usage(_("This evidence was imported as a container: take a name that ends in .asice."));
        return store(output, evidence);
    }
    if (!plain && !stamped)
        return store(output, evidence);
    _cleanup_json_ json_t *document = json_loadb(g_bytes_get_data(evidence, NULL), g_bytes_get_size(evidence), 0, NULL);
    *ret_size = 0;
    if (!document)
        return failure_report_errno(ctl, -EBADMSG);
    return stamped ? store_stamped(ctl, id, document, ret_size) : store_containers(document, ret_size);
}

static int run_export(Ctl *ctl, char **arguments) {
    g_autoptr(GBytes) evidence = NULL;
    size_t size = 0;
    int r = export(ctl, arguments[0], &evidence);
    if (r != CTL_OK)
        return r;
    r = store_as_named(ctl, arguments[0], evidence, &size);
    return r == CTL_OK ? report_written(ctl, arguments[0], size) : r;
}

const Verb verb_consents = {
    .name = "consents",
    .summary = N_("List your consents and what became of them"),
    .options = consents_options,
    .run = run_consents,
};

const Verb verb_export = {
    .name = "export",
    .arguments = N_("ID"),
    .min = 1,
    .max = 1,
    .summary = N_("Write everything that is kept of a consent to a file"),
    .options = export_options,
    .check = check_export,
    .run = run_export,
};
