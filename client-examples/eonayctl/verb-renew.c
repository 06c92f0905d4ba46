/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonayctl renew: one more archive time stamp over a signature with its validation material, before the newest one
 * ends. In two steps, so that any time-stamp authority will do and no network is needed here: the request is written,
 * the authority's answer is read. Both steps take the same signature and the same lists and so come to the same bytes.
 * Or in one, by the daemon, when it is due (renew-service.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bus.h"
#include "cades-upgrade.h"
#include "ctl.h"
#include "file.h"
#include "pem.h"
#include "renew-service.h"
#include "signature.h"
#include "text.h"
#include "timestamp.h"
#include "util.h"
#include "verify.h"

#define DAYS_MAX  3650
#define NOT_GIVEN G_MININT

static char *request_file, *response_file, *anchors_file, *lists_file, *output;
static gint within = NOT_GIVEN;

static const GOptionEntry options[] = {
    {"request", 'q', 0, G_OPTION_ARG_FILENAME, &request_file, N_("Write the time-stamp request here"), N_("FILE")},
    {"response", 'r', 0, G_OPTION_ARG_FILENAME, &response_file, N_("The time-stamp authority's answer"), N_("FILE")},
    {"anchors", 'A', 0, G_OPTION_ARG_FILENAME, &anchors_file, N_("The certificates to trust, PEM"), N_("FILE")},
    {"crls", 0, 0, G_OPTION_ARG_FILENAME, &lists_file, N_("Revocation lists to put in before, PEM"), N_("FILE")},
    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, N_("Write the renewed signature here"), N_("FILE")},
    {"within", 'w', 0, G_OPTION_ARG_INT, &within, N_("Let the service renew it when it ends within so many days"),
     N_("DAYS")},
    {NULL},
};

typedef struct Bytes {
    uint8_t *bytes; /* malloc() */
    size_t size;
} Bytes;

static void bytes_clear(Bytes *b) {
    free(b->bytes);
}

static int unreadable(const char *path, int r) {
    fprintf(stderr, _("eonayctl: '%s' cannot be read: %s\n"), path, g_strerror(-r));
    return CTL_FAILED;
}

static int unusable(const char *why) {
    fprintf(stderr, _("eonayctl: the proof cannot be renewed: %s\n"), why);
    return CTL_FAILED;
}

/* The signature with the lists in it, as it will be stamped. */
static int signature_prepare(const char *path, Bytes *ret) {
    g_autoptr(GBytes) file = NULL;
    PemObjects lists = {0};
    gsize size;
    int r = file_read(path, SIGNATURE_SIZE_MAX, &file);
    if (r < 0)
        return unreadable(path, r);
    const uint8_t *der = g_bytes_get_data(file, &size);
    int level = cades_level_claimed(der, size);
    if (level != CADES_LEVEL_B_LT && level != CADES_LEVEL_B_LTA)
        return unusable(_("it is no signature of the level B-LT or B-LTA"));
    if (lists_file && (r = pem_read(lists_file, PEM_LISTS, &lists)) < 0)
        return unreadable(lists_file, r);
    const CadesEvidence evidence = {.crls = lists.blobs, .n_crls = lists.n};
    r = cades_add_fields(der, size, &evidence, &ret->bytes, &ret->size);
    pem_clear(&lists);
    return r == 0 ? CTL_OK : unusable(_("the lists cannot be put in"));
}

static int store(const char *path, const void *bytes, size_t size) {
    int r = file_store(path, bytes, size);
    if (r == 0)
        return CTL_OK;
    fprintf(stderr, _("eonayctl: '%s' cannot be written: %s\n"), path,
            r == -ENOTSUP ? _("it is a terminal") : g_strerror(-r));
    return CTL_FAILED;
}

static int request_write(const CadesArchive *archive) {
    __attribute__((cleanup(bytes_clear))) Bytes request = {0};
    if (timestamp_request(archive->imprint, sizeof(archive->imprint), NULL, NULL, &request.bytes, &request.size) != 0)
        return unusable(g_strerror(ENOMEM));
    return store(request_file, request.bytes, request.size);
}

