/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside lib/ only: answers that follow from bytes alone, remembered by the hash of all those bytes: whether one
 * certificate signed another, what a revocation value says. What depends on a moment or on trust is never asked here.
 */
#ifndef EONAY_LIB_PURE_MEMO_H
#define EONAY_LIB_PURE_MEMO_H

#include <openssl/x509.h>

#include "revocation.h"

/* Whether the issuer's key signed the certificate. */
bool certificate_signed_by(X509 *certificate, X509 *issuer);

typedef struct PureKey {
    uint8_t hash[32];
} PureKey;

/* Of a revocation value, the certificate it is asked about, and its issuer. False without memory. */
bool pure_key_make(bool ocsp, const CadesBlob *value, const CadesBlob *certificate, const CadesBlob *issuer,
                   PureKey *ret);
bool pure_answer_find(const PureKey *key, RevocationAnswer *ret, const char **ret_why);
void pure_answer_add(const PureKey *key, const RevocationAnswer *answer, const char *why);

#endif
