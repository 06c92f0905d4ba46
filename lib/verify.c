/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of things, after EN 319 102-1 section 5.6.3: the message by itself; then the time stamps, which tell since
 * when the signature exists; then the certificates as they stood at that time; then what the caller asks for beyond.
 * The first check that fails decides the indication. All others that can be made are made, so that the report is whole.
 */
#include "verify.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "algorithm-policy.h"
#include "cades-internal.h"
#include "cades-oids.h"
#include "cades-upgrade.h"
#include "certificate-der.h"
#include "openssl-cleanup.h"
#include "signature.h"
#include "verify-internal.h"

#define AT_MAX 253402300799LL /* the last second of 9999 */

VerifyReport *verify_report_free(VerifyReport *r) {
    if (!r)
        return NULL;
    cades_report_free(r->base);
    free(r);
    return NULL;
}

void verify_note(Verify *v, VerifyCheck check, int stamp, VerifyOutcome outcome, const char *detail) {
    VerifyReport *r = v->report;
    if (r->n_findings < VERIFY_FINDINGS_MAX)
        r->finding[r->n_findings++] = (VerifyFinding){check, outcome, stamp, detail};
}

void verify_decide(Verify *v, VerifyCheck check, VerifySub sub, const char *detail) {
    VerifyReport *r = v->report;
    VerifyIndication indication = verify_sub_indication(sub);
    /* Failed outweighs undecided; otherwise the first one counts. */
    if (r->sub != VERIFY_SUB_NONE && !(indication == VERIFY_TOTAL_FAILED && r->indication == VERIFY_INDETERMINATE))
        return;
    r->indication = indication;
    r->sub = sub;
    r->failed = check;
    r->detail = detail;
}

/* --------------------------------------------------------------------------------------------- the message -- */

static VerifySub base_sub(const Verify *v, const CadesReport *base) {
    switch (base->failed) {
    case CADES_CHECK_ENCODING:
    case CADES_CHECK_ONE_SIGNER:
        return VERIFY_FORMAT_FAILURE;
    case CADES_CHECK_CONTENT_TYPE:
        return v->message.has_content ? VERIFY_FORMAT_FAILURE : VERIFY_SIGNED_DATA_NOT_FOUND;
    case CADES_CHECK_CERTIFICATE:
    case CADES_CHECK_SIGNING_CERTIFICATE:
        return VERIFY_NO_SIGNING_CERTIFICATE_FOUND;
    case CADES_CHECK_ALGORITHM:
        return VERIFY_CRYPTO_CONSTRAINTS_FAILURE;
    case CADES_CHECK_MESSAGE_DIGEST:
    case CADES_CHECK_CONTENT:
        return VERIFY_HASH_FAILURE;
    case CADES_CHECK_SIGNATURE:
        return VERIFY_SIG_CRYPTO_FAILURE;
    default:
        return VERIFY_SIG_CONSTRAINTS_FAILURE;
    }
}

/* The checks of one message, those before the failed one passed. False when nothing more can be told. */
static bool base_verify(Verify *v) {
    const VerifyRequest *q = v->request;
    VerifyReport *r = v->report;
    CadesExpectation expect = {
        .content = q->content.bytes, .content_size = q->content.size, .detached = true, .higher_levels = true};
    int error = cades_verify(q->signature.bytes, q->signature.size, &expect, &r->base);
    if (error < 0) {
        v->no_memory = true;
        return false;
    }
    if (message_parse((DerBytes){q->signature.bytes, q->signature.size}, &v->message))
        v->message = (Message){0};
    if (!v->message.has_content)
        v->message.content = (DerBytes){q->content.bytes, q->content.size};
    int last = r->base->valid ? CADES_CHECK_CHAIN : (int)r->base->failed;
    for (int i = 0; i < last; i++)
        if (i != CADES_CHECK_UNSIGNED_ATTRIBUTES)
            verify_note(v, (VerifyCheck)i, -1, VERIFY_PASSED, NULL);
    if (r->base->valid)
        return true;
    verify_note(v, (VerifyCheck)r->base->failed, -1, VERIFY_FAILED, r->base->detail);
    verify_decide(v, (VerifyCheck)r->base->failed, base_sub(v, r->base), r->base->detail);
    return false;
}

/* ------------------------------------------------------------------------------------------- the certificates -- */

