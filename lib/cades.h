/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CAdES-B-B, attached (ETSI EN 319 122-1): SignedData with one SignerInfo whose signed attributes are exactly
 * contentType, messageDigest, signingTime (RFC 5652 section 11), signing-certificate-v2 (RFC 5035) and, for the Turkish
 * profiles, the signature policy. The higher levels are made from it by cades-upgrade.h. Built with the certificate's
 * public key alone: the digest of the attributes is signed elsewhere and put in afterwards.
 *
 * Returned memory is released with free(). A positive return value is an EonayError, a negative one an errno.
 */
#ifndef EONAY_CADES_H
#define EONAY_CADES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eonay/plugin.h"

typedef struct Cades Cades;

/*
 * Prepares a signature. content is copied; signing_time in seconds since 1970 UTC; mechanism is one EonayMechanism that
 * fits the certificate's key. Errors: MECHANISM_UNSUPPORTED, CERTIFICATE_NOT_SUITABLE.
 */
int cades_new(const uint8_t *certificate, size_t certificate_size, const uint8_t *content, size_t content_size,
              int64_t signing_time, uint32_t mechanism, Cades **ret);
/* The same with a signature-policy-identifier among the signed attributes: policy 1, 2 or 3 is that of the profile P2,
 * P3 or P4 (cades-level.h), 0 none. */
int cades_new_with_policy(const uint8_t *certificate, size_t certificate_size, const uint8_t *content,
                          size_t content_size, int64_t signing_time, uint32_t mechanism, uint8_t policy, Cades **ret);
Cades *cades_free(Cades *c);

/* The digest of the DER-sorted signed attributes, which the token signs. Owned by c. */
const uint8_t *cades_digest(const Cades *c, size_t *ret_size);

/*
 * Puts the token's signature in (ECDSA as r||s or as DER: told apart by structure, never by length alone), encodes, and
 * verifies the encoded message completely with cades_verify(). Error: SIGNATURE_INVALID, with why in *ret_why (static).
 */
int cades_finish(Cades *c, const uint8_t *signature, size_t signature_size, uint8_t **ret_der, size_t *ret_size,
                 const char **ret_why);

/* X(ID, "name", TEXT): the checks of a verification, in their order. The first that fails ends it. */
#define CADES_CHECK_TABLE(X)                                                                                           \
    X(ENCODING, "encoding", N_("one whole DER encoded SignedData, nothing after it"))                                  \
    X(CONTENT_TYPE, "content-type", N_("the content is of type data and is contained"))                                \
    X(ONE_SIGNER, "one-signer", N_("there is exactly one signer"))                                                     \
    X(CERTIFICATE, "certificate", N_("the signer's certificate is contained and is named by the signer"))              \
    X(ALGORITHM, "algorithm", N_("digest and signature algorithms are permitted and belong together"))                 \
    X(SIGNED_ATTRIBUTES, "signed-attributes", N_("the signed attributes are the intended ones, each once"))            \
    X(UNSIGNED_ATTRIBUTES, "unsigned-attributes", N_("there are no unsigned attributes at this level"))                \
    X(MESSAGE_DIGEST, "message-digest", N_("the message digest is that of the content"))                               \
    X(SIGNING_CERTIFICATE, "signing-certificate", N_("signing-certificate-v2 names exactly this certificate"))         \
    X(SIGNATURE, "signature", N_("the signature value is right"))                                                      \
    X(CONTENT, "content", N_("the content is the expected one, byte for byte"))                                        \
    X(EXPECTED_CERTIFICATE, "expected-certificate", N_("the signer is the expected one"))                              \
    X(CHAIN, "chain", N_("the certificate leads to a trust anchor"))                                                   \
    X(SIGNING_TIME, "signing-time", N_("the signing time lies in the expected span"))

typedef enum CadesCheck {
#define CADES_CHECK_ENUM_(id, name, text) CADES_CHECK_##id,
    CADES_CHECK_TABLE(CADES_CHECK_ENUM_)
#undef CADES_CHECK_ENUM_
        CADES_N_CHECKS,
} CadesCheck;

const char *cades_check_name(CadesCheck check);
const char *cades_check_text(CadesCheck check); /* English; translate with gettext */

/* One X.509 certificate in DER. */
typedef struct CadesBlob {
    const uint8_t *bytes;
    size_t size;
} CadesBlob;

/* What the verifier knows beforehand; a zeroed struct expects nothing beyond a sound signature. */
typedef struct CadesExpectation {
    const uint8_t *content; /* NULL: any */
    size_t content_size;
    bool detached;              /* the content need not be contained: then `content` is what was signed */
    const uint8_t *certificate; /* DER; NULL: any */
    size_t certificate_size;
    const CadesBlob *anchors; /* trusted certificates; n_anchors == 0: the chain is not checked */
    size_t n_anchors;
    const CadesBlob *intermediates; /* untrusted help for building the chain */
    size_t n_intermediates;
    int64_t at;          /* seconds UTC: the chain must be valid then; 0: at the signing time claimed */
    int64_t signed_from; /* seconds UTC; both 0: the signing time may be any */
    int64_t signed_until;
    bool higher_levels; /* unsigned attributes and revocation lists may be there; they are not looked at */
} CadesExpectation;

typedef struct CadesReport {
    bool valid;
    CadesCheck failed;    /* when not valid */
    bool chain_checked;   /* there were anchors */
    int64_t signing_time; /* seconds UTC, as claimed; 0 when not reached */
    uint8_t *content;     /* NULL when not reached */
    size_t content_size;
    uint8_t *certificate; /* the signer's, DER; NULL when not reached */
    size_t certificate_size;
    char algorithm[40]; /* "rsa-pkcs1-sha256", "rsa-pss-sha256", "ecdsa-sha384" …; "" when not reached */
    char detail[160];   /* English, for logs, no personal data */
} CadesReport;

/* Verifies completely, by its own checks (CMS_verify's -cades lets messages without signed attributes pass). Returns 0
 * whether valid or not, -ENOMEM only. Accepts any bytes. */
int cades_verify(const uint8_t *der, size_t size, const CadesExpectation *expect, CadesReport **ret);
CadesReport *cades_report_free(CadesReport *r);

#endif
