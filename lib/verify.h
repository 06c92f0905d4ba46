/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signature validated as ETSI EN 319 102-1 describes it: for its own sake, and against trust anchors, revocation
 * values and time stamps, at a moment that may lie years after it was made. The report names the indication, and every
 * check with its reason. No network, no files, no clock but the one asked for in `at`; any bytes are accepted.
 *
 * How the standard is filled in where it leaves a choice:
 *  - Proof of existence is a time stamp that holds at the moment of verification, or that a newer one covered while it
 *    still held. Without any, the signature is known to exist at `at` only.
 *  - What the signer says against himself counts: a claimed signing time after the certificate's end or revocation is
 *    TOTAL-FAILED. What he says in his favour does not.
 *  - The revocation of a time-stamp authority has to be known for a stamp that a newer one covers. For the newest one
 *    it is looked at when something is known, and stands in the report as not known otherwise.
 *  - A suspended certificate is TRY_LATER.
 *  - An OCSP answer by a responder whose certificate lacks id-pkix-ocsp-nocheck and names who tells of it counts when a
 *    list among the values shows that the responder stood when it answered; by one that names nobody it counts.
 *  - A time stamp that does not fit the signature makes the signature INDETERMINATE, not failed: anyone can add one. So
 *    does a level that is claimed and not reached, even where a lower one would do.
 */
#ifndef EONAY_VERIFY_H
#define EONAY_VERIFY_H

#include "cades-level.h"
#include "cades.h"
#include "revocation.h"

#ifndef N_
#define N_(s) s
#endif

typedef enum VerifyIndication {
    VERIFY_TOTAL_PASSED,
    VERIFY_INDETERMINATE,
    VERIFY_TOTAL_FAILED,
} VerifyIndication;

/* X(ID, INDICATION, TEXT): EN 319 102-1 section 5.1.3, table 5 and 6; names are the standard's. */
#define VERIFY_SUB_TABLE(X)                                                                                            \
    X(FORMAT_FAILURE, TOTAL_FAILED, N_("this is not a well-formed signature"))                                         \
    X(HASH_FAILURE, TOTAL_FAILED, N_("the signed content was changed"))                                                \
    X(SIG_CRYPTO_FAILURE, TOTAL_FAILED, N_("the signature value is not the signer's"))                                 \
    X(REVOKED, TOTAL_FAILED, N_("it was signed after the certificate had been revoked"))                               \
    X(EXPIRED, TOTAL_FAILED, N_("it was signed after the certificate had expired"))                                    \
    X(NOT_YET_VALID, TOTAL_FAILED, N_("it was signed before the certificate became valid"))                            \
    X(SIG_CONSTRAINTS_FAILURE, INDETERMINATE, N_("a part of the signature is not as it has to be"))                    \
    X(CHAIN_CONSTRAINTS_FAILURE, INDETERMINATE, N_("the certificates do not permit such a signature"))                 \
    X(CRYPTO_CONSTRAINTS_FAILURE, INDETERMINATE, N_("an algorithm or key was never permitted"))                        \
    X(CRYPTO_CONSTRAINTS_FAILURE_NO_POE, INDETERMINATE,                                                                \
      N_("an algorithm is no longer permitted, and nothing proves that the signature is older"))                       \
    X(POLICY_PROCESSING_ERROR, INDETERMINATE, N_("the signature policy's hash is not that of the policy"))             \
    X(SIGNATURE_POLICY_NOT_AVAILABLE, INDETERMINATE, N_("the signature policy is not known here"))                     \
    X(TIMESTAMP_ORDER_FAILURE, INDETERMINATE, N_("the time stamps contradict each other"))                             \
    X(NO_SIGNING_CERTIFICATE_FOUND, INDETERMINATE, N_("the signer's certificate cannot be found"))                     \
    X(NO_CERTIFICATE_CHAIN_FOUND, INDETERMINATE, N_("no trust anchor vouches for the certificate"))                    \
    X(REVOKED_NO_POE, INDETERMINATE,                                                                                   \
      N_("the certificate was revoked, and nothing proves that the signature is older"))                               \
    X(REVOKED_CA_NO_POE, INDETERMINATE, N_("the certificate of an issuing authority was revoked"))                     \
    X(OUT_OF_BOUNDS_NO_POE, INDETERMINATE,                                                                             \
      N_("the certificate has expired, and nothing proves that the signature is older"))                               \
    X(NO_POE, INDETERMINATE, N_("nothing proves that the revocation values are from their time"))                      \
    X(TRY_LATER, INDETERMINATE, N_("it is not known whether the certificate was revoked"))                             \
    X(SIGNED_DATA_NOT_FOUND, INDETERMINATE, N_("the signed content is not there"))

typedef enum VerifySub {
    VERIFY_SUB_NONE,
#define VERIFY_SUB_ENUM_(id, indication, text) VERIFY_##id,
    VERIFY_SUB_TABLE(VERIFY_SUB_ENUM_)
#undef VERIFY_SUB_ENUM_
        VERIFY_N_SUBS,
} VerifySub;

