/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl verify: lets the daemon verify a signature file completely; the exit code tells the outcome. */
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "cades.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "text.h"

static char *content_file;

static const GOptionEntry options[] = {
    {"content", 'c', 0, G_OPTION_ARG_FILENAME, &content_file, N_("The bytes that must have been signed"), N_("FILE")},
    {NULL},
};

static const struct {
    const char *name;
    const char *text;
} checks[] = {
#define CHECK_(id, name_, text_) {.name = (name_), .text = (text_)},
    CADES_CHECK_TABLE(CHECK_)
#undef CHECK_
};

static const char *check_text(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++)
        if (strcmp(checks[i].name, name) == 0)
            return _(checks[i].text);
    return name;
}

static int verify(Ctl *ctl, int signature, int content, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "VerifySignature");
    if (m) {
        sd_bus_message_append(m, "h", signature);
        sd_bus_message_open_container(m, 'a', "{sv}");
        bus_append_fd(m, "content", content);
        sd_bus_message_close_container(m);
    }
    int r = bus_call_or_report(ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = json_read(reply, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

static void show_line(const char *label, const char *value) {
    if (!value || !*value)
        return;
    g_autofree char *clean = text_clean(value);
    printf("  %s %s\n", label, clean);
}

static void show_report(const json_t *report) {
    const char *failed = json_get_string(report, "FailedCheck", "");
    g_autofree char *time = text_time(json_get_integer(report, "SigningTime", 0));
    if (json_get_bool(report, "Valid", false))
        puts(_("The signature is valid."));
    else
        printf(_("The signature is NOT valid. It does not hold that: %s (%s).\n"), check_text(failed), failed);
    show_line(_("Signer:"), json_get_string(report, "Subject", NULL));
    show_line(_("Issuer:"), json_get_string(report, "Issuer", NULL));
    show_line(_("Signed (as claimed by the signer):"), time);
    show_line(_("Algorithm:"), json_get_string(report, "Algorithm", NULL));
    show_line(_("SHA-256 of the content:"), json_get_string(report, "ContentSha256", NULL));
    if (json_get_bool(report, "Valid", false) && !json_get_bool(report, "ChainChecked", false))
        puts(_("  No trust anchor is configured: it was not checked who issued the certificate."));
}

static int open_input(const char *path, size_t max, int *ret_fd) {
    int r = path ? file_to_memfd(path, max, ret_fd) : 0;
    if (r == 0)
        return CTL_OK;
    fprintf(stderr, _("eonayctl: '%s' cannot be read: %s\n"), path, g_strerror(-r));
    return CTL_FAILED;
}

static int run(Ctl *ctl, char **arguments) {
    _cleanup_close_ int signature = -1, content = -1;
    _cleanup_json_ json_t *report = NULL;
    int r = open_input(arguments[0], EONAY_SIGNATURE_SIZE_MAX, &signature);
    if (r == CTL_OK)
        r = open_input(content_file, EONAY_SIGNATURE_SIZE_MAX, &content);
    if (r == CTL_OK)
        r = verify(ctl, signature, content, &report);
    if (r != CTL_OK)
        return r;
    if (ctl->json)
        json_print(json_incref(report));
    else
        show_report(report);
    return json_get_bool(report, "Valid", false) ? CTL_OK : CTL_FAILED;
}

const Verb verb_verify = {
    .name = "verify",
    .arguments = N_("FILE"),
    .min = 1,
    .max = 1,
    .summary = N_("Verify a signature"),
    .options = options,
    .run = run,
};
