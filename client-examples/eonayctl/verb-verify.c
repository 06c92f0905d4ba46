/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl verify: lets the daemon verify a signature file completely; the exit code tells the outcome. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "asic.h"
#include "asice.h"
#include "bus.h"
#include "cades-level.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "text.h"
#include "verify-call.h"
#include "verify.h"

#define CONTAINER_SIZE_MAX (4 * (size_t)EONAY_SIGNATURE_SIZE_MAX)

static char *content_file, *anchors_file, *lists_file, *level, *moment;
static gboolean qualified;

static const GOptionEntry options[] = {
    {"content", 'c', 0, G_OPTION_ARG_FILENAME, &content_file, N_("The bytes that must have been signed"), N_("FILE")},
    {"anchors", 'A', 0, G_OPTION_ARG_FILENAME, &anchors_file, N_("The certificates to trust, PEM"), N_("FILE")},
    {"crls", 0, 0, G_OPTION_ARG_FILENAME, &lists_file, N_("Further revocation lists, PEM"), N_("FILE")},
    {"level", 'l', 0, G_OPTION_ARG_STRING, &level, N_("The level that must be reached"), N_("LEVEL")},
    {"at", 0, 0, G_OPTION_ARG_STRING, &moment, N_("The moment of verification, 2030-12-31T23:59:59Z"), N_("TIME")},
    {"qualified", 0, 0, G_OPTION_ARG_NONE, &qualified, N_("The certificate must be a qualified one"), NULL},
    {NULL},
};

static const struct {
    const char *name;
    const char *text;
} checks[] = {
#define CHECK_(id, name_, text_) {.name = (name_), .text = (text_)},
    CADES_CHECK_TABLE(CHECK_) VERIFY_CHECK_TABLE(CHECK_)
#undef CHECK_
};

static const char *check_text(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++)
        if (strcmp(checks[i].name, name) == 0)
            return _(checks[i].text);
    return name;
}

static const struct {
    const char *name;
    const char *text;
} subs[] = {
#define SUB_(id, indication_, text_) {.name = #id, .text = (text_)},
    VERIFY_SUB_TABLE(SUB_)
#undef SUB_
};

static const char *sub_text(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(subs); i++)
        if (strcmp(subs[i].name, name) == 0)
            return _(subs[i].text);
    return name;
}

typedef struct Input {
    VerifyInput call;
    GBytes *container; /* an ASiC-E instead of a signature; or NULL */
} Input;

static void input_close(Input *input) {
    const VerifyInput *i = &input->call;
    g_clear_pointer(&input->container, g_bytes_unref);
    const int descriptors[] = {i->signature, i->content, i->anchors, i->lists};
    for (size_t n = 0; n < G_N_ELEMENTS(descriptors); n++)
        if (descriptors[n] >= 0)
            close(descriptors[n]);
}

