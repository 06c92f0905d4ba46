/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying takes most of the time and happens outside of the transaction. Inside, the consent is signed by the one
 * UPDATE that still finds it open and in time; who comes second starts over and finds it done. The register of
 * certificates is asked inside, so that a suspension made before counts.
 */
#include "submission.h"

#include <openssl/evp.h>
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "redemption.h"
#include "responder.h"
#include "texts.h"
#include "verdict.h"

#define TEXT_COLUMN 14 /* of CONSENT_WITH_TEXTS: the position */

typedef struct Attempt {
    Portal *portal;
    const Submission *submission;
    const char *address;
    uint8_t digest[32];
    Consent consent;
    RedemptionText texts[CONSENT_TEXTS_MAX];
    size_t n_texts;
    Verdict verdicts[CONSENT_TEXTS_MAX];
    bool later; /* the request was given away */
    bool taken; /* somebody signed or ended the consent in between */
} Attempt;

static void attempt_clear(Attempt *a) {
    redemption_texts_clear(a->texts, a->n_texts);
    a->n_texts = 0;
    for (size_t i = 0; i < CONSENT_TEXTS_MAX; i++)
        verdict_clear(&a->verdicts[i]);
}

/* Over the sizes too, so that bytes moved from one signature to the next change it. */
static void digest(const Submission *s, uint8_t ret[32]) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t hash[EVP_MAX_MD_SIZE];
    bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; good && i < s->n; i++) {
        gsize size = 0;
        const void *bytes = g_bytes_get_data(s->signatures[i], &size);
        uint64_t length = size;
        good = EVP_DigestUpdate(ctx, &length, sizeof length) == 1 && EVP_DigestUpdate(ctx, bytes, size) == 1;
    }
    if (!good || EVP_DigestFinal_ex(ctx, hash, NULL) != 1)
        g_error("SHA-256 failed");
    EVP_MD_CTX_free(ctx);
    memcpy(ret, hash, 32);
}

static int load(Store *store, void *data) {
    Attempt *a = data;
    uint8_t hash[SECRET_HASH_SIZE];
    _rows_ StoreRows *rows = NULL;
    bool found = false;
    int more = 0;
    int r = consent_hash(a->portal, a->submission->transaction, hash);

    attempt_clear(a);
    if (r == 0)
        r = store_query(store, STATEMENT_CONSENT_WITH_TEXTS, &rows, "b", hash, sizeof hash);
    if (r != 0)
        return r;
    while (a->n_texts < CONSENT_TEXTS_MAX && (more = store_rows_next(rows)) == 1) {
        found = true;
        consent_read(rows, &a->consent);
        if (!store_rows_null(rows, TEXT_COLUMN))
            redemption_text_read(rows, TEXT_COLUMN + 1, &a->texts[a->n_texts++]);
    }
    if (more < 0)
        return EONAY_ERROR_STORAGE_FAILED;
    return found ? 0 : EONAY_ERROR_NOT_FOUND;
}

/* What a consent that is done answers to a submission. */
static int answer_again(const Attempt *a) {
    if (strcmp(a->consent.submission_key, a->submission->key) != 0)
        return EONAY_ERROR_CODE_USED;
    if (memcmp(a->consent.submission_digest, a->digest, sizeof a->digest) != 0)
        return EONAY_ERROR_BACKEND_REJECTED;
    return 0;
}

/* All signatures are by one person, who is the one that the code was given to. */
static int verify(Attempt *a, int64_t now) {
    if (a->submission->n != a->n_texts)
        return EONAY_ERROR_BACKEND_REJECTED;
    for (size_t i = 0; i < a->n_texts; i++) {
        gsize size = 0;
        const uint8_t *cms = g_bytes_get_data(a->submission->signatures[i], &size);
        int r = verdict_make(a->portal, &a->consent, &a->texts[i], cms, size, now, &a->verdicts[i]);

        if (r != 0)
            return r;
        if (strcmp(a->verdicts[i].subject, a->verdicts[0].subject) != 0)
            return EONAY_ERROR_IDENTITY_MISMATCH;
    }
    return 0;
}

/* The authority's own word on its certificates, from the one with that index on. States: statements-core.h. */
static int ask_register(Attempt *a, Store *store, size_t first) {
    for (size_t i = first; i < a->n_texts; i++) {
        _rows_ StoreRows *row = NULL;
        int r = store_row(store, STATEMENT_CERTIFICATE_STATE, &row, "b", a->verdicts[i].fingerprint,
                          sizeof a->verdicts[i].fingerprint);

        if (r != 0)
            return r;
        if (row && store_rows_int(row, 0) == 1)
            return EONAY_ERROR_CERTIFICATE_SUSPENDED;
        if (row && store_rows_int(row, 0) != 0)
            return EONAY_ERROR_CERTIFICATE_REVOKED;
    }
    return 0;
}