static void revoked_decide(Verify *v, const RevocationAnswer *a, bool signer) {
    VerifyReport *r = v->report;
    if (a->status == REVOCATION_SUSPENDED)
        verify_decide(v, VERIFY_CHECK_REVOCATION, VERIFY_TRY_LATER, "the certificate is suspended");
    else if (!signer)
        verify_decide(v, VERIFY_CHECK_REVOCATION, VERIFY_REVOKED_CA_NO_POE, "an authority's certificate was revoked");
    else if (r->base->signing_time >= a->revoked_at)
        verify_decide(v, VERIFY_CHECK_REVOCATION, VERIFY_REVOKED, "the signing time claimed is after the revocation");
    else
        verify_decide(v, VERIFY_CHECK_REVOCATION, VERIFY_REVOKED_NO_POE, "the certificate was revoked");
}

/* P3 wants a list from after the signature, P4 an OCSP response. */
static const char *profile_revocation(const Verify *v, const VerifyStatus *s) {
    if (v->policy == 2 && !s->by_crl_after)
        return "profile P3 wants a revocation list from after the signature";
    if (v->policy == 3 && !s->by_ocsp)
        return "profile P4 wants an OCSP response";
    return NULL;
}

static void status_judge(Verify *v, const VerifyStatus *s, bool signer) {
    if (!s->known) {
        verify_note(v, VERIFY_CHECK_REVOCATION, -1, VERIFY_UNKNOWN, s->why);
        verify_decide(v, VERIFY_CHECK_REVOCATION, s->no_poe ? VERIFY_NO_POE : VERIFY_TRY_LATER, s->why);
        return;
    }
    bool good = s->answer.status == REVOCATION_GOOD || s->answer.revoked_at > v->report->best_time;
    const char *why = good && signer ? profile_revocation(v, s) : NULL;
    verify_note(v, VERIFY_CHECK_REVOCATION, -1, good && !why ? VERIFY_PASSED : VERIFY_FAILED,
                good                                       ? why
                : s->answer.status == REVOCATION_SUSPENDED ? "the certificate is suspended"
                                                           : "it was revoked");
    if (!good)
        revoked_decide(v, &s->answer, signer);
    else if (why)
        verify_decide(v, VERIFY_CHECK_REVOCATION, VERIFY_TRY_LATER, why);
}

static void revocation_judge(Verify *v, const VerifyChain *c) {
    v->material_sound = c->n > 1;
    for (size_t i = 0; i + 1 < c->n; i++) {
        VerifyStatus s, embedded;
        verify_revocation(v, c, i, v->report->best_time, &s, &embedded);
        bool good = embedded.known &&
                    (embedded.answer.status == REVOCATION_GOOD || embedded.answer.revoked_at > v->report->best_time);
        v->material_sound = v->material_sound && good && (i > 0 || !profile_revocation(v, &embedded));
        if (i == 0 && s.known) {
            v->report->revocation = s.answer;
            v->report->revocation_by_ocsp = s.answer.produced_at != 0;
        }
        status_judge(v, &s, i == 0);
    }
}

static void chain_decide(Verify *v, VerifySub sub, const char *why) {
    bool by_time = sub == VERIFY_OUT_OF_BOUNDS_NO_POE || sub == VERIFY_NOT_YET_VALID || sub == VERIFY_EXPIRED;
    VerifyCheck check = by_time ? VERIFY_CHECK_VALIDITY : (VerifyCheck)CADES_CHECK_CHAIN;
    verify_note(v, check, -1, VERIFY_FAILED, why);
    verify_decide(v, check, sub, why);
}

/* What the signer says against himself: the time he claims lies outside of his certificate's validity. */
static bool claim_judge(Verify *v) {
    VerifyChain c = {0};
    if (verify_leaf_valid(v->report->base, v->report->base->signing_time))
        return true;
    const char *why;
    CadesBlob leaf = {v->report->base->certificate, v->report->base->certificate_size};
    VerifySub sub = verify_chain_build(v, &leaf, v->message.certificates, v->report->base->signing_time,
                                       X509_PURPOSE_ANY, &c, &why);
    verify_chain_clear(&c);
    if (sub == VERIFY_NOT_YET_VALID)
        chain_decide(v, sub, "the signing time claimed is before the certificate's beginning");
    else if (sub == VERIFY_OUT_OF_BOUNDS_NO_POE)
        chain_decide(v, VERIFY_EXPIRED, "the signing time claimed is after the certificate's end");
    else
        return true;
    return false;
}

