/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp.h"

#include <errno.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "certificate-der.h"
#include "ocsp-basic.h"
#include "openssl-cleanup.h"
#include "pure-memo.h"
#include "revocation-times.h"
#include "signature.h"

static X509 *blob_parse(const CadesBlob *blob) {
    return certificate_parse_shared((DerBytes){blob->bytes, blob->size});
}

/* SHA-1 names the certificate, as RFC 5019 profiles it and every responder understands; it secures nothing here. */
static bool request_fill(OCSP_REQUEST *request, X509 *certificate, X509 *issuer, const uint8_t *nonce, size_t size) {
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, issuer);
    if (!id || !OCSP_request_add0_id(request, id)) {
        OCSP_CERTID_free(id);
        return false;
    }
    return !nonce || OCSP_request_add1_nonce(request, (unsigned char *)nonce, (int)size) == 1;
}

static int bytes_out(unsigned char *der, int n, uint8_t **ret, size_t *ret_size) {
    uint8_t *copy = n > 0 ? malloc((size_t)n) : NULL;
    if (copy && der) {
        memcpy(copy, der, (size_t)n);
        *ret = copy;
        *ret_size = (size_t)n;
    }
    OPENSSL_free(der);
    return copy ? 0 : -ENOMEM;
}

int ocsp_request(const CadesBlob *certificate, const CadesBlob *issuer, const uint8_t *nonce, size_t nonce_size,
                 uint8_t **ret, size_t *ret_size) {
    signature_init();
    CLEANUP(X509_free_p) X509 *subject = blob_parse(certificate);
    CLEANUP(X509_free_p) X509 *authority = blob_parse(issuer);
    CLEANUP(OCSP_REQUEST_free_p) OCSP_REQUEST *request = OCSP_REQUEST_new();
    unsigned char *der = NULL;
    if (!subject || !authority)
        return -EINVAL;
    if (!request || !request_fill(request, subject, authority, nonce, nonce_size))
        return -ENOMEM;
    return bytes_out(der, i2d_OCSP_REQUEST(request, &der), ret, ret_size);
}

/* ---------------------------------------------------------------------------------------------------- signer -- */

static bool delegate_allowed(X509 *signer, X509 *issuer, int64_t at) {
    time_t when = (time_t)at;
    uint32_t usage = X509_get_extended_key_usage(signer);
    return X509_check_issued(issuer, signer) == X509_V_OK && certificate_signed_by(signer, issuer) &&
           usage != UINT32_MAX && (usage & XKU_OCSP_SIGN) != 0 &&
           X509_cmp_time(X509_get0_notBefore(signer), &when) < 0 &&
           X509_cmp_time(X509_get0_notAfter(signer), &when) > 0;
}

static bool signature_right(OCSP_BASICRESP *basic, X509 *signer) {
    STACK_OF(X509) *only = sk_X509_new_null();
    bool right = only && sk_X509_push(only, signer) > 0 &&
                 OCSP_basic_verify(basic, only, NULL, OCSP_NOINTERN | OCSP_NOVERIFY) == 1;
    sk_X509_free(only);
    return right;
}

/* Who signed it, borrowed from the answer or the issuer itself; NULL: that certificate is not there. */
static X509 *signer_find(OCSP_BASICRESP *basic, X509 *issuer) {
    X509 *signer = NULL;
    STACK_OF(X509) *more = sk_X509_new_null();
    bool found = more && sk_X509_push(more, issuer) > 0 && OCSP_resp_get0_signer(basic, &signer, more) == 1;
    sk_X509_free(more);
    return found ? signer : NULL;
}

/* No mark that it need not be asked about, and somebody to ask. */
static bool revocable(X509 *signer) {
    if (X509_get_ext_by_NID(signer, NID_id_pkix_OCSP_noCheck, -1) >= 0)
        return false;
    STACK_OF(OPENSSL_STRING) *responders = X509_get1_ocsp(signer); /* authorityInfoAccess may name issuers only */
    bool named = sk_OPENSSL_STRING_num(responders) > 0;
    X509_email_free(responders);
    return named || X509_get_ext_by_NID(signer, NID_crl_distribution_points, -1) >= 0;
}

static const char *signer_check(OCSP_BASICRESP *basic, X509 *issuer, RevocationAnswer *a) {
    X509 *signer = signer_find(basic, issuer);
    if (!signer)
        return "the responder's certificate is not there";
    a->by_delegate = X509_cmp(signer, issuer) != 0;
    if (a->by_delegate && !delegate_allowed(signer, issuer, a->produced_at))
        return "the responder may not answer for this issuer";
    a->delegate_revocable = a->by_delegate && revocable(signer);
    EVP_PKEY *key = X509_get0_pubkey(signer);
    if (!key || !revocation_algorithm_permitted(OCSP_resp_get0_tbs_sigalg(basic), key, a->produced_at))
        return "the answer is signed with an algorithm that is not permitted";
    return signature_right(basic, signer) ? NULL : "the answer's signature is wrong";
}

/* ---------------------------------------------------------------------------------------------------- content -- */

