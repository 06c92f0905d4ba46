/* SPDX-License-Identifier: Apache-2.0 */
/* What OCSP (ocsp.h) and CRLs (crl.h) have in common: the answer about one certificate, and what is asked of it. */
#ifndef EONAY_REVOCATION_H
#define EONAY_REVOCATION_H

#include "cades.h"

/* What clocks may differ by, seconds. */
#define REVOCATION_SKEW 300

typedef enum RevocationStatus {
    REVOCATION_UNKNOWN, /* nothing sound was said */
    REVOCATION_GOOD,
    REVOCATION_SUSPENDED, /* certificateHold */
    REVOCATION_REVOKED,
} RevocationStatus;

typedef struct RevocationExpectation {
    int64_t at;           /* seconds UTC: the answer must be current then */
    int64_t not_before;   /* seconds UTC: it must not be older (thisUpdate); 0: any */
    int64_t age_max;      /* seconds: how old an answer without nextUpdate may be; 0: REVOCATION_AGE_MAX */
    bool any_time;        /* the answer need not be current: whoever asks judges its times by himself */
    const uint8_t *nonce; /* OCSP: sent with the request; NULL: none was */
    size_t nonce_size;
    bool nonce_required; /* an answer without it is refused; another nonce is refused in any case */
} RevocationExpectation;

#define REVOCATION_AGE_MAX 3600

typedef struct RevocationAnswer {
    RevocationStatus status;
    int reason;         /* CRLReason (RFC 5280 section 5.3.1); -1: none given */
    int64_t revoked_at; /* seconds UTC; 0: not revoked */
    int64_t this_update;
    int64_t next_update; /* 0: none */
    int64_t produced_at; /* OCSP; else 0 */
    bool by_delegate;    /* OCSP: signed by a responder's certificate, not by the issuer itself */
    /* … which is not marked as one that need not be asked about (id-pkix-ocsp-nocheck) and names who tells whether it
     * was revoked: RFC 6960 section 4.2.2.2.1. Whoever believes the answer asks about it: ocsp_responder(). */
    bool delegate_revocable;
} RevocationAnswer;

#endif