/* Judged with the anchors given before it is written: a stamp nobody trusts renews nothing. */
static int renewed_write(const Bytes *renewed, const PemObjects *anchors) {
    VerifyReport *report = NULL;
    const VerifyRequest q = {
        .signature = {renewed->bytes, renewed->size}, .anchors = anchors->blobs, .n_anchors = anchors->n, .level = -1};
    if (verify_signature(&q, &report) != 0)
        return unusable(g_strerror(ENOMEM));
    bool proves = report->n_stamps > 0 && report->stamp[report->n_stamps - 1].proves;
    bool passed = report->indication == VERIFY_TOTAL_PASSED;
    int r = proves ? store(output, renewed->bytes, renewed->size) : unusable(verify_sub_text(report->sub));
    g_autofree char *until = text_time(report->renew_before * G_USEC_PER_SEC);
    if (r == CTL_OK && !passed)
        printf("  %s (%s)\n", _(verify_sub_text(report->sub)), verify_sub_name(report->sub));
    if (r == CTL_OK)
        printf(_("The proof holds until %s; renew it before.\n"), until);
    verify_report_free(report);
    return r == CTL_OK && !passed ? CTL_UNDECIDED : r;
}

static int response_take(const Bytes *message, const CadesArchive *archive, const PemObjects *anchors) {
    __attribute__((cleanup(bytes_clear))) Bytes renewed = {0};
    g_autoptr(GBytes) file = NULL;
    CadesBlob response, token;
    Timestamp stamp;
    int r = file_read(response_file, SIGNATURE_SIZE_MAX, &file);
    if (r < 0)
        return unreadable(response_file, r);
    response.bytes = g_bytes_get_data(file, &response.size);
    const TimestampExpectation expect = {.imprint = archive->imprint,
                                         .imprint_size = sizeof(archive->imprint),
                                         .anchors = anchors->blobs,
                                         .n_anchors = anchors->n,
                                         .at = (int64_t)time(NULL)};
    const char *why = timestamp_response_open(&response, &token);
    why = why ? why : timestamp_verify(&token, &expect, &stamp);
    if (why)
        return unusable(why);
    if (cades_archive_finish(message->bytes, message->size, archive, &token, &renewed.bytes, &renewed.size) != 0)
        return unusable(_("the time stamp cannot be put in"));
    return renewed_write(&renewed, anchors);
}

static int check(const Ctl *ctl) {
    (void)ctl;
    if (within != NOT_GIVEN &&
        (request_file || response_file || anchors_file || lists_file || within < 1 || within > DAYS_MAX))
        return ctl_usage(_("--within takes 1 to 3650 days, and no other option but --output."));
    if (within == NOT_GIVEN && (request_file != NULL) == (response_file != NULL))
        return ctl_usage(_("Say --request for the first step, or --response for the second."));
    if (response_file && (!anchors_file || !output))
        return ctl_usage(
            _("Say with --anchors whom to trust, and with --output where the signature shall be written."));
    return CTL_OK;
}

static int run_by_service(Ctl *ctl, const char *path) {
    int r = ctl_open_loop(ctl);
    if (r == CTL_OK)
        r = bus_open(ctl);
    return r == CTL_OK ? renew_by_service(ctl, path, within, output) : r;
}

static int run(Ctl *ctl, char **arguments) {
    __attribute__((cleanup(bytes_clear))) Bytes message = {0};
    PemObjects anchors = {0};
    CadesArchive archive;
    if (within != NOT_GIVEN)
        return run_by_service(ctl, arguments[0]);
    signature_init();
    int r = signature_prepare(arguments[0], &message);
    if (r != CTL_OK)
        return r;
    int error = response_file ? pem_read(anchors_file, PEM_CERTIFICATES, &anchors) : 0;
    if (error < 0)
        return unreadable(anchors_file, error);
    if (cades_archive_begin(message.bytes, message.size, &archive) != 0)
        r = unusable(_("it is no well-formed signature"));
    else {
        r = request_file ? request_write(&archive) : response_take(&message, &archive, &anchors);
        cades_archive_clear(&archive);
    }
    pem_clear(&anchors);
    return r;
}

const Verb verb_renew = {
    .name = "renew",
    .arguments = N_("FILE"),
    .min = 1,
    .max = 1,
    .summary = N_("Add an archive time stamp before the newest one ends"),
    .options = options,
    .connects_late = true,
    .check = check,
    .run = run,
};
