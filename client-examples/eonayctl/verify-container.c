/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest and the time stamp are judged here, the signatures by the daemon, one after the other. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "asice.h"
#include "certificate-profile.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "pem.h"
#include "text.h"
#include "timestamp.h"
#include "verify-call.h"

typedef struct Stamped {
    int64_t time; /* microseconds */
    char *authority;
    bool chain_checked;
} Stamped;

static int refuse(Ctl *ctl, const char *why, const char *detail) {
    if (ctl->json)
        json_print(json_pack("{s:s, s:b, s:s, s:s}", "Container", "ASiC-E", "Valid", 0, "Reason", why, "Detail",
                             detail ? detail : ""));
    else if (detail)
        printf(_("The container is NOT valid: %s (%s).\n"), _(why), detail);
    else
        printf(_("The container is NOT valid: %s.\n"), _(why));
    return CTL_FAILED;
}

/* NULL, or why the token does not hold. */
static const char *stamp_check(const GPtrArray *files, const PemObjects *anchors, Stamped *ret) {
    uint8_t digest[32];
    CadesBlob token;
    Timestamp stamp = {0};
    CertificateProfile *p = NULL;
    asice_digest(container_find(files, ASICE_MANIFEST), digest);
    token.bytes = g_bytes_get_data(container_find(files, ASICE_STAMP), &token.size);
    TimestampExpectation e = {
        .imprint = digest, .imprint_size = sizeof(digest), .anchors = anchors->blobs, .n_anchors = anchors->n};
    const char *why = token.size > 0 ? timestamp_verify(&token, &e, &stamp) : "it is empty";
    if (why)
        return why;
    ret->time = stamp.time * G_USEC_PER_SEC;
    ret->chain_checked = anchors->n > 0;
    if (certificate_profile_new(stamp.certificate.bytes, stamp.certificate.size, &p) == 0) {
        ret->authority = g_strdup(p->subject);
        certificate_profile_free(p);
    }
    return NULL;
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

/* The worst of all; that nobody said whom to trust with the stamp counts where the signers were checked. */
static int outcome_of_all(json_t *reports, const Stamped *stamped) {
    int outcome = CTL_OK;
    const char *name;
    json_t *report;
    json_object_foreach(reports, name, report) {
        int one = verify_outcome(report);
        if (one == CTL_OK && json_get_bool(report, "ChainChecked", false) && !stamped->chain_checked)
            one = CTL_UNDECIDED;
        if (one == CTL_FAILED || outcome == CTL_OK)
            outcome = one;
    }
    return outcome;
}

static void show(json_t *reports, const Stamped *stamped) {
    g_autofree char *time = text_time(stamped->time);
    const char *name;
    json_t *report;
    puts(_("Everything in the container is as it was when it was stamped."));
    verify_show_line(_("Stamped:"), time);
    verify_show_line(_("Time-stamp authority:"), stamped->authority);
    if (!stamped->chain_checked)
        puts(_("  Without --anchors it was not checked who made the time stamp."));
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

static void print(json_t *reports, const Stamped *stamped) {
    json_print(json_pack("{s:s, s:b, s:I, s:s, s:b, s:O}", "Container", "ASiC-E", "Valid", all_valid(reports),
                         "StampTime", (json_int_t)stamped->time, "StampAuthority",
                         stamped->authority ? stamped->authority : "", "StampChainChecked", stamped->chain_checked,
                         "Signatures", reports));
}

static int files_verify(Ctl *ctl, const GPtrArray *files, const VerifyInput *input, const PemObjects *anchors) {
    Stamped stamped = {0};
    _cleanup_json_ json_t *reports = json_object();
    const char *why = stamp_check(files, anchors, &stamped);
    if (why)
        return refuse(ctl, N_("its time stamp does not hold"), why);
    const char *bare = unsigned_text(files);
    int r =
        bare ? refuse(ctl, N_("a text is without its signature"), bare) : signatures_verify(ctl, files, input, reports);
    if (r == CTL_OK) {
        r = outcome_of_all(reports, &stamped);
        if (ctl->json)
            print(reports, &stamped);
        else
            show(reports, &stamped);
    }
    g_free(stamped.authority);
    return r;
}

int verify_container(Ctl *ctl, GBytes *container, const VerifyInput *input, const char *anchors_file) {
    g_autoptr(GPtrArray) files = NULL;
    g_autofree char *name = NULL;
    PemObjects anchors = {0};
    const char *why = asice_open(container, EONAY_SIGNATURE_SIZE_MAX, &files, &name);
    if (why)
        return refuse(ctl, why, name);
    int r = anchors_file ? pem_read(anchors_file, PEM_CERTIFICATES, &anchors) : 0;
    if (r == 0)
        r = files_verify(ctl, files, input, &anchors);
    else {
        fprintf(stderr, _("eonayctl: '%s' cannot be read: %s\n"), anchors_file, g_strerror(-r));
        r = CTL_FAILED;
    }
    pem_clear(&anchors);
    return r;
}