static void certificates_judge(Verify *v) {
    VerifyChain c = {0};
    const char *why;
    CadesBlob leaf = {v->report->base->certificate, v->report->base->certificate_size};
    if (!claim_judge(v))
        return;
    VerifySub sub =
        verify_chain_build(v, &leaf, v->message.certificates, v->report->best_time, X509_PURPOSE_ANY, &c, &why);
    if (sub != VERIFY_SUB_NONE) {
        chain_decide(v, sub, why);
        return;
    }
    verify_note(v, (VerifyCheck)CADES_CHECK_CHAIN, -1, VERIFY_PASSED, NULL);
    verify_note(v, VERIFY_CHECK_VALIDITY, -1, VERIFY_PASSED, NULL);
    revocation_judge(v, &c);
    int claimed = v->report->level_claimed;
    if (claimed >= 0 && cades_level_traits((CadesLevel)claimed)->material == CADES_MATERIAL_VALUES) {
        why = verify_references_check(v, &c);
        v->references_sound = !why;
        verify_note(v, VERIFY_CHECK_REFERENCES, -1, why ? VERIFY_FAILED : VERIFY_PASSED, why);
        if (why)
            verify_decide(v, VERIFY_CHECK_REFERENCES, VERIFY_SIG_CONSTRAINTS_FAILURE, why);
    }
    verify_chain_clear(&c);
}

/* Permitted when the signature is proven to exist; at the time claimed they were permitted, or base_verify failed. */
static void algorithm_judge(Verify *v) {
    const CadesReport *base = v->report->base;
    const CadesBlob certificate = {base->certificate, base->certificate_size};
    bool permitted = v->report->best_time * VERIFY_USEC <= verify_policy_until(&certificate, base->algorithm);
    const char *why = permitted ? NULL : "the algorithms are permitted no longer, and nothing proves that it is older";
    verify_note(v, VERIFY_CHECK_ALGORITHM_TIME, -1, permitted ? VERIFY_PASSED : VERIFY_FAILED, why);
    if (!permitted)
        verify_decide(v, VERIFY_CHECK_ALGORITHM_TIME, VERIFY_CRYPTO_CONSTRAINTS_FAILURE_NO_POE, why);
}

/* ---------------------------------------------------------------------------------------------------- running -- */

static void trust_judge(Verify *v) {
    if (v->request->n_anchors > 0) {
        certificates_judge(v);
        return;
    }
    verify_note(v, (VerifyCheck)CADES_CHECK_CHAIN, -1, VERIFY_UNKNOWN, "no trust anchor was given");
    verify_decide(v, (VerifyCheck)CADES_CHECK_CHAIN, VERIFY_NO_CERTIFICATE_CHAIN_FOUND, "no trust anchor was given");
}

static void verify_run(Verify *v) {
    const VerifyRequest *q = v->request;
    v->report->level_claimed = -1;
    v->report->level = -1;
    if (!base_verify(v))
        return;
    v->report->level_claimed = cades_level_claimed(q->signature.bytes, q->signature.size);
    verify_policy(v);
    verify_material_collect(v);
    if (v->too_much)
        verify_decide(v, VERIFY_CHECK_STAMP_TOKEN, VERIFY_FORMAT_FAILURE, "there is more in it than is looked at");
    verify_stamps(v);
    trust_judge(v);
    algorithm_judge(v);
    verify_qualified(v);
    verify_level(v);
}

int verify_signature(const VerifyRequest *request, VerifyReport **ret) {
    signature_init();
    VerifyReport *report = calloc(1, sizeof(*report));
    Verify *v = calloc(1, sizeof(*v));
    if (report && v) {
        v->request = request;
        v->report = report;
        v->at = request->at != 0 ? request->at : (int64_t)time(NULL);
        v->at = v->at > AT_MAX ? AT_MAX : v->at; /* what is multiplied into microseconds has to fit */
        report->at = report->best_time = v->at;
        report->revocation.reason = -1;
        verify_run(v);
    }
    bool failed = !report || !v || v->no_memory;
    free(v);
    if (failed) {
        verify_report_free(report);
        return -ENOMEM;
    }
    *ret = report;
    return 0;
}
