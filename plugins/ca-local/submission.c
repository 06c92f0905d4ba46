/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A submission may be sent again and again, since its sender cannot know whether an answer that never came was lost on
 * its way back. Its idempotency key and the digest of its signatures are kept with the consent: the same ones get the
 * same receipt for ever, and nothing is recorded twice.
 *
 * Verification takes milliseconds and happens before the write lock is taken. Under the lock the consent is signed by
 * the one UPDATE that still finds it open and in time; who comes second starts over and finds it done.
 */
#include "submission.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "approval.h"
#include "consent.h"
#include "fault.h"
#include "judgement.h"
#include "label.h"
#include "moment.h"

typedef struct Verdict {
    char subject[CA_SUBJECT_SIZE];
    uint8_t digest[SHA256_DIGEST_LENGTH];
} Verdict;

static int reject(const Ca *ca, const char *why) {
    return fault(ca->host, EONAY_ERROR_BACKEND_REJECTED, 0, "%s", why);
}

static void md_ctx_freep(EVP_MD_CTX **ctx) {
    EVP_MD_CTX_free(*ctx);
}

/* Over the sizes too, so that bytes moved from one signature to the next change it. */
static int digest_signatures(const Ca *ca, const EonaySubmission *s, uint8_t ret[SHA256_DIGEST_LENGTH]) {
    _cleanup_(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; good && i < s->n_signatures; i++) {
        uint64_t size = s->signature_sizes[i];
        good = EVP_DigestUpdate(ctx, &size, sizeof size) == 1 &&
               EVP_DigestUpdate(ctx, s->signatures[i], s->signature_sizes[i]) == 1;
    }
    if (!good || EVP_DigestFinal_ex(ctx, ret, NULL) != 1)
        return fault(ca->host, EONAY_ERROR_PLUGIN_FAILED, 0, "SHA-256 failed");
    return 0;
}

static int check_arguments(const Ca *ca, const EonaySubmission *s) {
    if (!s->idempotency_key || *s->idempotency_key == '\0' ||
        strnlen(s->idempotency_key, CA_IDENTIFIER_MAX + 1) > CA_IDENTIFIER_MAX)
        return reject(ca, "the idempotency key must have 1 to 255 bytes");
    for (size_t i = 0; i < s->n_signatures; i++)
        if (!s->signatures[i] || s->signature_sizes[i] == 0)
            return reject(ca, "a signature is empty");
    return 0;
}

/* What a consent that is done answers to a submission. */
static int answer_again(const Ca *ca, const Consent *c, const EonaySubmission *s, const Verdict *v, EonayReceipt *ret) {
    if (strcmp(c->submission_key, s->idempotency_key) != 0)
        return fault(ca->host, EONAY_ERROR_CODE_USED, 0, "the consent is signed already");
    if (memcmp(c->submission_digest, v->digest, sizeof v->digest) != 0)
        return reject(ca, "other signatures came under the same idempotency key");
    consent_receipt(ca, c, ret);
    return 0;
}

/* 0 while the consent can still be signed. */
static int check_open(const Ca *ca, const Consent *c, int64_t now) {
    switch (consent_state(c, now)) {
    case EONAY_TRANSACTION_OPEN:
        return 0;
    case EONAY_TRANSACTION_EXPIRED:
        return fault(ca->host, EONAY_ERROR_CODE_EXPIRED, 0, NULL);
    case EONAY_TRANSACTION_SUPERSEDED:
        return fault(ca->host, EONAY_ERROR_CODE_SUPERSEDED, 0, NULL);
    case EONAY_TRANSACTION_CANCELLED:
        return fault(ca->host, EONAY_ERROR_CANCELLED, 0, NULL);
    case EONAY_TRANSACTION_DONE:
    default:
        return fault(ca->host, EONAY_ERROR_CODE_USED, 0, NULL);
    }
}

