/* SPDX-License-Identifier: Apache-2.0 */
/* A private key for as long as one signature takes. */
#ifndef EONAY_TOKEN_PKCS12_KEY_H
#define EONAY_TOKEN_PKCS12_KEY_H

#include "p12.h"

/*
 * Makes a key ready to sign out of a decrypted PKCS#8 structure when it belongs to this public key. Returns false when
 * it does not, or when it cannot be understood. The caller frees *ret as soon as it has signed.
 */
bool key_make(const P12 *p, const PKCS8_PRIV_KEY_INFO *info, EVP_PKEY *public_key, EVP_PKEY **ret);

#endif