static bool id_matches(const OCSP_CERTID *id, X509 *certificate, X509 *issuer) {
    ASN1_OBJECT *hash = NULL;
    if (OCSP_id_get0_info(NULL, &hash, NULL, NULL, (OCSP_CERTID *)id) != 1)
        return false;
    const EVP_MD *md = EVP_get_digestbyobj(hash);
    CLEANUP(OCSP_CERTID_free_p) OCSP_CERTID *right = md ? OCSP_cert_to_id(md, certificate, issuer) : NULL;
    return right && OCSP_id_cmp(right, id) == 0;
}

static OCSP_SINGLERESP *single_find(OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer) {
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (id_matches(OCSP_SINGLERESP_get0_id(single), certificate, issuer))
            return single;
    }
    return NULL;
}

static bool extensions_harmless(OCSP_BASICRESP *basic, OCSP_SINGLERESP *single) {
    for (int i = 0; i < OCSP_BASICRESP_get_ext_count(basic); i++) {
        X509_EXTENSION *x = OCSP_BASICRESP_get_ext(basic, i);
        if (X509_EXTENSION_get_critical(x) && OBJ_obj2nid(X509_EXTENSION_get_object(x)) != NID_id_pkix_OCSP_Nonce)
            return false;
    }
    for (int i = 0; i < OCSP_SINGLERESP_get_ext_count(single); i++)
        if (X509_EXTENSION_get_critical(OCSP_SINGLERESP_get_ext(single, i)))
            return false;
    return true;
}

static const char *single_read(OCSP_SINGLERESP *single, RevocationAnswer *a) {
    ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
    int status = OCSP_single_get0_status(single, &a->reason, &revoked, &this_update, &next_update);
    if (!revocation_time(this_update, &a->this_update) || !revocation_time(next_update, &a->next_update) ||
        !revocation_time(revoked, &a->revoked_at))
        return "the answer's times cannot be read";
    if (status == V_OCSP_CERTSTATUS_GOOD)
        a->status = REVOCATION_GOOD;
    else if (status == V_OCSP_CERTSTATUS_REVOKED)
        a->status = a->reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD ? REVOCATION_SUSPENDED : REVOCATION_REVOKED;
    else
        return "the responder does not know the certificate";
    return NULL;
}

static const char *nonce_check(OCSP_BASICRESP *basic, const RevocationExpectation *e) {
    int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
    if (!e->nonce)
        return NULL;
    if (at < 0)
        return e->nonce_required ? "the answer does not repeat the nonce" : NULL;
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
    DerBytes bytes = {ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)}, inner;
    DerBytes whole = bytes, sent = {e->nonce, e->nonce_size};
    bool equal = der_read_value(&bytes, DER_OCTET_STRING, &inner) && bytes.n == 0 ? der_equal(inner, sent)
                                                                                  : der_equal(whole, sent);
    return equal ? NULL : "the answer repeats another nonce";
}

static const char *basic_check(OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer, const RevocationExpectation *e,
                               RevocationAnswer *a) {
    if (!revocation_time(OCSP_resp_get0_produced_at(basic), &a->produced_at))
        return "the answer's times cannot be read";
    OCSP_SINGLERESP *single = single_find(basic, certificate, issuer);
    if (!single)
        return "the answer is about another certificate";
    const char *why = signer_check(basic, issuer, a);
    if (why)
        return why;
    if (!extensions_harmless(basic, single))
        return "the answer has an unknown critical extension";
    why = nonce_check(basic, e);
    why = why ? why : single_read(single, a);
    return why ? why : revocation_times_check(a, e);
}

const char *ocsp_verify(const CadesBlob *response, const CadesBlob *certificate, const CadesBlob *issuer,
                        const RevocationExpectation *e, RevocationAnswer *ret) {
    const char *why;
    signature_init();
    *ret = (RevocationAnswer){.reason = -1};
    CLEANUP(X509_free_p) X509 *subject = blob_parse(certificate);
    CLEANUP(X509_free_p) X509 *authority = blob_parse(issuer);
    if (!subject || !authority || X509_check_issued(authority, subject) != X509_V_OK)
        return "the certificate is not from this issuer";
    /* Before all is read, which costs: most answers that are looked at are about others. */
    if (ocsp_basic_is_foreign(response, certificate))
        return "the answer is about another certificate";
    CLEANUP(OCSP_BASICRESP_free_p) OCSP_BASICRESP *basic = ocsp_basic_parse(response, &why);
    if (!basic)
        return why;
    why = basic_check(basic, subject, authority, e, ret);
    if (why)
        ret->status = REVOCATION_UNKNOWN;
    return why;
}

int ocsp_responder(const CadesBlob *response, const CadesBlob *issuer, uint8_t **ret, size_t *ret_size) {
    const char *why;
    unsigned char *der = NULL;
    signature_init();
    CLEANUP(X509_free_p) X509 *authority = blob_parse(issuer);
    CLEANUP(OCSP_BASICRESP_free_p) OCSP_BASICRESP *basic = ocsp_basic_parse(response, &why);
    X509 *signer = authority && basic ? signer_find(basic, authority) : NULL;
    if (!signer || X509_cmp(signer, authority) == 0)
        return -ENOENT;
    return bytes_out(der, i2d_X509(signer, &der), ret, ret_size);
}
