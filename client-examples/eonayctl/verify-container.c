/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest is judged here, the time stamp and the signatures by the daemon, one after the other. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "asice.h"
#include "bus.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "text.h"
#include "verify-call.h"

static int refuse_as(Ctl *ctl, int status, const char *why, const char *detail) {
    if (ctl->json)
        json_print(json_pack("{s:s, s:b, s:s, s:s}", "Container", "ASiC-E", "Valid", 0, "Reason", why, "Detail",
                             detail ? detail : ""));
    else if (detail)
        printf(_("The container is NOT valid: %s (%s).\n"), _(why), detail);
    else
        printf(_("The container is NOT valid: %s.\n"), _(why));
    return status;
}

static int refuse(Ctl *ctl, const char *why, const char *detail) {
    return refuse_as(ctl, CTL_FAILED, why, detail);
}

/* VerifyTimestamp: the stamp over the manifest. */
static int stamp_verify(Ctl *ctl, const GPtrArray *files, const VerifyInput *input, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    uint8_t digest[32];
    int token = -1;
    asice_digest(container_find(files, ASICE_MANIFEST), digest);
    int r = file_memfd_of(container_find(files, ASICE_STAMP), &token);
    sd_bus_message *m = r == 0 ? bus_method(ctl, NULL, NULL, "VerifyTimestamp") : NULL;
    if (m) {
        sd_bus_message_append(m, "h", token);
        sd_bus_message_append_array(m, 'y', digest, sizeof(digest));
        sd_bus_message_open_container(m, 'a', "{sv}");
        bus_append_fd(m, "anchors", input->anchors);
        if (input->at != 0)
            sd_bus_message_append(m, "{sv}", "at", "t", input->at);
        sd_bus_message_close_container(m);
    }
    if (token >= 0)
        close(token);
    if (r != 0)
        return failure_report_errno(ctl, r);
    int status = bus_call_or_report(ctl, m, &reply);
    if (status != CTL_OK)
        return status;
    r = json_read(reply, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

/* With nobody to trust it is only sound, and that is said; with somebody, it has to hold. */
static int stamp_outcome(Ctl *ctl, const json_t *stamp) {
    const char *indication = json_get_string(stamp, "Indication", "");
    const char *detail = json_get_string(stamp, "Detail", "");
    bool undecided = strcmp(indication, "INDETERMINATE") == 0;
    if (strcmp(indication, "TOTAL-PASSED") == 0 || (undecided && !json_get_bool(stamp, "ChainChecked", false)))
        return CTL_OK;
    return refuse_as(ctl, undecided ? CTL_UNDECIDED : CTL_FAILED, N_("its time stamp does not hold"), detail);
}

static int signature_verify(Ctl *ctl, GBytes *signature, GBytes *text, const VerifyInput *input, json_t **ret) {
    VerifyInput one = *input;
    one.signature = one.content = -1;
    int r = file_memfd_of(signature, &one.signature);
    if (r == 0)
        r = file_memfd_of(text, &one.content);
    int status = r == 0 ? verify_call(ctl, &one, ret) : failure_report_errno(ctl, r);
    if (one.signature >= 0)
        close(one.signature);
    if (one.content >= 0)
        close(one.content);
    return status;
}

/* The text that a signature is over, by its name; NULL when it is no signature. */
static char *text_name_of(const char *name) {
    if (!g_str_has_suffix(name, ".p7s"))
        return NULL;
    return g_strdup_printf("%.*s.txt", (int)(strlen(name) - strlen(".p7s")), name);
}

/* Every text has its signature. NULL, or the one that has none. */
static const char *unsigned_text(const GPtrArray *files) {
    for (guint i = 0; i < files->len; i++) {
        const ContainerFile *f = files->pdata[i];
        if (!g_str_has_suffix(f->name, ".txt"))
            continue;
        g_autofree char *signature = g_strdup_printf("%.*s.p7s", (int)(strlen(f->name) - strlen(".txt")), f->name);
        if (!container_find(files, signature))
            return f->name;
    }
    return NULL;
}

/* reports: file name → report, in the order of the container. */
static int signatures_verify(Ctl *ctl, const GPtrArray *files, const VerifyInput *input, json_t *reports) {
    for (guint i = 0; i < files->len; i++) {
        const ContainerFile *f = files->pdata[i];
        g_autofree char *name = text_name_of(f->name);
        json_t *report = NULL;
        if (!name)
            continue;
        GBytes *text = container_find(files, name);
        if (!text)
            return refuse(ctl, N_("a signature is without its text"), f->name);
        int r = signature_verify(ctl, f->bytes, text, input, &report);
        if (r != CTL_OK)
            return r;
        json_object_set_new(reports, f->name, report);
    }
    return json_object_size(reports) > 0 ? CTL_OK : refuse(ctl, N_("there is no signature in it"), NULL);
}

/* The worst of all. */
static int outcome_of_all(json_t *reports) {
    int outcome = CTL_OK;
    const char *name;
    json_t *report;
    json_object_foreach(reports, name, report) {
        int one = verify_outcome(report);
        if (one == CTL_FAILED || outcome == CTL_OK)
            outcome = one;
    }
    return outcome;
}

static void show(json_t *reports, const json_t *stamp) {
    g_autofree char *time = text_time(json_get_integer(stamp, "Time", 0));
    const char *name;
    json_t *report;
    puts(_("Everything in the container is as it was when it was stamped."));
    verify_show_line(_("Stamped:"), time);
    verify_show_line(_("Time-stamp authority:"), json_get_string(stamp, "Authority", NULL));
    if (!json_get_bool(stamp, "ChainChecked", false))
        puts(_("  No trust anchor is configured: it was not checked who made the time stamp."));
    json_object_foreach(reports, name, report) {
        g_autofree char *clean = text_clean(name);
        printf("%s: ", clean);
        verify_show(report);
    }
}

static bool all_valid(json_t *reports) {
    const char *name;
    json_t *report;
    json_object_foreach(reports, name, report) {
        if (!json_get_bool(report, "Valid", false))
            return false;
    }
    return true;
}

static void print(json_t *reports, const json_t *stamp) {
    json_print(json_pack("{s:s, s:b, s:I, s:s, s:b, s:s, s:O}", "Container", "ASiC-E", "Valid", all_valid(reports),
                         "StampTime", (json_int_t)json_get_integer(stamp, "Time", 0), "StampAuthority",
                         json_get_string(stamp, "Authority", ""), "StampChainChecked",
                         json_get_bool(stamp, "ChainChecked", false), "StampIndication",
                         json_get_string(stamp, "Indication", ""), "Signatures", reports));
}

static int files_verify(Ctl *ctl, const GPtrArray *files, const VerifyInput *input) {
    _cleanup_json_ json_t *stamp = NULL;
    _cleanup_json_ json_t *reports = json_object();
    int r = stamp_verify(ctl, files, input, &stamp);
    if (r == CTL_OK)
        r = stamp_outcome(ctl, stamp);
    if (r != CTL_OK)
        return r;
    const char *bare = unsigned_text(files);
    r = bare ? refuse(ctl, N_("a text is without its signature"), bare) : signatures_verify(ctl, files, input, reports);
    if (r != CTL_OK)
        return r;
    if (ctl->json)
        print(reports, stamp);
    else
        show(reports, stamp);
    return outcome_of_all(reports);
}

int verify_container(Ctl *ctl, GBytes *container, const VerifyInput *input) {
    g_autoptr(GPtrArray) files = NULL;
    g_autofree char *name = NULL;
    const char *why = asice_open(container, EONAY_SIGNATURE_SIZE_MAX, &files, &name);
    return why ? refuse(ctl, why, name) : files_verify(ctl, files, input);
}
