/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ImportEvidence: a container of `eonayctl export` into the caller's records. Everything is verified first: the files
 * against the manifest, the time stamp over it to the trust store, each signature with its text.
 */
#include <string.h>

#include "bus-util.h"
#include "container.h"
#include "digest.h"
#include "fault.h"
#include "manager-bus.h"
#include "names.h"
#include "translate.h"
#include "util.h"
#include "verify-bus.h"

static Fault stamp_check(Manager *m, const GPtrArray *files) {
    uint8_t digest[DIGEST_SIZE];
    digest_of_bytes(evidence_manifest(files), digest);
    StampJudgement j = stamp_judge(m, evidence_stamp(files), digest, NULL, g_get_real_time() / (int64_t)USEC_PER_SEC);
    if (j.indication == VERIFY_TOTAL_PASSED)
        return FAULT_NONE;
    return fault_printf(EONAY_ERROR_SIGNATURE_INVALID, "time stamp: %s", j.detail);
}

/* Whether it is sound; whether it counts may change, and is for VerifySignature to say. NULL, or the check that failed.
 */
static const char *signature_check(GBytes *signature, GBytes *text) {
    VerifyReport *report = NULL;
    VerifyRequest q = {.level = -1};
    const char *failed = NULL;
    q.signature.bytes = g_bytes_get_data(signature, &q.signature.size);
    q.content.bytes = g_bytes_get_data(text, &q.content.size);
    if (!q.content.bytes) /* empty, but not any */
        q.content.bytes = (const uint8_t *)"";
    if (verify_signature(&q, &report) < 0)
        return "memory";
    for (size_t i = 0; !failed && i < report->n_findings; i++)
        if (report->finding[i].outcome == VERIFY_FAILED)
            failed = verify_check_name(report->finding[i].check);
    if (!failed && report->indication == VERIFY_TOTAL_FAILED)
        failed = verify_check_name(report->failed);
    verify_report_free(report);
    return failed;
}

/* "consent-2.txt" of "consent-2.p7s", and back. */
static GBytes *partner(const GPtrArray *files, const char *name, const char *suffix) {
    g_autofree char *other = g_strdup_printf("%.*s%s", (int)(strlen(name) - strlen(".txt")), name, suffix);
    return evidence_file_find(files, other);
}

static Fault file_check(const GPtrArray *files, const EvidenceFile *f, unsigned *signatures) {
    if (g_str_has_suffix(f->name, ".txt") && !partner(files, f->name, ".p7s"))
        return fault_printf(EONAY_ERROR_FILE_INVALID, "a text is without its signature");
    if (!g_str_has_suffix(f->name, ".p7s"))
        return FAULT_NONE;
    GBytes *text = partner(files, f->name, ".txt");
    if (!text)
        return fault_printf(EONAY_ERROR_FILE_INVALID, "a signature is without its text");
    const char *failed = signature_check(f->bytes, text);
    (*signatures)++;
    return failed ? fault_printf(EONAY_ERROR_SIGNATURE_INVALID, "signature: %s", failed) : FAULT_NONE;
}

static Fault evidence_check(Manager *m, const GPtrArray *files) {
    unsigned signatures = 0;
    if (g_bytes_get_size(evidence_record(files)) > EVIDENCE_RECORD_SIZE_MAX)
        return fault_printf(EONAY_ERROR_FILE_INVALID, "its record is too large");
    Fault f = stamp_check(m, files);
    for (guint i = 0; f.code == 0 && i < files->len; i++)
        f = file_check(files, files->pdata[i], &signatures);
    if (f.code == 0 && signatures == 0)
        f = fault_printf(EONAY_ERROR_FILE_INVALID, "there is no signature in it");
    return f;
}

static Fault container_check(Manager *m, GBytes *container, GPtrArray **ret) {
    const char *why = evidence_container_open(container, ret);
    return why ? fault_printf(EONAY_ERROR_FILE_INVALID, "%s", why) : evidence_check(m, *ret);
}

static int import(Client *client, GBytes *container, char **ret_id, sd_bus_error *error) {
    g_autoptr(GPtrArray) files = NULL;
    Fault f = container_check(client->manager, container, &files);
    if (f.code != 0) {
        int r = fault_to_bus(&f, error);
        fault_clear(&f);
        return r;
    }
    int r = journal_import(client->manager->journal, client->user->uid, evidence_record(files), container, ret_id);
    if (r < 0)
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED, _("At most %u imported records of one user."),
                                 EONAY_IMPORTS_PER_USER);
    return r > 0 ? fault_code_to_bus(r, error) : 0;
}

int manager_import_evidence(Client *client, sd_bus_message *m, sd_bus_error *error) {
    g_autoptr(GBytes) container = NULL;
    g_autofree char *id = NULL;
    int fd, r;
    if ((r = sd_bus_message_read(m, "h", &fd)) < 0 || (r = bus_read_no_options(m, error)) < 0)
        return r;
    r = memfd_read(fd, EVIDENCE_CONTAINER_MAX, &container);
    if (r != 0)
        return r > 0 ? fault_code_to_bus(r, error) : r;
    r = import(client, container, &id, error);
    return r < 0 ? r : sd_bus_reply_method_return(m, "s", id);
}
