/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a certificate is, and whether an E-Onay consent may be signed with it.
 *
 * Qualified (NES) is, by the Turkish profile: QCStatement 0.4.0.1862.1.1 together with 2.16.792.1.61.0.1.5070.1.1 or
 * 2.16.792.1.61.0.1.5070.2.1 (RFC 3739 section 3.2.6, ETSI EN 319 412-5). A seal carries 5070.1.3 or 5070.2.2, or the
 * mali mühür policy or extended key usage, and is refused: only a natural person consents. Algorithms:
 * algorithm-policy.h.
 */
#ifndef EONAY_CERTIFICATE_PROFILE_H
#define EONAY_CERTIFICATE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eonay/plugin.h"

#ifndef N_
#define N_(s) s
#endif

/*
 * X(BIT, ID, "name", ERROR, TEXT): why a certificate cannot be used. Names are stable and go out on the bus
 * (ListCertificates, Reasons); ERROR is the EonayError a Sign() with it gets; TEXT is English, translated by gettext.
 * The order is the order of importance: the first bit set names the error.
 */
#define CERTIFICATE_REASON_TABLE(X)                                                                                    \
    X(0, MALFORMED, "malformed", CERTIFICATE_NOT_SUITABLE, N_("the certificate cannot be read"))                       \
    X(1, IS_CA, "certificate-authority", CERTIFICATE_NOT_SUITABLE, N_("it belongs to an authority, not a person"))     \
    X(2, SEAL, "seal", CERTIFICATE_NOT_SUITABLE, N_("it is an electronic seal, not a person's signature"))             \
    X(3, ENCRYPTION_ONLY, "encryption-only", CERTIFICATE_NOT_SUITABLE, N_("it is for encryption only"))                \
    X(4, KEY_USAGE, "key-usage", CERTIFICATE_NOT_SUITABLE, N_("its key usage does not allow signatures"))              \
    X(5, NOT_QUALIFIED, "not-qualified", CERTIFICATE_NOT_SUITABLE, N_("it is not a qualified certificate"))            \
    X(6, NO_IDENTITY, "no-identity-number", CERTIFICATE_NOT_SUITABLE, N_("it carries no valid T.C. identity number"))  \
    X(7, REVOKED, "revoked", CERTIFICATE_REVOKED, N_("it has been revoked"))                                           \
    X(8, SUSPENDED, "suspended", CERTIFICATE_SUSPENDED, N_("it is suspended"))                                         \
    X(9, EXPIRED, "expired", CERTIFICATE_EXPIRED, N_("it has expired"))                                                \
    X(10, NOT_YET_VALID, "not-yet-valid", CERTIFICATE_NOT_YET_VALID, N_("it is not valid yet"))                        \
    X(11, WEAK_KEY, "weak-key", CERTIFICATE_NOT_SUITABLE, N_("its key is too short"))                                  \
    X(12, WEAK_ALGORITHM, "weak-algorithm", CERTIFICATE_NOT_SUITABLE, N_("it was issued with a weak algorithm"))       \
    X(13, KEY_TYPE, "key-type", CERTIFICATE_NOT_SUITABLE, N_("its kind of key is not supported"))                      \
    X(14, CRITICAL_EXTENSION, "unknown-critical-extension", CERTIFICATE_NOT_SUITABLE,                                  \
      N_("it has a critical extension that is not understood"))                                                        \
    X(15, WRONG_SUBJECT, "wrong-subject", IDENTITY_MISMATCH, N_("it belongs to somebody else"))                        \
    X(16, NO_PRIVATE_KEY, "no-private-key", CERTIFICATE_NOT_SUITABLE, N_("its private key is not on the token"))       \
    X(17, KEY_CANNOT_SIGN, "key-cannot-sign", CERTIFICATE_NOT_SUITABLE, N_("its private key may not sign"))            \
    X(18, MECHANISM, "mechanism-unsupported", MECHANISM_UNSUPPORTED,                                                   \
      N_("the token offers no permitted signature algorithm for it"))                                                  \
    X(19, PIN_LOCKED, "pin-locked", PIN_LOCKED, N_("the token's PIN is locked"))                                       \
    X(20, TOKEN_NOT_READY, "token-not-ready", PLUGIN_FAILED, N_("the token is not ready"))

typedef enum CertificateReason {
#define CERTIFICATE_REASON_ENUM_(bit, id, name, error, text) CERTIFICATE_REASON_##id = 1 << (bit),
    CERTIFICATE_REASON_TABLE(CERTIFICATE_REASON_ENUM_)
#undef CERTIFICATE_REASON_ENUM_
} CertificateReason;

typedef struct CertificateProfile {
    uint8_t *der; /* a copy */
    size_t der_size;
    char fingerprint[65]; /* SHA-256 of the DER, lower-case hex */
    char *subject;        /* RFC 2253 order, UTF-8, personal data */
    char *common_name;    /* "" when there is none */
    char *issuer;
    char *serial_number; /* lower-case hex without leading zeros */
    char *national_id;   /* T.C. kimlik no, checksum right; NULL when there is none */
    int64_t not_before;  /* microseconds UTC */
    int64_t not_after;
    char key_type[16]; /* "rsa-2048", "ec-p256", "ec-p384", "ec-p521", else OpenSSL's name */
    bool qualified;
    char **key_usage;     /* NULL-terminated: "digitalSignature", "nonRepudiation", … (RFC 5280 section 4.2.1.3) */
    char **policies;      /* certificate policy OIDs, dotted */
    char **qc_statements; /* QCStatement OIDs, dotted */
    uint32_t mechanisms;  /* set of EonayMechanism that fit the key and the policy, whatever the token offers */
    uint32_t reasons;     /* CertificateReason bits that do not depend on the time */
} CertificateProfile;

/* Reads a certificate. Bytes that are no certificate give a profile with MALFORMED and the fingerprint only, not an
 * error. Returns 0 or -ENOMEM. */
int certificate_profile_new(const uint8_t *der, size_t size, CertificateProfile **ret);
CertificateProfile *certificate_profile_free(CertificateProfile *p);

/* p->reasons and those of the moment (expired, not yet valid, algorithm policy run out). 0: usable. */
uint32_t certificate_profile_reasons_at(const CertificateProfile *p, int64_t usec);

/* The name of a single bit, its English text (translate with gettext), and the EonayError of the most important bit
 * set. */
const char *certificate_reason_name(uint32_t bit);
const char *certificate_reason_text(uint32_t bit);
int certificate_reasons_error(uint32_t reasons);

#endif
