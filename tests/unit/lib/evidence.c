/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ocsp.h"
#include "signature-algorithm.h"
#include "timestamp.h"
#include "token-sign.h"

const char evidence_content[] = "Nitelikli elektronik sertifika başvurumu onaylıyorum.\r\nİkinci satır: ığüşöç\n";

static void must(bool good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "evidence: %s\n", what);
    abort();
}

void evidence_free(CadesBlob *b) {
    free((uint8_t *)b->bytes);
    *b = (CadesBlob){0};
}

static CadesBlob blob_of(const PkiLeaf *leaf) {
    return (CadesBlob){leaf->der, leaf->der_size};
}

static CadesBlob certificate_blob(X509 *x) {
    CadesBlob b;
    b.bytes = pki_der(x, &b.size);
    must(b.bytes, "certificate");
    return b;
}

/* ------------------------------------------------------------------------------------------------------ world -- */

static PkiLeaf *issue(const Pki *pki, PkiRequest request) {
    PkiLeaf *leaf = NULL;
    must(pki_issue(pki, &request, &leaf) == 0, "issue");
    return leaf;
}

void evidence_world_init(EvidenceWorld *w) {
    *w = (EvidenceWorld){.now = (int64_t)time(NULL)};
    must(pki_new(&w->pki) == 0 && pki_new(&w->other_pki) == 0, "infrastructure");
    int64_t before = w->now - 100 * EVIDENCE_DAY;
    int64_t soon = w->now + 100 * EVIDENCE_DAY, late = w->now + 300 * EVIDENCE_DAY;
    w->signer = issue(w->pki, (PkiRequest){.not_before = before, .not_after = soon});
    w->tsa = issue(w->pki, (PkiRequest){.profile = "tsa", .not_before = before, .not_after = soon});
    w->tsa_later = issue(w->pki, (PkiRequest){.profile = "tsa", .not_before = before, .not_after = late});
    w->tsa_expired =
        issue(w->pki, (PkiRequest){.profile = "tsa", .not_before = before, .not_after = w->now - 50 * EVIDENCE_DAY});
    w->tsa_foreign = issue(w->other_pki, (PkiRequest){.profile = "tsa", .not_before = before, .not_after = late});
    w->tsa_unfit = issue(w->pki, (PkiRequest){.profile = "tsa-other-usage", .not_before = before, .not_after = late});
    w->responder = issue(w->pki, (PkiRequest){.profile = "ocsp", .not_before = before, .not_after = late});
    w->responder_foreign =
        issue(w->other_pki, (PkiRequest){.profile = "ocsp", .not_before = before, .not_after = late});
    const PkiRequest listed = {.not_before = before, .not_after = late, .crl = "http://crl.example/ca.crl"};
    PkiRequest one = listed, other = listed;
    one.profile = "ocsp";
    other.profile = "ocsp-nocheck";
    w->responder_revocable = issue(w->pki, one);
    w->responder_nocheck = issue(w->pki, other);
    w->root = certificate_blob(pki_root(w->pki));
    w->other_root = certificate_blob(pki_root(w->other_pki));
    w->ca = certificate_blob(pki_ca(w->pki));
}

void evidence_world_clear(EvidenceWorld *w) {
    PkiLeaf *const leaves[] = {
        w->signer,           w->twin,      w->tsa,       w->tsa_later,         w->tsa_expired,
        w->tsa_foreign,      w->tsa_unfit, w->responder, w->responder_foreign, w->responder_revocable,
        w->responder_nocheck};
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
        pki_leaf_free(leaves[i]);
    pki_free(w->pki);
    pki_free(w->other_pki);
    OPENSSL_free((uint8_t *)w->root.bytes);
    OPENSSL_free((uint8_t *)w->other_root.bytes);
    OPENSSL_free((uint8_t *)w->ca.bytes);
    *w = (EvidenceWorld){0};
}

void evidence_plan(const EvidenceWorld *w, EvidencePlan *p) {
    *p = (EvidencePlan){
        .level = CADES_LEVEL_B_LTA,
        .signer = w->signer,
        .mechanism = EONAY_MECH_ECDSA_SHA256,
        .signed_at = w->now - 600,
        .stamped_at = w->now - 590,
        .answered_at = w->now - 500,
        .archived_at = w->now - 400,
        .tsa = w->tsa,
        .archive_tsa = w->tsa_later,
        .responder = w->responder,
        .signer_reason = -1,
        .ca_reason = -1,
        .tsa_reason = -1,
        .responder_reason = -1,
        .answer_life = EVIDENCE_DAY,
        .n_archives = 1,
    };
}

/* ------------------------------------------------------------------------------------------------------- steps -- */

