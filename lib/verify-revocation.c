/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What revocation values say of a certificate at a moment. A value counts when it is signed as it has to be (ocsp.h,
 * crl.h) and proven to exist while its issuer's certificate was still valid. Of those that count the newest speaks: a
 * certificate taken back from suspension is good again, one revoked later was good before.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "crl.h"
#include "ocsp.h"
#include "pure-memo.h"
#include "verify-internal.h"

/* A list's issuer, from its bytes alone: most values speak of other issuers, and reading those whole costs. */
static bool list_of_issuer(const CadesBlob *list, const CadesBlob *certificate) {
    DerBytes bytes = {list->bytes, list->size}, outer, tbs, version, issuer;
    DerBytes cert = {certificate->bytes, certificate->size}, cert_outer, cert_tbs;
    DerElement algorithm, list_name, skipped, name;
    if (!der_read_value(&bytes, DER_SEQUENCE, &outer) || !der_read_value(&outer, DER_SEQUENCE, &tbs))
        return false;
    der_read_value(&tbs, DER_INTEGER, &version);
    if (!der_read_tag(&tbs, DER_SEQUENCE, &algorithm) || !der_read_tag(&tbs, DER_SEQUENCE, &list_name))
        return false;
    if (!der_read_value(&cert, DER_SEQUENCE, &cert_outer) || !der_read_value(&cert_outer, DER_SEQUENCE, &cert_tbs))
        return false;
    if (der_next_is(cert_tbs, DER_CONTEXT_0) && !der_read(&cert_tbs, &skipped))
        return false;
    if (!der_read_tag(&cert_tbs, DER_INTEGER, &skipped) || !der_read_tag(&cert_tbs, DER_SEQUENCE, &skipped) ||
        !der_read_tag(&cert_tbs, DER_SEQUENCE, &name))
        return false;
    issuer = name.whole;
    return der_equal(list_name.whole, issuer);
}

static const char *value_read(const VerifyMaterial *m, const CadesBlob *certificate, const CadesBlob *issuer,
                              RevocationAnswer *ret) {
    const RevocationExpectation e = {.any_time = true};
    return m->ocsp ? ocsp_verify(&m->bytes, certificate, issuer, &e, ret)
                   : crl_verify(&m->bytes, certificate, issuer, &e, ret);
}

/* At any time: so the answer follows from the bytes alone and can be remembered. */
static const char *value_ask(const VerifyMaterial *m, const CadesBlob *certificate, const CadesBlob *issuer,
                             RevocationAnswer *ret) {
    PureKey key;
    const char *why;
    *ret = (RevocationAnswer){.reason = -1};
    if (!m->ocsp && !list_of_issuer(&m->bytes, certificate))
        return "the list is another issuer's";
    bool keyed = pure_key_make(m->ocsp, &m->bytes, certificate, issuer, &key);
    if (keyed && pure_answer_find(&key, ret, &why))
        return why;
    why = value_read(m, certificate, issuer, ret);
    if (keyed)
        pure_answer_add(&key, ret, why);
    return why;
}

/* Still the current word at that time, or given afterwards. */
static bool current(const RevocationAnswer *a, int64_t at) {
    return a->this_update + REVOCATION_SKEW >= at || (a->next_update != 0 && a->next_update + REVOCATION_SKEW >= at);
}

static void answer_take(VerifyStatus *s, const VerifyMaterial *m, const RevocationAnswer *a, int64_t at) {
    bool good_then = a->status == REVOCATION_GOOD || a->revoked_at > at;
    if (a->status == REVOCATION_GOOD && !current(a, at)) {
        s->why = "the newest revocation value is older than the signature";
        return;
    }
    s->by_ocsp |= m->ocsp && good_then;
    s->by_crl_after |= !m->ocsp && good_then && a->this_update + REVOCATION_SKEW >= at;
    if (s->known && a->this_update < s->answer.this_update)
        return;
    s->answer = *a;
    s->known = true;
}

static void status_begin(VerifyStatus *s) {
    *s = (VerifyStatus){.answer.reason = -1, .why = "there is no revocation value for it"};
}

static void status_take(VerifyStatus *s, const VerifyMaterial *m, const char *why, const RevocationAnswer *a,
                        int64_t issuer_until, int64_t at) {
    /* What does not speak of it at all is no reason. */
    if (why && a->this_update != 0)
        s->why = why;
    if (why)
        return;
    if (m->poe > issuer_until) {
        s->no_poe = true;
        s->why = "the issuer had expired before the revocation value is proven to exist";
        return;
    }
    answer_take(s, m, a, at);
}

/* Whether the list that speaks of the responder was current when it answered, and did not name it then. */
static const char *list_judge(const RevocationAnswer *about, int64_t answered) {
    if (about->status != REVOCATION_GOOD && about->revoked_at <= answered)
        return "the responder's certificate was revoked";
    return current(about, answered) ? NULL : "the list that speaks of the responder is older than its answer";
}

/* RFC 6960 section 4.2.2.2.1. NULL: it need not be asked about, or a list says that it stood when it answered. */
static const char *responder_check(const Verify *v, const VerifyMaterial *m, const CadesBlob *issuer,
                                   const RevocationAnswer *answer) {
    CadesBlob responder = {0};
    uint8_t *der = NULL;
    const char *why = "whether the responder's certificate was revoked is not known";
    bool stands = false, revoked = false;
    if (!m->ocsp || !answer->delegate_revocable)
        return NULL;
    if (ocsp_responder(&m->bytes, issuer, &der, &responder.size) != 0)
        return why;
    responder.bytes = der;
    for (size_t k = 0; k < v->n_material && !revoked; k++) {
        RevocationAnswer about;
        if (v->material[k].ocsp || value_ask(&v->material[k], &responder, issuer, &about))
            continue;
        const char *against = list_judge(&about, answer->produced_at);
        revoked = about.status != REVOCATION_GOOD && against;
        stands |= !against;
        why = against ? against : why;
    }
    free(der);
    return stands && !revoked ? NULL : why;
}

void verify_revocation(const Verify *v, const VerifyChain *c, size_t i, int64_t at, VerifyStatus *ret,
                       VerifyStatus *ret_embedded) {
    VerifyStatus ignored = {0};
    VerifyStatus *embedded = ret_embedded ? ret_embedded : &ignored;
    status_begin(ret);
    status_begin(embedded);
    for (size_t k = 0; k < v->n_material; k++) {
        const VerifyMaterial *m = &v->material[k];
        RevocationAnswer a;
        const char *why = value_ask(m, &c->certificate[i], &c->certificate[i + 1], &a);
        if (!why)
            why = responder_check(v, m, &c->certificate[i + 1], &a);
        status_take(ret, m, why, &a, c->until[i + 1], at);
        if (m->embedded)
            status_take(embedded, m, why, &a, c->until[i + 1], at);
    }
    if (ret->known)
        ret->why = NULL;
}
