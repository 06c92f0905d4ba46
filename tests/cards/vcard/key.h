/* SPDX-License-Identifier: Apache-2.0 */
/* The private keys of the card: RSA-2048, RSA-3072, P-256 and P-384 of OpenSSL behind the algorithm numbers of
 * NIST SP 800-78. */
#ifndef VCARD_KEY_H
#define VCARD_KEY_H

#include "buffer.h"

#include <openssl/evp.h>

enum {
    ALGORITHM_RSA_3072 = 0x05,
    ALGORITHM_RSA_2048 = 0x07,
    ALGORITHM_P256 = 0x11,
    ALGORITHM_P384 = 0x14,
};

/* The number for a key, 0 for a key no PIV card can hold. */
uint8_t key_algorithm(EVP_PKEY *key);

/* The private operation on exactly what the host sends: RSA exponentiation of a whole block, ECDSA over a hash.
 * ECDSA answers in DER. Status words; the answer is appended on SW_OK only. */
uint16_t key_sign(EVP_PKEY *key, Bytes challenge, Buffer *answer);
/* Elliptic-curve Diffie-Hellman with an uncompressed point: the x coordinate. */
uint16_t key_agree(EVP_PKEY *key, Bytes point, Buffer *answer);

/* PEM. Negative errno: -ENOENT, -EBADMSG (no key in it), -ENOTSUP (not a type for PIV). */
int key_load(const char *path, EVP_PKEY **ret);
/* PEM certificate, as DER. */
int certificate_load(const char *path, Buffer *ret);

#endif