static int check_count(Ca *ca, const Consent *c, const EonaySubmission *s) {
    _row_ sqlite3_stmt *row = NULL;
    int r = store_row(ca->store, STATEMENT_TEXT_COUNT, &row, "i", c->id);

    if (r != 0)
        return r;
    if (!row || sqlite3_column_int64(row, 0) != (int64_t)s->n_signatures || s->n_signatures == 0)
        return reject(ca, "there must be one signature per text");
    return 0;
}

/* All signatures are by one person, who is the one that the code was given to. */
static int verify(Ca *ca, const Consent *c, const EonaySubmission *s, Verdict *v) {
    const int64_t now = moment_now();
    int r = check_count(ca, c, s);

    for (size_t i = 0; r == 0 && i < s->n_signatures; i++) {
        char subject[CA_SUBJECT_SIZE];

        r = judgement_make(ca, c, i, s->signatures[i], s->signature_sizes[i], now, subject);
        if (r == 0 && i > 0 && strcmp(subject, v->subject) != 0)
            return fault(ca->host, EONAY_ERROR_IDENTITY_MISMATCH, 0, "the signatures are of different persons");
        if (r == 0)
            memcpy(v->subject, subject, sizeof subject);
    }
    if (r == 0 && *c->subject && strcmp(c->subject, v->subject) != 0)
        return fault(ca->host, EONAY_ERROR_IDENTITY_MISMATCH, 0, NULL);
    return r;
}

static int store_signatures(Ca *ca, const Consent *c, const EonaySubmission *s) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->n_signatures; i++)
        r = store_change(ca->store, STATEMENT_SIGNATURE_ADD, NULL, "iib", c->id, (int64_t)i, s->signatures[i],
                         s->signature_sizes[i]);
    return r;
}

/* *ret_recorded is false, without an error, when the consent was no longer there to sign. */
static int record(Ca *ca, Consent *c, const EonaySubmission *s, const Verdict *v, bool *ret_recorded) {
    _transaction_ Store *transaction = NULL;
    int changes = 0;
    int r = label_make(ca->host, 'R', c->receipt_id);

    if (r != 0 || (r = store_begin(ca->store, &transaction)) != 0)
        return r;
    c->submitted_at = moment_now();
    if ((r = store_change(ca->store, STATEMENT_CONSENT_SIGN, &changes, "itbti", c->id, s->idempotency_key, v->digest,
                          sizeof v->digest, c->receipt_id, c->submitted_at)) != 0)
        return r;
    if (changes != 1)
        return *ret_recorded = false, 0;
    if ((r = approval_absent_for(ca, v->subject, c->text_version)) != 0 || (r = store_signatures(ca, c, s)) != 0 ||
        (r = approval_record(ca, c, v->subject)) != 0 || (r = store_commit(&transaction)) != 0)
        return r;
    *ret_recorded = true;
    return 0;
}

static int attempt(Ca *ca, const EonaySubmission *s, Verdict *v, EonayReceipt *ret, bool *ret_again) {
    bool recorded = false;
    Consent c = {0};
    int r = consent_find(ca, s->transaction, &c);

    *ret_again = false;
    if (r != 0)
        return r;
    if (c.state == EONAY_TRANSACTION_DONE)
        return answer_again(ca, &c, s, v, ret);
    if ((r = check_open(ca, &c, moment_now())) != 0 || (r = verify(ca, &c, s, v)) != 0 ||
        (r = record(ca, &c, s, v, &recorded)) != 0)
        return r;
    if (!recorded)
        return *ret_again = true, 0;
    consent_receipt(ca, &c, ret);
    return 0;
}

int submission_take(Ca *ca, const EonaySubmission *submission, EonayReceipt *ret) {
    Verdict v = {0};
    bool again = false;
    int r = check_arguments(ca, submission);

    if (r == 0)
        r = digest_signatures(ca, submission, v.digest);
    if (r == 0)
        r = attempt(ca, submission, &v, ret, &again);
    /* Someone took the consent in between: what it has become is final, so the second look answers. */
    if (r == 0 && again)
        r = attempt(ca, submission, &v, ret, &again);
    if (r == 0 && again)
        return fault(ca->host, EONAY_ERROR_STORAGE_FAILED, 0, "a consent could be neither signed nor refused");
    return r;
}
