/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the authority believes: trust anchors, certificates that help to build chains, and revocation lists. Anchors are
 * read once; a file without a certificate is an error, since a chain that is not checked for a typing error's sake
 * would let anyone sign.
 */
#ifndef PORTAL_TRUST_H
#define PORTAL_TRUST_H

#include "cades.h"
#include "config.h"

#define TRUST_CERTIFICATES_MAX 256u

typedef struct TrustList {
    CadesBlob blobs[TRUST_CERTIFICATES_MAX];
    size_t n;
} TrustList;

typedef struct Trust {
    TrustList anchors;
    TrustList intermediates;
} Trust;

/* The reason of a failure is logged. */
int trust_new(const Config *config, Trust **ret);
Trust *trust_free(Trust *t);

#endif
