/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority trusts nobody's word that a signature is good, the daemon's least of all: it compares the signed bytes
 * with those it stored, builds the chain itself and looks at the certificate itself.
 *
 * The certificate must be usable when the signature arrives. At this level no trusted time stamp proves that it was
 * made earlier, and the few minutes of a code's life are all that can lie between.
 */
#include "judgement.h"

#include <stdio.h>
#include <string.h>

#include "cades-stamps.h"
#include "cades-upgrade.h"
#include "certificate-profile.h"
#include "fault.h"
#include "moment.h"

static void report_freep(CadesReport **report) {
    cades_report_free(*report);
}

static void profile_freep(CertificateProfile **profile) {
    certificate_profile_free(*profile);
}

static int judge_certificate(Ca *ca, size_t position, const CadesReport *report, int64_t now,
                             char ret_subject[CA_SUBJECT_SIZE]) {
    _cleanup_(profile_freep) CertificateProfile *profile = NULL;
    int r = certificate_profile_new(report->certificate, report->certificate_size, &profile);

    if (r != 0)
        return r;

    uint32_t reasons = certificate_profile_reasons_at(profile, now);
    if (reasons != 0)
        return fault(ca->host, EONAY_ERROR_BACKEND_REJECTED, 0, "signature %zu: the certificate is not usable: %s",
                     position + 1, certificate_reason_name(reasons & -reasons));
    if (!profile->national_id)
        return fault(ca->host, EONAY_ERROR_BACKEND_REJECTED, 0, "signature %zu: the certificate names no person",
                     position + 1);
    (void)snprintf(ret_subject, CA_SUBJECT_SIZE, "%s", profile->national_id);
    return 0;
}

static int verify_over(Ca *ca, const Consent *c, sqlite3_stmt *text, const uint8_t *der, size_t size, int64_t now,
                       CadesReport **ret) {
    const CadesExpectation expect = {
        .content = sqlite3_column_blob(text, 0),
        .content_size = (size_t)sqlite3_column_bytes(text, 0),
        .anchors = ca->anchors->blobs,
        .n_anchors = ca->anchors->n,
        .intermediates = ca->intermediates->blobs,
        .n_intermediates = ca->intermediates->n,
        .at = now / USEC,
        .signed_from = (c->created_at - CLOCK_TOLERANCE_USEC) / USEC,
        .signed_until = (now + CLOCK_TOLERANCE_USEC) / USEC,
        .higher_levels = ca->settings.level != CADES_LEVEL_B_B,
    };

    return cades_verify(der, size, &expect, ret);
}

/* The message is of the level asked for, and its stamps are good. A P1 looks like a B-B. */
static int judge_level(Ca *ca, size_t position, const uint8_t *der, size_t size) {
    CadesLevel level = ca->settings.level;
    const CadesLevel looks = level == CADES_LEVEL_P1 ? CADES_LEVEL_B_B : level;
    const CadesExpectation expect = {.anchors = ca->anchors->blobs,
                                     .n_anchors = ca->anchors->n,
                                     .intermediates = ca->intermediates->blobs,
                                     .n_intermediates = ca->intermediates->n};
    int64_t stamped = 0;

    if (cades_level_claimed(der, size) != (int)looks)
        return fault(ca->host, EONAY_ERROR_BACKEND_REJECTED, 0, "signature %zu: it is not of the level %s",
                     position + 1, cades_level_traits(level)->name);
    if (!cades_level_traits(level)->stamp)
        return 0;
    const char *why = cades_stamps_check(der, size, &expect, &stamped);
    return why ? fault(ca->host, EONAY_ERROR_BACKEND_REJECTED, 0, "signature %zu: %s", position + 1, why) : 0;
}

int judgement_make(Ca *ca, const Consent *c, size_t position, const uint8_t *der, size_t size, int64_t now,
                   char ret_subject[CA_SUBJECT_SIZE]) {
    _cleanup_(report_freep) CadesReport *report = NULL;
    _row_ sqlite3_stmt *text = NULL;
    int r = store_row(ca->store, STATEMENT_TEXT_GET, &text, "ii", c->id, (int64_t)position);

    if (r != 0)
        return r;
    if (!text || sqlite3_column_bytes(text, 0) == 0)
        return fault(ca->host, EONAY_ERROR_STORAGE_FAILED, 0, "the text of a consent is missing");
    if ((r = verify_over(ca, c, text, der, size, now, &report)) != 0)
        return r;
    if (!report->valid || !report->chain_checked)
        return fault(ca->host, EONAY_ERROR_BACKEND_REJECTED, 0, "signature %zu: check %s failed: %s", position + 1,
                     cades_check_name(report->failed), report->detail);
    if ((r = judge_level(ca, position, der, size)) != 0)
        return r;
    return judge_certificate(ca, position, report, now, ret_subject);
}