/* A responder that says nothing is made good by a current list; a certificate of which nobody says anything is not
 * taken. Both is found in the evidence. */
static int ask_responder(Request *request, Attempt *a, Verdict *v) {
    ResponderState state =
        responder_ask(a->portal->responder, request, v->certificate, v->certificate_size, v->fingerprint);

    switch (state) {
    case RESPONDER_LATER:
        a->later = true;
        return 0;
    case RESPONDER_SUSPENDED:
        return EONAY_ERROR_CERTIFICATE_SUSPENDED;
    case RESPONDER_REVOKED:
        return EONAY_ERROR_CERTIFICATE_REVOKED;
    case RESPONDER_SILENT:
        if (!v->listed_good)
            return EONAY_ERROR_REVOCATION_UNKNOWN;
        break;
    case RESPONDER_NONE:
    case RESPONDER_GOOD:
    default:
        break;
    }
    verdict_note(v, "ocsp", responder_name(state));
    return 0;
}

static int ask_responders(Request *request, Attempt *a) {
    int r = 0;

    for (size_t i = 0; r == 0 && !a->later && i < a->n_texts; i++)
        r = ask_responder(request, a, &a->verdicts[i]);
    return r;
}

static int record_signatures(Attempt *a, Store *store, int64_t now) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < a->n_texts; i++) {
        const Verdict *v = &a->verdicts[i];
        gsize size = 0;
        const void *cms = g_bytes_get_data(a->submission->signatures[i], &size);

        r = store_change(store, STATEMENT_SIGNATURE_ADD, NULL, "iibti", a->consent.id, (int64_t)i, cms, size,
                         v->findings, now);
    }
    return r;
}

static int record_approval(Attempt *a, Store *store) {
    const Consent *c = &a->consent;
    int64_t changes = 0;
    int r = store_change(store, STATEMENT_APPROVAL_ADD, &changes, "tttiiti", a->verdicts[0].subject, c->purpose,
                         c->text_version, a->portal->config->allow_repeats ? c->id : (int64_t)0, c->id, c->receipt_id,
                         c->submitted_at);

    return r == 0 && changes != 1 ? EONAY_ERROR_ALREADY_APPROVED : r;
}

static int record(Store *store, void *data) {
    Attempt *a = data;
    Consent *c = &a->consent;
    const bool signs = purpose_signs(c->purpose);
    int64_t changes = 0;
    int r = ask_register(a, store, 1); /* the first one is looked at by the statement itself */

    a->taken = false;
    if (r != 0)
        return r;
    c->submitted_at = clock_now();
    if ((r = store_change(store, STATEMENT_CONSENT_SIGN, &changes, "itbtib", c->id, a->submission->key, a->digest,
                          sizeof a->digest, c->receipt_id, c->submitted_at, a->verdicts[0].fingerprint,
                          sizeof a->verdicts[0].fingerprint)) != 0)
        return r;
    if (changes != 1 && (r = ask_register(a, store, 0)) != 0)
        return r;
    if (changes != 1)
        return a->taken = true, 0;
    if (signs && (r = record_approval(a, store)) != 0)
        return r;
    if ((r = record_signatures(a, store, c->submitted_at)) != 0)
        return r;
    const AuditEvent event = {.action = "consent-signed",
                              .subject = signs ? a->verdicts[0].subject : (*c->subject ? c->subject : NULL),
                              .address = a->address,
                              .detail = c->receipt_id};
    return audit_add(a->portal, store, &event, c->submitted_at);
}

static int attempt(Request *request, Attempt *a) {
    const int64_t now = clock_now();
    int r = store_read(request->store, load, a);

    a->taken = false;
    if (r != 0)
        return r;
    if (a->consent.state == EONAY_TRANSACTION_DONE)
        return answer_again(a);
    if ((r = consent_refusal(&a->consent, now)) != 0 || (r = verify(a, now)) != 0 ||
        (r = ask_responders(request, a)) != 0 || a->later)
        return r;
    if (!consent_label('R', a->consent.receipt_id))
        return EONAY_ERROR_STORAGE_FAILED;
    return store_write(request->store, record, a);
}

int submission_take(Request *request, const Submission *submission, Consent *ret) {
    Attempt a = {.portal = request->portal, .submission = submission, .address = request->address};

    digest(submission, a.digest);
    int r = attempt(request, &a);
    /* What it has become in between is final, so the second look answers. */
    if (r == 0 && a.taken)
        r = attempt(request, &a);
    if (r == 0 && a.taken)
        r = EONAY_ERROR_STORAGE_FAILED;
    attempt_clear(&a);
    *ret = a.consent;
    return a.later ? SUBMISSION_LATER : r;
}
