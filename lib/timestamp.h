/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time stamps (RFC 3161, RFC 5816): the request, and the token judged completely. A token is good when it is one
 * SignedData over TSTInfo, signed by the certificate that its signing-certificate attribute names, which is for time
 * stamps only (critical extended key usage) and leads to a trust anchor at the time stamped; and when it stamps the
 * expected imprint under the expected policy with the expected nonce.
 *
 * Functions that judge return NULL, or why not (static, English).
 */
#ifndef EONAY_TIMESTAMP_H
#define EONAY_TIMESTAMP_H

#include "cades.h"

#define TIMESTAMP_NONCE_SIZE 8

typedef struct TimestampExpectation {
    const uint8_t *imprint; /* the hash stamped; NULL: any */
    size_t imprint_size;    /* 32, 48, 64: SHA-256, -384, -512 */
    const uint8_t *nonce;   /* TIMESTAMP_NONCE_SIZE; NULL: any or none */
    const char *policy;     /* dotted; NULL: any */
    const CadesBlob *anchors;
    size_t n_anchors; /* 0: the chain is not checked */
    const CadesBlob *intermediates;
    size_t n_intermediates;
    int64_t at;   /* seconds UTC: the chain must be valid then too; 0: at the time stamped only */
    int64_t from; /* seconds UTC; the time stamped lies between; both 0: any */
    int64_t until;
} TimestampExpectation;

typedef struct Timestamp {
    int64_t time;             /* genTime, seconds UTC, rounded down */
    int64_t accuracy;         /* microseconds; 0 when not told */
    char policy[128];         /* dotted */
    char serial[80];          /* hex */
    char algorithm[40];       /* of the signature */
    const char *imprint_hash; /* "sha256" */
    CadesBlob imprint;        /* points into the token */
    CadesBlob certificate;    /* the authority's, points into the token or into an intermediate given */
    CadesBlob certificates;   /* contents of the token's certificates field */
} Timestamp;

/* TimeStampReq with certReq. imprint_size tells the hash. 0, -EINVAL, -ENOMEM. */
int timestamp_request(const uint8_t *imprint, size_t imprint_size, const uint8_t *nonce, const char *policy,
                      uint8_t **ret, size_t *ret_size);
/* The token in a TimeStampResp that was granted; points into the response. */
const char *timestamp_response_open(const CadesBlob *response, CadesBlob *ret_token);
/* Judges a token. *ret is filled as far as the judgement came. */
const char *timestamp_verify(const CadesBlob *token, const TimestampExpectation *expect, Timestamp *ret);

#endif
