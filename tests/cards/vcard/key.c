/* SPDX-License-Identifier: Apache-2.0 */
/* A PIV card pads nothing: for RSA the host sends the whole padded block, so the operation here is the bare private
 * exponentiation, which serves PKCS#1 v1.5, PSS and decryption alike. For ECDSA the host sends the hash. */
#include "key.h"

#include "apdu.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

enum { SIGNATURE_MAXIMUM = 512 };

static void evp_pkey_ctx_freep(EVP_PKEY_CTX **context) {
    EVP_PKEY_CTX_free(*context);
}
static void evp_pkey_freep(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}

uint8_t key_algorithm(EVP_PKEY *key) {
    int bits = EVP_PKEY_get_bits(key);
    if (EVP_PKEY_is_a(key, "RSA"))
        return bits == 2048 ? ALGORITHM_RSA_2048 : bits == 3072 ? ALGORITHM_RSA_3072 : 0;
    char group[32] = "";
    if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
        return 0;
    if (strcmp(group, "prime256v1") == 0)
        return ALGORITHM_P256;
    return strcmp(group, "secp384r1") == 0 ? ALGORITHM_P384 : 0;
}

uint16_t key_sign(EVP_PKEY *key, Bytes challenge, Buffer *answer) {
    __attribute__((cleanup(evp_pkey_ctx_freep))) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool rsa = EVP_PKEY_is_a(key, "RSA");
    if (rsa && challenge.size != (size_t)EVP_PKEY_get_size(key))
        return SW_WRONG_DATA;
    if (!context || EVP_PKEY_sign_init(context) <= 0)
        return SW_CONDITIONS;
    if (rsa && EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) <= 0)
        return SW_CONDITIONS;
    uint8_t signature[SIGNATURE_MAXIMUM];
    size_t size = sizeof(signature);
    if (EVP_PKEY_sign(context, signature, &size, challenge.data, challenge.size) <= 0)
        return SW_WRONG_DATA;
    buffer_add(answer, (Bytes){signature, size});
    return SW_OK;
}

static EVP_PKEY *peer_new(EVP_PKEY *key, Bytes point) {
    EVP_PKEY *peer = EVP_PKEY_new();
    if (!peer)
        return NULL;
    if (EVP_PKEY_copy_parameters(peer, key) <= 0 ||
        EVP_PKEY_set1_encoded_public_key(peer, point.data, point.size) <= 0) {
        EVP_PKEY_free(peer);
        return NULL;
    }
    return peer;
}

uint16_t key_agree(EVP_PKEY *key, Bytes point, Buffer *answer) {
    if (!EVP_PKEY_is_a(key, "EC"))
        return SW_WRONG_DATA;
    __attribute__((cleanup(evp_pkey_freep))) EVP_PKEY *peer = peer_new(key, point);
    if (!peer)
        return SW_WRONG_DATA;
    __attribute__((cleanup(evp_pkey_ctx_freep))) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    uint8_t shared[SIGNATURE_MAXIMUM];
    size_t size = sizeof(shared);
    if (!context || EVP_PKEY_derive_init(context) <= 0 || EVP_PKEY_derive_set_peer(context, peer) <= 0 ||
        EVP_PKEY_derive(context, shared, &size) <= 0)
        return SW_WRONG_DATA;
    buffer_add(answer, (Bytes){shared, size});
    return SW_OK;
}

int key_load(const char *path, EVP_PKEY **ret) {
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (!key)
        return -EBADMSG;
    if (!key_algorithm(key)) {
        EVP_PKEY_free(key);
        return -ENOTSUP;
    }
    *ret = key;
    return 0;
}

int certificate_load(const char *path, Buffer *ret) {
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    if (!certificate)
        return -EBADMSG;
    uint8_t *der = NULL;
    int size = i2d_X509(certificate, &der);
    X509_free(certificate);
    if (size <= 0)
        return -EBADMSG;
    buffer_add(ret, (Bytes){der, (size_t)size});
    OPENSSL_free(der);
    return 0;
}