/* X(ID, "name", TEXT): the checks beyond those of one message (CADES_CHECK_TABLE), by what holds when they pass. */
#define VERIFY_CHECK_TABLE(X)                                                                                          \
    X(SIGNATURE_POLICY, "signature-policy", N_("the signature policy is a known one, with its hash"))                  \
    X(STAMP_TOKEN, "time-stamp", N_("the time stamp is sound and signed by its authority"))                            \
    X(STAMP_IMPRINT, "time-stamp-imprint", N_("the time stamp is over this very signature"))                           \
    X(STAMP_INDEX, "archive-index", N_("everything the archive time stamp covers is there, unchanged"))                \
    X(STAMP_ORDER, "time-stamp-order", N_("the time stamps are in their order"))                                       \
    X(STAMP_CHAIN, "time-stamp-chain", N_("a trust anchor vouches for the time-stamp authority"))                      \
    X(STAMP_REVOCATION, "time-stamp-revocation", N_("the time-stamp authority's certificate was not revoked"))         \
    X(STAMP_ALGORITHM, "time-stamp-algorithm", N_("the time stamp's algorithms are permitted"))                        \
    X(VALIDITY, "validity", N_("the certificates were valid when it was signed"))                                      \
    X(REVOCATION, "revocation", N_("no certificate was revoked when it was signed"))                                   \
    X(ALGORITHM_TIME, "algorithm-time", N_("the algorithms are permitted, or were when the signature is proven"))      \
    X(REFERENCES, "references", N_("the references name exactly the values that are there"))                           \
    X(QUALIFIED, "qualified", N_("the certificate is a qualified one of a natural person"))                            \
    X(LEVEL, "level", N_("the level asked for is reached"))

typedef enum VerifyCheck {
    VERIFY_CHECK_BASE_LAST = CADES_N_CHECKS - 1, /* a CadesCheck is a VerifyCheck */
#define VERIFY_CHECK_ENUM_(id, name, text) VERIFY_CHECK_##id,
    VERIFY_CHECK_TABLE(VERIFY_CHECK_ENUM_)
#undef VERIFY_CHECK_ENUM_
        VERIFY_N_CHECKS,
} VerifyCheck;

typedef enum VerifyOutcome {
    VERIFY_PASSED,
    VERIFY_FAILED,
    VERIFY_UNKNOWN, /* it could not be told, or was not asked for */
} VerifyOutcome;

#define VERIFY_STAMPS_MAX   16
#define VERIFY_FINDINGS_MAX 160

typedef struct VerifyRequest {
    CadesBlob signature;
    CadesBlob content; /* bytes NULL: what is contained; else the bytes that must have been signed, contained or not */
    const CadesBlob *anchors;
    size_t n_anchors;
    const CadesBlob *certificates; /* untrusted help */
    size_t n_certificates;
    const CadesBlob *crls, *ocsps; /* further revocation values; untrusted, they are signed */
    size_t n_crls, n_ocsps;
    int64_t at;     /* seconds UTC; 0: now */
    int level;      /* CadesLevel that has to be reached; negative: any */
    bool qualified; /* the certificate has to be a qualified one */
} VerifyRequest;

/* One check of one object. */
typedef struct VerifyFinding {
    VerifyCheck check;
    VerifyOutcome outcome;
    int stamp;          /* the number of the time stamp, 0 the oldest; -1: the signature itself */
    const char *detail; /* why it did not pass, English, static; NULL when it passed */
} VerifyFinding;

typedef struct VerifyStamp {
    bool archive;
    int64_t time;
    char policy[128];
    char authority[65]; /* SHA-256 of its certificate, hex */
    bool proves;        /* holds at the moment of verification, by itself or covered in time */
    VerifySub sub;      /* why not */
} VerifyStamp;

typedef struct VerifyReport {
    VerifyIndication indication;
    VerifySub sub;
    VerifyCheck failed; /* what decided, when it did not pass */
    const char *detail; /* static; NULL when passed */
    CadesReport *base;  /* signer, content, algorithm, claimed signing time */
    int64_t at;
    int64_t best_time; /* the signature existed then; at, when nothing proves more */
    bool proven;       /* a time stamp says so */
    int level_claimed; /* CadesLevel by structure; -1 none */
    int level;         /* CadesLevel that holds; -1 none */
    bool qualified;
    RevocationAnswer revocation; /* of the signer's certificate */
    bool revocation_by_ocsp;
    int64_t renew_before; /* until then a further archive time stamp keeps the proof alive; 0: no time stamp holds */
    VerifyStamp stamp[VERIFY_STAMPS_MAX];
    size_t n_stamps;
    VerifyFinding finding[VERIFY_FINDINGS_MAX];
    size_t n_findings;
} VerifyReport;

/* Returns 0 whatever the outcome, -ENOMEM only. */
int verify_signature(const VerifyRequest *request, VerifyReport **ret);
VerifyReport *verify_report_free(VerifyReport *r);

const char *verify_indication_name(VerifyIndication indication);
const char *verify_sub_name(VerifySub sub);       /* "" for none */
const char *verify_sub_text(VerifySub sub);       /* English; translate with gettext */
const char *verify_check_name(VerifyCheck check); /* CADES_CHECK_TABLE's names too */
const char *verify_check_text(VerifyCheck check);
const char *verify_outcome_name(VerifyOutcome outcome); /* "passed", "failed", "unknown" */

/* The report as one JSON object, malloc()ed; NULL without memory. Holds no personal data: the signer is named by the
 * hash of his certificate. */
char *verify_report_json(const VerifyReport *report);

#endif
