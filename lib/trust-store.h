/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates an administrator trusts, as one file: a number that grows, the time it was made, anchors and other
 * certificates that help to reach them, signed as a whole with the administrator's key (Ed25519). Nobody who cannot
 * sign can add, leave out or exchange a certificate.
 *
 *     TrustStore ::= SEQUENCE { body OCTET STRING, signature OCTET STRING }
 *     Body ::= SEQUENCE { version INTEGER (1), number INTEGER, made GeneralizedTime,
 *                         anchors SEQUENCE OF Certificate, intermediates SEQUENCE OF Certificate }
 *
 * Functions that judge return NULL, or why not (static, English).
 */
#ifndef EONAY_TRUST_STORE_H
#define EONAY_TRUST_STORE_H

#include "cades.h"

#define TRUST_STORE_SIZE_MAX         (4u * 1024 * 1024)
#define TRUST_STORE_CERTIFICATES_MAX 512u

typedef struct TrustStore {
    uint32_t number;
    int64_t made;       /* seconds UTC */
    CadesBlob *anchors; /* into bytes */
    size_t n_anchors;
    CadesBlob *intermediates;
    size_t n_intermediates;
    uint8_t *bytes;
} TrustStore;

/* Reads a store and its signature. public_key: PEM. */
const char *trust_store_open(const CadesBlob *file, const CadesBlob *public_key, TrustStore **ret);
TrustStore *trust_store_free(TrustStore *t);

/* Makes one. Doubles are left out. private_key: PEM, not encrypted. Returned memory is malloc()ed. */
const char *trust_store_seal(uint32_t number, int64_t made, const CadesBlob *anchors, size_t n_anchors,
                             const CadesBlob *intermediates, size_t n_intermediates, const CadesBlob *private_key,
                             uint8_t **ret, size_t *ret_size);

#endif
