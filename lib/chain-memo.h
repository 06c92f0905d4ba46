/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains that were found good, remembered by what they were made of: the certificate, the help and the anchors, to the
 * last byte. That the signatures in such a chain are right does not change; whether its certificates are valid at a
 * moment is asked each time. Nothing bad is remembered, and nothing about revocation.
 */
#ifndef EONAY_CHAIN_MEMO_H
#define EONAY_CHAIN_MEMO_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "cades-internal.h"

typedef struct ChainKey {
    uint8_t hash[32];
} ChainKey;

/* False when it cannot be computed: then nothing is remembered. */
bool chain_key_make(X509 *certificate, DerBytes contained, const CadesExpectation *expect, int purpose, ChainKey *ret);
/* Found good before, and all its certificates are valid at that time (seconds UTC). */
bool chain_memo_knows(const ChainKey *key, int64_t at);
/* chain: as OpenSSL built it, the anchor included. */
void chain_memo_add(const ChainKey *key, STACK_OF(X509) * chain);

#endif
