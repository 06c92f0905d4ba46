/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time stamps from the newest to the oldest: the newest has to hold at the moment of verification; one that a newer one
 * covers has to hold at the time of that newer one. So a chain of stamps carries a signature over the end of its keys.
 */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "algorithm-policy.h"
#include "cades-build.h"
#include "cades-oids.h"
#include "certificate-der.h"
#include "openssl-cleanup.h"
#include "verify-internal.h"

/* ------------------------------------------------------------------------------------------------- soundness -- */

static HashKind imprint_hash(const VerifyToken *t) {
    HashKind hash = HASH_SHA256;
    for (int i = 0; i < N_HASHES; i++)
        if (strcmp(hash_name((HashKind)i), t->info.imprint_hash) == 0)
            hash = (HashKind)i;
    return hash;
}

static const char *imprint_check(const Verify *v, const VerifyToken *t) {
    uint8_t digest[HASH_SIZE_MAX];
    HashKind hash = imprint_hash(t);
    bool hashed = t->archive ? archive_imprint(&v->message, hash, t->index, digest)
                             : hash_bytes(hash, v->message.signer.signature, digest);
    if (!hashed)
        return "the stamped bytes cannot be hashed";
    return der_equal((DerBytes){t->info.imprint.bytes, t->info.imprint.size}, (DerBytes){digest, hash_size(hash)})
               ? NULL
               : "the token stamps other bytes";
}

static void token_soundness(Verify *v, VerifyToken *t, int number) {
    verify_note(v, VERIFY_CHECK_STAMP_TOKEN, number, t->why ? VERIFY_FAILED : VERIFY_PASSED, t->why);
    if (t->why)
        return;
    if (t->archive) {
        t->failed = VERIFY_CHECK_STAMP_INDEX;
        t->why = verify_index_check(v, t);
        verify_note(v, t->failed, number, t->why ? VERIFY_FAILED : VERIFY_PASSED, t->why);
        if (t->why)
            return;
    }
    t->failed = VERIFY_CHECK_STAMP_IMPRINT;
    t->why = imprint_check(v, t);
    verify_note(v, t->failed, number, t->why ? VERIFY_FAILED : VERIFY_PASSED, t->why);
    t->sound = !t->why;
}

/* ------------------------------------------------------------------------------------------------ trust in it -- */

static VerifySub revocation_judge(Verify *v, const VerifyToken *t, const VerifyChain *c, int number, bool newest) {
    VerifyOutcome outcome = VERIFY_PASSED;
    const char *detail = NULL;
    for (size_t i = 0; i + 1 < c->n; i++) {
        VerifyStatus s;
        verify_revocation(v, c, i, t->info.time, &s, NULL);
        bool bad = s.known && s.answer.status != REVOCATION_GOOD;
        if (bad && s.answer.revoked_at <= t->poe) {
            verify_note(v, VERIFY_CHECK_STAMP_REVOCATION, number, VERIFY_FAILED,
                        "the authority's certificate was revoked");
            return VERIFY_REVOKED_NO_POE;
        }
        if (!s.known) {
            outcome = VERIFY_UNKNOWN;
            detail = s.why;
        }
    }
    verify_note(v, VERIFY_CHECK_STAMP_REVOCATION, number, outcome, detail);
    return outcome == VERIFY_UNKNOWN && !newest ? VERIFY_TRY_LATER : VERIFY_SUB_NONE;
}

int64_t verify_policy_until(const CadesBlob *certificate, const char *algorithm) {
    CLEANUP(X509_free_p) X509 *x = certificate_parse_shared((DerBytes){certificate->bytes, certificate->size});
    EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
    SignerKey kind = {0};
    if (key)
        kind = signer_key_describe(key);
    return algorithm_policy_until(kind.type, kind.bits, algorithm, NULL);
}

static VerifySub algorithm_judge(Verify *v, const VerifyToken *t, int number) {
    /* The signature's own algorithm was judged at the time stamped; what matters now is that it has not run out since.
     */
    bool permitted = algorithm_policy_hash(t->info.imprint_hash, t->poe * VERIFY_USEC) &&
                     t->poe * VERIFY_USEC <= verify_policy_until(&t->info.certificate, t->info.algorithm);
    verify_note(v, VERIFY_CHECK_STAMP_ALGORITHM, number, permitted ? VERIFY_PASSED : VERIFY_FAILED,
                permitted ? NULL : "its algorithms ran out before a newer time stamp covered it");
    return permitted ? VERIFY_SUB_NONE : VERIFY_CRYPTO_CONSTRAINTS_FAILURE_NO_POE;
}

static VerifySub chain_judge(Verify *v, const VerifyToken *t, int number, VerifyChain *c) {
    const char *why;
    VerifySub sub = verify_chain_build(v, &t->info.certificate, t->message.certificates, t->info.time,
                                       X509_PURPOSE_TIMESTAMP_SIGN, c, &why);
    if (sub == VERIFY_SUB_NONE && !verify_chain_valid(c, t->poe)) {
        sub = VERIFY_OUT_OF_BOUNDS_NO_POE;
        why = "the authority's certificate has expired, and no newer time stamp covered it in time";
    }
    verify_note(v, VERIFY_CHECK_STAMP_CHAIN, number, sub == VERIFY_SUB_NONE ? VERIFY_PASSED : VERIFY_FAILED,
                sub == VERIFY_SUB_NONE ? NULL : why);
    return sub;
}

