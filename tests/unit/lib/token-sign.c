/* SPDX-License-Identifier: Apache-2.0 */
/* With OpenSSL's own names for everything, none of lib/'s. */
#include "token-sign.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include "eonay/plugin.h"

#define MECH_PSS   (EONAY_MECH_RSA_PSS_SHA256 | EONAY_MECH_RSA_PSS_SHA384 | EONAY_MECH_RSA_PSS_SHA512)
#define MECH_PKCS1 (EONAY_MECH_RSA_PKCS1_SHA256 | EONAY_MECH_RSA_PKCS1_SHA384 | EONAY_MECH_RSA_PKCS1_SHA512)

static bool padding_set(EVP_PKEY_CTX *ctx, uint32_t mechanism) {
    if (mechanism & MECH_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    if (mechanism & MECH_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    return true;
}

static size_t raw_from_der(EVP_PKEY *key, uint8_t value[1024], size_t size) {
    const unsigned char *p = value;
    int half = (EVP_PKEY_get_bits(key) + 7) / 8;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)size);
    if (!sig)
        return 0;
    bool written = BN_bn2binpad(ECDSA_SIG_get0_r(sig), value, half) == half &&
                   BN_bn2binpad(ECDSA_SIG_get0_s(sig), value + half, half) == half;
    ECDSA_SIG_free(sig);
    return written ? (size_t)half * 2 : 0;
}

size_t token_sign(EVP_PKEY *key, uint32_t mechanism, const uint8_t *digest, size_t digest_size, bool raw,
                  uint8_t ret[1024]) {
    const EVP_MD *md = digest_size == 32 ? EVP_sha256() : digest_size == 48 ? EVP_sha384() : EVP_sha512();
    size_t size = 1024;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool made = ctx && EVP_PKEY_sign_init(ctx) > 0 && padding_set(ctx, mechanism) &&
                EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 && EVP_PKEY_sign(ctx, ret, &size, digest, digest_size) > 0;
    EVP_PKEY_CTX_free(ctx);
    if (!made)
        return 0;
    return raw ? raw_from_der(key, ret, size) : size;
}
