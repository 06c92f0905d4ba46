/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: the signature-policy-identifier attribute (EN 319 122-1 section 5.2.9) with a policy of the guide.
 */
#ifndef EONAY_LIB_CADES_POLICY_H
#define EONAY_LIB_CADES_POLICY_H

#include "der.h"

/* Appends SignaturePolicyId. policy: 1, 2, 3 for P2, P3, P4. */
void policy_append(DerBuffer *b, uint8_t policy);

typedef struct PolicyId {
    DerBytes oid;            /* contents */
    DerBytes hash_algorithm; /* with tag and length */
    DerBytes hash;
    DerBytes uri;    /* empty when there is none */
    uint8_t policy;  /* 1, 2, 3 when it is one of the guide's; else 0 */
    bool hash_right; /* SHA-256 of the guide's document */
} PolicyId;

/* Reads the attribute's value, all of it. */
bool policy_read(DerBytes value, PolicyId *ret);

#endif
