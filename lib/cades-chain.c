/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain, by OpenSSL: the anchors given are the only trusted certificates (nothing of the system's), each of them
 * may end the chain whether it signed itself or not, and everything else is help that need not be honest. Revocation is
 * not looked at here.
 */
#include <openssl/x509_vfy.h>

#include "cades-internal.h"
#include "certificate-der.h"
#include "chain-memo.h"
#include "openssl-cleanup.h"

#define CHAIN_DEPTH_MAX 8
#define SECURITY_LEVEL  2 /* 112 bits: no SHA-1 and no RSA below 2048 in the chain */

static bool stack_push(STACK_OF(X509) * stack, DerBytes bytes) {
    X509 *certificate = certificate_parse_shared(bytes);
    if (certificate && sk_X509_push(stack, certificate) > 0)
        return true;
    X509_free(certificate);
    return false;
}

static bool anchors_add(X509_STORE *store, const CadesExpectation *expect) {
    for (size_t i = 0; i < expect->n_anchors; i++) {
        CLEANUP(X509_free_p)
        X509 *anchor = certificate_parse_shared((DerBytes){expect->anchors[i].bytes, expect->anchors[i].size});
        if (!anchor || X509_STORE_add_cert(store, anchor) != 1)
            return false;
    }
    return true;
}

static STACK_OF(X509) * helpers_collect(DerBytes contained, const CadesExpectation *expect) {
    STACK_OF(X509) *helpers = sk_X509_new_null();
    DerElement element;
    if (!helpers)
        return NULL;
    /* What cannot be read cannot help, and is not a fault of the signature. */
    while (der_read(&contained, &element))
        stack_push(helpers, element.whole);
    for (size_t i = 0; i < expect->n_intermediates; i++)
        stack_push(helpers, (DerBytes){expect->intermediates[i].bytes, expect->intermediates[i].size});
    return helpers;
}

/* Whether qcStatements is the only critical extension that OpenSSL does not know: we read it (certificate-profile.c).
 */
static bool only_qc_statements_unknown(X509 *certificate) {
    for (int i = 0; i < X509_get_ext_count(certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(certificate, i);
        if (X509_EXTENSION_get_critical(extension) && !X509_supported_extension(extension) &&
            OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_qcStatements)
            return false;
    }
    return true;
}

static int verify_callback(int ok, X509_STORE_CTX *ctx) {
    if (ok || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION)
        return ok;
    X509 *certificate = X509_STORE_CTX_get_current_cert(ctx);
    if (!certificate || !only_qc_statements_unknown(certificate))
        return 0;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static void parameters_set(X509_STORE_CTX *ctx, int64_t at, int purpose) {
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_purpose(parameters, purpose);
    X509_VERIFY_PARAM_set_depth(parameters, CHAIN_DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(parameters, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_time(parameters, (time_t)at);
    X509_STORE_CTX_set_verify_cb(ctx, verify_callback);
}

const char *cades_chain_build(X509 *certificate, DerBytes contained, const CadesExpectation *expect, int64_t at,
                              int purpose, STACK_OF(X509) * *ret) {
    CLEANUP(X509_STORE_free_p) X509_STORE *store = X509_STORE_new();
    CLEANUP(x509_stack_free_p) STACK_OF(X509) *helpers = helpers_collect(contained, expect);
    CLEANUP(X509_STORE_CTX_free_p) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!store || !helpers || !ctx)
        return "the chain cannot be built";
    if (!anchors_add(store, expect))
        return "a trust anchor cannot be read";
    if (X509_STORE_CTX_init(ctx, store, certificate, helpers) != 1)
        return "the chain cannot be built";
    parameters_set(ctx, at, purpose);
    if (X509_verify_cert(ctx) != 1)
        return X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    *ret = X509_STORE_CTX_get1_chain(ctx);
    return *ret ? NULL : "the chain cannot be built";
}

const char *cades_chain_check(X509 *certificate, DerBytes contained, const CadesExpectation *expect, int64_t at,
                              int purpose) {
    ChainKey key;
    bool keyed = chain_key_make(certificate, contained, expect, purpose, &key);
    if (keyed && chain_memo_knows(&key, at))
        return NULL;
    CLEANUP(x509_stack_free_p) STACK_OF(X509) *chain = NULL;
    const char *why = cades_chain_build(certificate, contained, expect, at, purpose, &chain);
    if (!why && keyed)
        chain_memo_add(&key, chain);
    return why;
}
