/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "certificate-profile.h"
#include "clock.h"
#include "log.h"
#include "revocation.h"
#include "trust.h"

static void report_freep(CadesReport **report) {
    cades_report_free(*report);
}

static void profile_freep(CertificateProfile **profile) {
    certificate_profile_free(*profile);
}

void verdict_clear(Verdict *v) {
    g_free(v->certificate);
    free(v->findings);
    *v = (Verdict){0};
}

void verdict_note(Verdict *v, const char *name, const char *found) {
    json_t *findings = json_loads(v->findings, 0, NULL);

    if (json_object_set_new(findings, name, json_string(found)) == 0) {
        free(v->findings);
        v->findings = json_dumps(findings, JSON_COMPACT);
    }
    json_decref(findings);
}

static int verify(Portal *p, const Consent *c, const RedemptionText *text, const uint8_t *cms, size_t size, int64_t now,
                  CadesReport **ret) {
    const CadesExpectation expect = {
        .content = text->bytes,
        .content_size = text->size,
        .anchors = p->trust->anchors.blobs,
        .n_anchors = p->trust->anchors.n,
        .intermediates = p->trust->intermediates.blobs,
        .n_intermediates = p->trust->intermediates.n,
        .at = now / SECOND_USEC,
        .signed_from = (c->created_at - CLOCK_TOLERANCE_USEC) / SECOND_USEC,
        .signed_until = (now + CLOCK_TOLERANCE_USEC) / SECOND_USEC,
    };

    return cades_verify(cms, size, &expect, ret);
}

/* A chain fails for an expired certificate too; whether the certificate is to blame is seen without it. */
static int chain_blame(const CadesReport *report, int64_t now) {
    __attribute__((cleanup(profile_freep))) CertificateProfile *profile = NULL;
    const uint32_t times = CERTIFICATE_REASON_EXPIRED | CERTIFICATE_REASON_NOT_YET_VALID;

    if (report->failed != CADES_CHECK_CHAIN || !report->certificate ||
        certificate_profile_new(report->certificate, report->certificate_size, &profile) != 0)
        return EONAY_ERROR_BACKEND_REJECTED;
    uint32_t reasons = certificate_profile_reasons_at(profile, now);
    return reasons & times ? certificate_reasons_error(reasons) : EONAY_ERROR_BACKEND_REJECTED;
}

static int check_certificate(const Consent *c, const CadesReport *report, int64_t now, Verdict *v) {
    __attribute__((cleanup(profile_freep))) CertificateProfile *profile = NULL;
    int r = certificate_profile_new(report->certificate, report->certificate_size, &profile);

    if (r != 0)
        return r;
    uint32_t reasons = certificate_profile_reasons_at(profile, now);
    if (reasons != 0)
        return certificate_reasons_error(reasons);
    if (!profile->national_id || !profile->qualified)
        return EONAY_ERROR_CERTIFICATE_NOT_SUITABLE;
    (void)g_strlcpy(v->subject, profile->national_id, sizeof v->subject);
    return *c->subject && strcmp(c->subject, v->subject) != 0 ? EONAY_ERROR_IDENTITY_MISMATCH : 0;
}

static int check_revocation(Portal *p, int64_t now, const Verdict *v, RevocationState *ret) {
    *ret = revocation_check(p->revocation, v->certificate, v->certificate_size, now / SECOND_USEC);
    switch (*ret) {
    case REVOCATION_REVOKED:
        return EONAY_ERROR_CERTIFICATE_REVOKED;
    case REVOCATION_SUSPENDED:
        return EONAY_ERROR_CERTIFICATE_SUSPENDED;
    case REVOCATION_STALE:
        log_error("a revocation list is out of date: signatures cannot be taken");
        return EONAY_ERROR_STORAGE_FAILED;
    case REVOCATION_UNLISTED:
    case REVOCATION_GOOD:
    default:
        return 0;
    }
}

static char *write_findings(const CadesReport *report, RevocationState revocation, const Verdict *v, int64_t now) {
    char fingerprint[65];
    json_t *checks = json_array();

    secret_hex(v->fingerprint, sizeof v->fingerprint, fingerprint);
    for (int i = 0; i < CADES_N_CHECKS; i++)
        if (i != CADES_CHECK_EXPECTED_CERTIFICATE)
            json_array_append_new(checks, json_string(cades_check_name((CadesCheck)i)));
    json_t *findings =
        json_pack("{s:s, s:o, s:s, s:I, s:s, s:s, s:I}", "level", "B-B", "checks_passed", checks, "algorithm",
                  report->algorithm, "signing_time", (json_int_t)report->signing_time * 1000000, "certificate_sha256",
                  fingerprint, "revocation_list", revocation_name(revocation), "verified_at", (json_int_t)now);
    char *text = json_dumps(findings, JSON_COMPACT);

    json_decref(findings);
    return text;
}

int verdict_make(Portal *p, const Consent *c, const RedemptionText *text, const uint8_t *cms, size_t size, int64_t now,
                 Verdict *ret) {
    __attribute__((cleanup(report_freep))) CadesReport *report = NULL;
    RevocationState revocation = REVOCATION_UNLISTED;
    uint8_t hash[EVP_MAX_MD_SIZE];
    int r = verify(p, c, text, cms, size, now, &report);

    if (r != 0)
        return r;
    if (!report->valid) {
        log_info("a signature was refused: check %s failed", cades_check_name(report->failed));
        return chain_blame(report, now);
    }
    if (!report->chain_checked)
        return EONAY_ERROR_BACKEND_REJECTED;
    ret->certificate = g_memdup2(report->certificate, report->certificate_size);
    ret->certificate_size = report->certificate_size;
    if (EVP_Digest(ret->certificate, ret->certificate_size, hash, NULL, EVP_sha256(), NULL) != 1)
        return EONAY_ERROR_BACKEND_REJECTED;
    memcpy(ret->fingerprint, hash, sizeof ret->fingerprint);
    if ((r = check_certificate(c, report, now, ret)) != 0 || (r = check_revocation(p, now, ret, &revocation)) != 0)
        return r;
    ret->listed_good = revocation == REVOCATION_GOOD;
    ret->findings = write_findings(report, revocation, ret, now);
    return 0;
}
