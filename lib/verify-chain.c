/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains with a reason: when none is found at that time, one is looked for that is only out of its time, since
 * "expired" and "nobody vouches for it" are different answers.
 */
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "cades-internal.h"
#include "certificate-der.h"
#include "openssl-cleanup.h"
#include "revocation-times.h"
#include "verify-internal.h"
#include "verify-memo.h"

void verify_chain_clear(VerifyChain *c) {
    for (size_t i = 0; i < c->n; i++)
        OPENSSL_free((uint8_t *)c->certificate[i].bytes);
    *c = (VerifyChain){0};
}

bool verify_chain_valid(const VerifyChain *c, int64_t at) {
    for (size_t i = 0; i + 1 < c->n; i++)
        if (at < c->from[i] || at > c->until[i])
            return false;
    return true;
}

bool verify_leaf_valid(const CadesReport *base, int64_t at) {
    CLEANUP(X509_free_p) X509 *x = certificate_parse_shared((DerBytes){base->certificate, base->certificate_size});
    int64_t from, until;
    return x && revocation_time(X509_get0_notBefore(x), &from) && revocation_time(X509_get0_notAfter(x), &until) &&
           at >= from && at <= until;
}

static bool chain_take(VerifyChain *c, STACK_OF(X509) * stack) {
    int n = sk_X509_num(stack);
    for (int i = 0; i < n && i < VERIFY_CHAIN_MAX; i++) {
        X509 *x = sk_X509_value(stack, i);
        uint8_t *der = NULL;
        int size = i2d_X509(x, &der);
        if (size <= 0)
            return false;
        c->certificate[c->n] = (CadesBlob){der, (size_t)size};
        c->n++;
        if (!revocation_time(X509_get0_notBefore(x), &c->from[i]) ||
            !revocation_time(X509_get0_notAfter(x), &c->until[i]))
            return false;
    }
    return n <= VERIFY_CHAIN_MAX;
}

/* A moment at which the certificate itself is valid, to ask whether it would have had a chain then. */
static int64_t middle_of(X509 *x) {
    int64_t from, until;
    if (!revocation_time(X509_get0_notBefore(x), &from) || !revocation_time(X509_get0_notAfter(x), &until))
        return 0;
    return from + (until - from) / 2;
}

static const char *build(Verify *v, X509 *x, DerBytes contained, int64_t at, int purpose, STACK_OF(X509) * *ret) {
    CadesExpectation expect = {.anchors = v->request->anchors,
                               .n_anchors = v->request->n_anchors,
                               .intermediates = v->pool,
                               .n_intermediates = v->n_pool};
    return cades_chain_build(x, contained, &expect, at, purpose, ret);
}

static VerifySub why_sub(const char *why) {
    static const struct {
        int error;
        VerifySub sub;
    } rows[] = {
        {X509_V_ERR_EE_KEY_TOO_SMALL, VERIFY_CRYPTO_CONSTRAINTS_FAILURE},
        {X509_V_ERR_CA_KEY_TOO_SMALL, VERIFY_CRYPTO_CONSTRAINTS_FAILURE},
        {X509_V_ERR_CA_MD_TOO_WEAK, VERIFY_CRYPTO_CONSTRAINTS_FAILURE},
        {X509_V_ERR_INVALID_CA, VERIFY_CHAIN_CONSTRAINTS_FAILURE},
        {X509_V_ERR_INVALID_PURPOSE, VERIFY_CHAIN_CONSTRAINTS_FAILURE},
        {X509_V_ERR_PATH_LENGTH_EXCEEDED, VERIFY_CHAIN_CONSTRAINTS_FAILURE},
        {X509_V_ERR_PERMITTED_VIOLATION, VERIFY_CHAIN_CONSTRAINTS_FAILURE},
        {X509_V_ERR_EXCLUDED_VIOLATION, VERIFY_CHAIN_CONSTRAINTS_FAILURE},
        {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, VERIFY_CHAIN_CONSTRAINTS_FAILURE},
        {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, VERIFY_CHAIN_CONSTRAINTS_FAILURE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(why, X509_verify_cert_error_string(rows[i].error)) == 0)
            return rows[i].sub;
    return VERIFY_NO_CERTIFICATE_CHAIN_FOUND;
}

/* There would be a chain at another time: then it is a matter of time. */
static VerifySub time_sub(Verify *v, X509 *x, DerBytes contained, int64_t at, int purpose, const char **ret_why) {
    CLEANUP(x509_stack_free_p) STACK_OF(X509) *stack = NULL;
    int64_t middle = middle_of(x), from = 0;
    if (middle == 0 || build(v, x, contained, middle, purpose, &stack))
        return VERIFY_SUB_NONE;
    revocation_time(X509_get0_notBefore(x), &from);
    *ret_why = at < from ? "the certificate was not valid yet" : "a certificate of the chain had expired";
    return at < from ? VERIFY_NOT_YET_VALID : VERIFY_OUT_OF_BOUNDS_NO_POE;
}

VerifySub verify_chain_build(Verify *v, const CadesBlob *leaf, DerBytes contained, int64_t at, int purpose,
                             VerifyChain *ret, const char **ret_why) {
    CLEANUP(x509_stack_free_p) STACK_OF(X509) *stack = NULL;
    if (verify_memo_find(v->request, leaf, purpose, at, ret))
        return VERIFY_SUB_NONE;
    CLEANUP(X509_free_p) X509 *x = certificate_parse_shared((DerBytes){leaf->bytes, leaf->size});
    *ret_why = "the certificate cannot be read";
    if (!x)
        return VERIFY_NO_SIGNING_CERTIFICATE_FOUND;
    *ret_why = build(v, x, contained, at, purpose, &stack);
    if (*ret_why) {
        VerifySub sub = why_sub(*ret_why);
        VerifySub by_time =
            sub == VERIFY_NO_CERTIFICATE_CHAIN_FOUND ? time_sub(v, x, contained, at, purpose, ret_why) : sub;
        return by_time != VERIFY_SUB_NONE ? by_time : sub;
    }
    if (chain_take(ret, stack)) {
        verify_memo_add(ret, purpose);
        return VERIFY_SUB_NONE;
    }
    verify_chain_clear(ret);
    *ret_why = "the chain cannot be read";
    return VERIFY_NO_CERTIFICATE_CHAIN_FOUND;
}
