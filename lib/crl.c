/* SPDX-License-Identifier: Apache-2.0 */
#include "crl.h"

#include <openssl/x509v3.h>

#include "certificate-der.h"
#include "openssl-cleanup.h"
#include "revocation-times.h"
#include "signature.h"

static X509_CRL *crl_parse(const CadesBlob *crl) {
    const unsigned char *p = crl->bytes;
    if (crl->size == 0 || crl->size > CRL_SIZE_MAX)
        return NULL;
    X509_CRL *parsed = d2i_X509_CRL(NULL, &p, (long)crl->size);
    if (parsed && p == crl->bytes + crl->size)
        return parsed;
    X509_CRL_free(parsed);
    return NULL;
}

static bool times_read(X509_CRL *crl, int64_t *ret_this, int64_t *ret_next) {
    return revocation_time(X509_CRL_get0_lastUpdate(crl), ret_this) &&
           revocation_time(X509_CRL_get0_nextUpdate(crl), ret_next) && *ret_this != 0;
}

bool crl_times(const CadesBlob *crl, int64_t *ret_this, int64_t *ret_next) {
    signature_init();
    CLEANUP(X509_CRL_free_p) X509_CRL *parsed = crl_parse(crl);
    return parsed && times_read(parsed, ret_this, ret_next);
}

static const char *signer_check(X509_CRL *crl, X509 *issuer, int64_t at) {
    const X509_ALGOR *algorithm;
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0)
        return "the list is another issuer's";
    if ((X509_get_key_usage(issuer) & KU_CRL_SIGN) == 0)
        return "the issuer may not sign lists";
    X509_CRL_get0_signature(crl, NULL, &algorithm);
    if (!key || !revocation_algorithm_permitted(algorithm, key, at))
        return "the list is signed with an algorithm that is not permitted";
    return X509_CRL_verify(crl, key) == 1 ? NULL : "the list's signature is wrong";
}

/* Of a list and of its entries. The issuing distribution point is judged by scope_check(). */
static const char *extensions_check(X509_CRL *crl) {
    if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
        return "the list tells changes only";
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        X509_EXTENSION *x = X509_CRL_get_ext(crl, i);
        if (X509_EXTENSION_get_critical(x) &&
            OBJ_obj2nid(X509_EXTENSION_get_object(x)) != NID_issuing_distribution_point)
            return "the list has an unknown critical extension";
    }
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        for (int j = 0; j < X509_REVOKED_get_ext_count(entry); j++)
            if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, j)))
                return "an entry of the list has an unknown critical extension";
    }
    return NULL;
}

static bool names_meet(const GENERAL_NAMES *a, const GENERAL_NAMES *b) {
    for (int i = 0; i < sk_GENERAL_NAME_num(a); i++)
        for (int j = 0; j < sk_GENERAL_NAME_num(b); j++)
            if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i), sk_GENERAL_NAME_value(b, j)) == 0)
                return true;
    return false;
}

/* Whether one of the certificate's distribution points has a full name that the list's has too. */
static bool point_named(X509 *certificate, const DIST_POINT_NAME *name) {
    if (name->type != 0)
        return false;
    CRL_DIST_POINTS *points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    bool named = false;
    for (int i = 0; i < sk_DIST_POINT_num(points) && !named; i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);
        named = point->distpoint && point->distpoint->type == 0 && !point->CRLissuer &&
                names_meet(point->distpoint->name.fullname, name->name.fullname);
    }
    CRL_DIST_POINTS_free(points);
    return named;
}

static const char *scope_check(X509_CRL *crl, X509 *certificate) {
    int critical = 0;
    CLEANUP(ISSUING_DIST_POINT_free_p)
    ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
    if (!idp)
        return critical == -1 ? NULL : "the list's scope cannot be read";
    bool ca = X509_check_ca(certificate) == 1;
    if (idp->indirectCRL > 0)
        return "the list is an indirect one";
    if (idp->onlysomereasons)
        return "the list is for some reasons only";
    if (idp->onlyattr > 0 || (idp->onlyuser > 0 && ca) || (idp->onlyCA > 0 && !ca))
        return "the list is for another kind of certificate";
    if (idp->distpoint && !point_named(certificate, idp->distpoint))
        return "the list is of another distribution point";
    return NULL;
}

static const char *entry_read(X509_CRL *crl, X509 *certificate, RevocationAnswer *a) {
    X509_REVOKED *entry = NULL;
    int found = X509_CRL_get0_by_cert(crl, &entry, certificate);
    if (found == 0 || (found == 2 && entry)) {
        a->status = REVOCATION_GOOD; /* 2: removeFromCRL, which a whole list has no use for */
        return NULL;
    }
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    a->reason = reason ? (int)ASN1_ENUMERATED_get(reason) : -1;
    ASN1_ENUMERATED_free(reason);
    a->status = a->reason == CRL_REASON_CERTIFICATE_HOLD ? REVOCATION_SUSPENDED : REVOCATION_REVOKED;
    return revocation_time(X509_REVOKED_get0_revocationDate(entry), &a->revoked_at) ? NULL
                                                                                    : "the list's times cannot be read";
}

static const char *list_check(X509_CRL *crl, X509 *certificate, X509 *issuer, const RevocationExpectation *e,
                              RevocationAnswer *a) {
    if (!times_read(crl, &a->this_update, &a->next_update))
        return "the list's times cannot be read";
    const char *why = signer_check(crl, issuer, a->this_update);
    why = why ? why : extensions_check(crl);
    why = why ? why : scope_check(crl, certificate);
    why = why ? why : entry_read(crl, certificate, a);
    return why ? why : revocation_times_check(a, e);
}

const char *crl_verify(const CadesBlob *crl, const CadesBlob *certificate, const CadesBlob *issuer,
                       const RevocationExpectation *e, RevocationAnswer *ret) {
    signature_init();
    *ret = (RevocationAnswer){.reason = -1};
    CLEANUP(X509_free_p) X509 *subject = certificate_parse_shared((DerBytes){certificate->bytes, certificate->size});
    CLEANUP(X509_free_p) X509 *authority = certificate_parse_shared((DerBytes){issuer->bytes, issuer->size});
    if (!subject || !authority || X509_check_issued(authority, subject) != X509_V_OK)
        return "the certificate is not from this issuer";
    CLEANUP(X509_CRL_free_p) X509_CRL *parsed = crl_parse(crl);
    if (!parsed)
        return "the answer is no revocation list";
    const char *why = list_check(parsed, subject, authority, e, ret);
    if (why)
        ret->status = REVOCATION_UNKNOWN;
    return why;
}
