/* SPDX-License-Identifier: Apache-2.0 */
/* Stands for a token: signs a digest with a key at hand. */
#ifndef EONAY_TEST_TOKEN_SIGN_H
#define EONAY_TEST_TOKEN_SIGN_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

/* ECDSA as r||s when raw, else as DER. The value's size, or 0. */
size_t token_sign(EVP_PKEY *key, uint32_t mechanism, const uint8_t *digest, size_t digest_size, bool raw,
                  uint8_t ret[1024]);

#endif