static int64_t chain_end(const VerifyToken *t, const VerifyChain *c) {
    int64_t end = verify_policy_until(&t->info.certificate, t->info.algorithm) / VERIFY_USEC;
    for (size_t i = 0; i + 1 < c->n; i++)
        end = c->until[i] < end ? c->until[i] : end;
    return end;
}

static VerifySub token_judge(Verify *v, const VerifyToken *t, int number, bool newest) {
    VerifyChain chain = {0};
    VerifySub sub = chain_judge(v, t, number, &chain);
    if (sub == VERIFY_SUB_NONE)
        sub = revocation_judge(v, t, &chain, number, newest);
    if (sub == VERIFY_SUB_NONE)
        sub = algorithm_judge(v, t, number);
    if (sub == VERIFY_SUB_NONE && newest)
        v->report->renew_before = chain_end(t, &chain);
    verify_chain_clear(&chain);
    return sub;
}

/* -------------------------------------------------------------------------------------------- what it proves -- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Whether the archive token's index names the attribute that these bytes stand in, or the SignedData field. */
static bool material_covered(const Verify *v, const VerifyToken *t, const VerifyMaterial *m) {
    DerElement element;
    DerBytes inside = {m->bytes.bytes, m->bytes.size};
    if (m->stamp >= 0) {
        const VerifyToken *carrier = &v->token[m->stamp];
        return verify_index_covers_attribute(t, carrier->type, (DerBytes){carrier->bytes.bytes, carrier->bytes.size});
    }
    for (DerBytes rest = v->message.crls; der_read(&rest, &element);)
        if (inside.p >= element.whole.p && inside.p + inside.n <= element.whole.p + element.whole.n)
            return verify_index_covers_crl(t, element.whole);
    for (size_t i = 0; i < v->message.signer.n_unsigned; i++) {
        const MessageAttribute *a = &v->message.signer.unsigned_attribute[i];
        for (DerBytes rest = a->values; der_read(&rest, &element);)
            if (inside.p >= element.whole.p && inside.p + inside.n <= element.whole.p + element.whole.n)
                return verify_index_covers_attribute(t, a->type, element.whole);
    }
    return false;
}

static void token_proves(Verify *v, const VerifyToken *t) {
    v->report->best_time = earlier(v->report->best_time, t->info.time);
    v->report->proven = true;
    if (!t->archive)
        return;
    for (size_t i = 0; i < v->n_tokens; i++) {
        VerifyToken *other = &v->token[i];
        if (other != t &&
            verify_index_covers_attribute(t, other->type, (DerBytes){other->bytes.bytes, other->bytes.size}))
            other->poe = earlier(other->poe, t->info.time);
    }
    for (size_t i = 0; i < v->n_material; i++)
        if (material_covered(v, t, &v->material[i]))
            v->material[i].poe = earlier(v->material[i].poe, t->info.time);
}

static void token_tell(const VerifyToken *t, VerifyStamp *s) {
    uint8_t digest[HASH_SIZE_MAX];
    s->archive = t->archive;
    s->time = t->info.time;
    snprintf(s->policy, sizeof(s->policy), "%s", t->info.policy);
    if (!t->info.certificate.bytes ||
        !hash_bytes(HASH_SHA256, (DerBytes){t->info.certificate.bytes, t->info.certificate.size}, digest))
        return;
    for (size_t i = 0; i < 32; i++)
        snprintf(s->authority + 2 * i, 3, "%02x", digest[i]);
}

/* What an archive time stamp covers cannot be younger than it. */
static bool order_right(const Verify *v) {
    for (size_t i = 0; i < v->n_tokens; i++)
        for (size_t k = 0; k < v->n_tokens; k++) {
            const VerifyToken *a = &v->token[i], *b = &v->token[k];
            if (i != k && a->sound && b->sound && a->info.time < b->info.time &&
                verify_index_covers_attribute(a, b->type, (DerBytes){b->bytes.bytes, b->bytes.size}))
                return false;
        }
    return true;
}

static void tokens_soundness(Verify *v) {
    for (size_t i = 0; i < v->n_tokens; i++) {
        VerifyToken *t = &v->token[i];
        token_soundness(v, t, (int)i);
        if (!t->sound)
            verify_decide(v, t->failed, VERIFY_SIG_CONSTRAINTS_FAILURE, t->why);
    }
}

void verify_stamps(Verify *v) {
    bool newest = true;
    v->report->n_stamps = v->n_tokens;
    tokens_soundness(v);
    if (v->n_tokens > 1) {
        bool right = order_right(v);
        verify_note(v, VERIFY_CHECK_STAMP_ORDER, -1, right ? VERIFY_PASSED : VERIFY_FAILED, NULL);
        if (!right)
            verify_decide(v, VERIFY_CHECK_STAMP_ORDER, VERIFY_TIMESTAMP_ORDER_FAILURE,
                          "a time stamp covers one that is younger than itself");
    }
    for (size_t i = v->n_tokens; i-- > 0;) {
        VerifyToken *t = &v->token[i];
        VerifyStamp *s = &v->report->stamp[i];
        token_tell(t, s);
        s->sub = t->sound ? VERIFY_SUB_NONE : VERIFY_SIG_CONSTRAINTS_FAILURE;
        if (!t->sound || v->request->n_anchors == 0)
            continue;
        s->sub = token_judge(v, t, (int)i, newest);
        s->proves = s->sub == VERIFY_SUB_NONE;
        newest = newest && !s->proves;
        if (s->proves)
            token_proves(v, t);
    }
}