static CadesBlob take(uint8_t *bytes, size_t size, CadesBlob *old) {
    if (old)
        evidence_free(old);
    return (CadesBlob){bytes, size};
}

CadesBlob evidence_base(const EvidenceWorld *w, const EvidencePlan *p) {
    (void)w;
    Cades *c = NULL;
    uint8_t value[1024], *der = NULL;
    size_t n, size = 0;
    const char *why = "";
    uint8_t policy = cades_level_traits((CadesLevel)p->level)->policy;
    must(cades_new_with_policy(p->signer->der, p->signer->der_size, (const uint8_t *)evidence_content,
                               strlen(evidence_content), p->signed_at, p->mechanism, policy, &c) == 0,
         "begin");
    const uint8_t *digest = cades_digest(c, &n);
    size_t value_size = token_sign(p->signer->key, p->mechanism, digest, n, false, value);
    must(cades_finish(c, value, value_size, &der, &size, &why) == 0, why);
    cades_free(c);
    return (CadesBlob){der, size};
}

static CadesBlob blob_copy(const uint8_t *bytes, size_t size) {
    uint8_t *copy = calloc(1, size);
    must(copy, "memory");
    memcpy(copy, bytes, size);
    return (CadesBlob){copy, size};
}

/* The token over this imprint, in a buffer of its own. */
static CadesBlob token_get(const EvidenceWorld *w, const PkiLeaf *tsa, const uint8_t imprint[32], int64_t at) {
    uint8_t *request = NULL;
    size_t request_size = 0, response_size = 0, again_size = 0;
    CadesBlob token;
    must(timestamp_request(imprint, 32, NULL, NULL, &request, &request_size) == 0, "time-stamp request");
    bool fit = tsa != w->tsa_unfit;
    uint8_t *response = pki_stamp(w->pki, fit ? tsa : w->tsa, request, request_size, at, &response_size);
    must(response, "time stamp");
    if (!fit) {
        uint8_t *again = pki_stamp_again(response, response_size, tsa, &again_size);
        must(again, "time stamp by an unfit certificate");
        token = blob_copy(again, again_size);
        OPENSSL_free(again);
    } else {
        CadesBlob inside, whole = {response, response_size};
        must(!timestamp_response_open(&whole, &inside), "time-stamp response");
        token = blob_copy(inside.bytes, inside.size);
    }
    OPENSSL_free(response);
    free(request);
    return token;
}

CadesBlob evidence_stamp(const EvidenceWorld *w, const EvidencePlan *p, CadesBlob message) {
    uint8_t imprint[HASH_SIZE_MAX], *der = NULL;
    size_t size = 0;
    CadesBlob value;
    must(cades_signature_value(message.bytes, message.size, &value) == 0, "signature value");
    must(hash_bytes(HASH_SHA256, (DerBytes){value.bytes, value.size}, imprint), "imprint");
    imprint[0] ^= p->stamp_other_bytes;
    CadesBlob token = token_get(w, p->tsa, imprint, p->stamped_at);
    must(cades_add_signature_stamp(message.bytes, message.size, &token, &der, &size) == 0, "signature time stamp");
    evidence_free(&token);
    return take(der, size, &message);
}

CadesBlob evidence_answer(const EvidenceWorld *w, const EvidencePlan *p, X509 *about, EvidenceKind kind, int reason) {
    size_t size = 0;
    PkiAnswer a = {.about = about,
                   .reason = reason,
                   .revoked = reason >= 0 ? p->revoked_at : 0,
                   .this_update = p->answered_at,
                   .next_update = p->answer_life != 0 ? p->answered_at + p->answer_life : 0};
    const Pki *pki = p->answer_pki ? p->answer_pki : w->pki;
    if (kind == EVIDENCE_OCSP && about != pki_ca(w->pki))
        a.signer = p->responder;
    uint8_t *der = kind == EVIDENCE_OCSP ? pki_ocsp(pki, &a, &size) : pki_crl(pki, &a, &size);
    must(der, "answer");
    CadesBlob b = blob_copy(der, size);
    OPENSSL_free(der);
    return b;
}

static CadesBlob fields_add(const EvidenceWorld *w, CadesBlob message, const CadesBlob ocsps[3], size_t n_ocsps,
                            const CadesBlob crls[3], size_t n_crls) {
    uint8_t *der = NULL;
    size_t size = 0;
    const CadesBlob certificates[] = {w->ca, w->root};
    CadesEvidence e = {.certificates = certificates,
                       .n_certificates = 2,
                       .ocsps = ocsps,
                       .n_ocsps = n_ocsps,
                       .crls = crls,
                       .n_crls = n_crls};
    must(cades_add_fields(message.bytes, message.size, &e, &der, &size) == 0, "material");
    return take(der, size, &message);
}