int verify_call(Ctl *ctl, const VerifyInput *i, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "VerifySignature");
    if (m) {
        sd_bus_message_append(m, "h", i->signature);
        sd_bus_message_open_container(m, 'a', "{sv}");
        bus_append_fd(m, "content", i->content);
        bus_append_fd(m, "anchors", i->anchors);
        bus_append_fd(m, "crls", i->lists);
        if (level)
            sd_bus_message_append(m, "{sv}", "level", "s", level);
        if (i->at != 0)
            sd_bus_message_append(m, "{sv}", "at", "t", i->at);
        if (qualified)
            sd_bus_message_append(m, "{sv}", "qualified", "b", 1);
        sd_bus_message_close_container(m);
    }
    int r = bus_call_or_report(ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = json_read(reply, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

void verify_show_line(const char *label, const char *value) {
    if (!value || !*value)
        return;
    g_autofree char *clean = text_clean(value);
    printf("  %s %s\n", label, clean);
}

/* Where something could not be told either, FailedCheck may name that; what failed decides. */
static const char *failed_check(const json_t *report) {
    const char *first = json_string_value(json_array_get(json_object_get(report, "Failed"), 0));
    return first ? first : json_get_string(report, "FailedCheck", "");
}

static void show_verdict(const json_t *report) {
    const char *failed = failed_check(report);
    const char *indication = json_get_string(report, "Indication", "");
    const char *sub = json_get_string(report, "SubIndication", "");
    if (!json_get_bool(report, "Valid", false))
        printf(_("The signature is NOT valid. It does not hold that: %s (%s).\n"), check_text(failed), failed);
    else if (strcmp(indication, "INDETERMINATE") == 0)
        puts(_("The signature itself is sound. Whether it counts cannot be told from what is there."));
    else
        puts(_("The signature is valid."));
    if (*sub)
        printf("  %s (%s): %s\n", indication, sub, sub_text(sub));
    else if (*indication)
        printf("  %s\n", indication);
}

static void show_time(const char *label, const json_t *report, const char *key) {
    int64_t time = json_get_integer(report, key, 0);
    g_autofree char *text = text_time(time);
    if (time != 0)
        verify_show_line(label, text);
}

void verify_show(const json_t *report) {
    g_autofree char *time = text_time(json_get_integer(report, "SigningTime", 0));
    show_verdict(report);
    verify_show_line(_("Signer:"), json_get_string(report, "Subject", NULL));
    verify_show_line(_("Issuer:"), json_get_string(report, "Issuer", NULL));
    verify_show_line(_("Signed (as claimed by the signer):"), time);
    show_time(_("Proven to exist since:"), report, "ProvenTime");
    show_time(_("Renew the proof before:"), report, "RenewBefore");
    verify_show_line(_("Level:"), json_get_string(report, "Level", NULL));
    verify_show_line(_("Algorithm:"), json_get_string(report, "Algorithm", NULL));
    verify_show_line(_("SHA-256 of the content:"), json_get_string(report, "ContentSha256", NULL));
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

/* 2030-12-31T23:59:59Z */
static bool moment_read(const char *text, uint64_t *ret) {
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
    int64_t seconds = time ? g_date_time_to_unix(time) : -1;
    if (seconds <= 0)
        return false;
    *ret = (uint64_t)seconds * G_USEC_PER_SEC;
    return true;
}

/* An ASiC-S: its signature, and its text as the content, unless another one is asked for. */
static int container_open(VerifyInput *i, GBytes *container) {
    g_autoptr(GBytes) text = NULL;
    g_autoptr(GBytes) signature = NULL;
    int r = asic_open(container, EONAY_SIGNATURE_SIZE_MAX, &text, &signature);
    r = r == 0 ? file_memfd_of(signature, &i->signature) : r;
    return r == 0 && !content_file ? file_memfd_of(text, &i->content) : r;
}

static int signature_open(Input *input, const char *path) {
    g_autoptr(GBytes) bytes = NULL;
    VerifyInput *i = &input->call;
    int r = file_read(path, CONTAINER_SIZE_MAX, &bytes);
    if (r == 0 && container_begins(bytes, ASICE_MIMETYPE))
        input->container = g_steal_pointer(&bytes);
    else if (r == 0 && asic_is(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)))
        r = container_open(i, bytes);
    else if (r == 0)
        r = g_bytes_get_size(bytes) > EONAY_SIGNATURE_SIZE_MAX ? -EFBIG : file_memfd_of(bytes, &i->signature);
    if (r == 0)
        return CTL_OK;
    fprintf(stderr, _("eonayctl: '%s' cannot be read: %s\n"), path, g_strerror(-r));
    return CTL_FAILED;
}

static int input_open(Input *input, const char *path) {
    VerifyInput *i = &input->call;
    if (moment && !moment_read(moment, &i->at)) {
        fprintf(stderr, _("eonayctl: '%s' is no moment such as 2030-12-31T23:59:59Z.\n"), moment);
        return CTL_USAGE;
    }
    int r = signature_open(input, path);
    if (r == CTL_OK && input->container && content_file)
        r = ctl_usage(_("The texts are in the container: --content is for a signature alone."));
    if (r == CTL_OK)
        r = open_input(content_file, EONAY_SIGNATURE_SIZE_MAX, &i->content);
    if (r == CTL_OK)
        r = open_input(anchors_file, EONAY_FILE_SIZE_MAX, &i->anchors);
    return r == CTL_OK ? open_input(lists_file, EONAY_SIGNATURE_SIZE_MAX, &i->lists) : r;
}

/* With anchors the question is whether it counts; without them, whether it is sound. */
int verify_outcome(const json_t *report) {
    const char *indication = json_get_string(report, "Indication", "");
    if (json_get_bool(report, "ChainChecked", false) && strcmp(indication, "INDETERMINATE") == 0)
        return CTL_UNDECIDED;
    return json_get_bool(report, "Valid", false) ? CTL_OK : CTL_FAILED;
}

static int check_options(const Ctl *ctl) {
    (void)ctl;
    CadesLevel known;
    if (level && !cades_level_find(level, &known))
        return ctl_usage(_("'%s' is no level: it is B-B, B-T, B-LT, B-LTA, P1, P2, P3 or P4."), level);
    return CTL_OK;
}

static int run(Ctl *ctl, char **arguments) {
    __attribute__((cleanup(input_close))) Input input = {.call = {-1, -1, -1, -1, 0}};
    _cleanup_json_ json_t *report = NULL;
    int r = input_open(&input, arguments[0]);
    if (r == CTL_OK && input.container)
        return verify_container(ctl, input.container, &input.call);
    if (r == CTL_OK)
        r = verify_call(ctl, &input.call, &report);
    if (r != CTL_OK)
        return r;
    if (ctl->json)
        json_print(json_incref(report));
    else
        verify_show(report);
    return verify_outcome(report);
}

const Verb verb_verify = {
    .name = "verify",
    .arguments = N_("FILE"),
    .min = 1,
    .max = 1,
    .summary = N_("Verify a signature"),
    .options = options,
    .check = check_options,
    .run = run,
};