static CadesBlob values_add(const EvidenceWorld *w, const EvidencePlan *p, CadesBlob message, CadesBlob signer,
                            CadesBlob ca, CadesBlob tsa, CadesBlob responder) {
    uint8_t *der = NULL;
    size_t size = 0;
    bool crl = p->signer_kind == EVIDENCE_CRL;
    CadesPathStep path[] = {
        {.certificate = blob_of(p->signer)}, {.certificate = w->ca, .crl = ca}, {.certificate = w->root}};
    *(crl ? &path[0].crl : &path[0].ocsp) = signer;
    CadesEvidence also = {.ocsps = &tsa, .n_ocsps = tsa.size > 0, .crls = &responder, .n_crls = p->responder_listed};
    must(cades_add_values(message.bytes, message.size, path, 3, &also, &der, &size) == 0, "values");
    return take(der, size, &message);
}

CadesBlob evidence_material(const EvidenceWorld *w, const EvidencePlan *p, CadesBlob message) {
    X509 *about = p->answer_about ? p->answer_about : p->signer->certificate;
    CadesBlob signer = evidence_answer(w, p, about, p->signer_kind, p->signer_reason);
    CadesBlob ca = evidence_answer(w, p, pki_ca(w->pki), EVIDENCE_CRL, p->ca_reason);
    CadesBlob tsa = evidence_answer(w, p, p->tsa->certificate, EVIDENCE_OCSP, p->tsa_reason);
    CadesBlob responder =
        evidence_answer(w, p, p->responder ? p->responder->certificate : about, EVIDENCE_CRL, p->responder_reason);
    CadesBlob ocsps[3], crls[3];
    const CadesBlob none = {0};
    size_t n_ocsps = 0, n_crls = 0;
    if (!p->without_signer_answer && !p->without_answers)
        *(p->signer_kind == EVIDENCE_CRL ? &crls[n_crls++] : &ocsps[n_ocsps++]) = signer;
    if (!p->without_tsa_answer && !p->without_answers)
        ocsps[n_ocsps++] = tsa;
    if (!p->without_answers)
        crls[n_crls++] = ca;
    if (p->responder_listed)
        crls[n_crls++] = responder;
    bool values = cades_level_traits((CadesLevel)p->level)->material == CADES_MATERIAL_VALUES;
    if (values)
        message = values_add(w, p, message, signer, ca, p->without_tsa_answer ? none : tsa, responder);
    if (!values || p->as_fields)
        message = fields_add(w, message, ocsps, n_ocsps, crls, n_crls);
    evidence_free(&signer);
    evidence_free(&ca);
    evidence_free(&tsa);
    evidence_free(&responder);
    return message;
}

CadesBlob evidence_archive(const EvidenceWorld *w, const EvidencePlan *p, CadesBlob message, int number) {
    CadesArchive archive;
    uint8_t *der = NULL;
    size_t size = 0;
    must(cades_archive_begin(message.bytes, message.size, &archive) == 0, "archive index");
    uint8_t imprint[32];
    memcpy(imprint, archive.imprint, sizeof(imprint));
    imprint[0] ^= p->archive_other_bytes;
    CadesBlob token = token_get(w, p->archive_tsa, imprint, p->archived_at + 10 * number);
    must(cades_archive_finish(message.bytes, message.size, &archive, &token, &der, &size) == 0, "archive time stamp");
    cades_archive_clear(&archive);
    evidence_free(&token);
    return take(der, size, &message);
}

CadesBlob evidence_make(const EvidenceWorld *w, const EvidencePlan *p) {
    const CadesLevelTraits *traits = cades_level_traits((CadesLevel)p->level);
    CadesBlob message = evidence_base(w, p);
    if (traits->stamp)
        message = evidence_stamp(w, p, message);
    if (traits->material != CADES_MATERIAL_NONE || p->with_material)
        message = evidence_material(w, p, message);
    for (int i = 0; traits->archive && i < p->n_archives; i++)
        message = evidence_archive(w, p, message, i);
    return message;
}

VerifyReport *evidence_verify(const EvidenceWorld *w, CadesBlob message, int64_t at) {
    VerifyReport *report = NULL;
    VerifyRequest q = {.signature = message,
                       .anchors = &w->root,
                       .n_anchors = 1,
                       .certificates = &w->ca,
                       .n_certificates = 1,
                       .at = at != 0 ? at : w->now,
                       .level = -1};
    must(verify_signature(&q, &report) == 0, "verification");
    return report;
}
