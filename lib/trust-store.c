/* SPDX-License-Identifier: Apache-2.0 */
#include "trust-store.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "certificate-der.h"
#include "der-set.h"
#include "openssl-cleanup.h"
#include "signature.h"
#include "timestamp-info.h"

#define SIGNATURE_BYTES 64

static void key_free_p(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}

static void digest_free_p(EVP_MD_CTX **ctx) {
    EVP_MD_CTX_free(*ctx);
}

static EVP_PKEY *key_read(const CadesBlob *pem, bool is_private) {
    CLEANUP(BIO_free_all_p) BIO *in = BIO_new_mem_buf(pem->bytes, (int)pem->size);
    EVP_PKEY *key = !in          ? NULL
                    : is_private ? PEM_read_bio_PrivateKey(in, NULL, NULL, (void *)"")
                                 : PEM_read_bio_PUBKEY(in, NULL, NULL, NULL);
    if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static bool signature_right(EVP_PKEY *key, DerBytes body, DerBytes signature) {
    CLEANUP(digest_free_p) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    return ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
           EVP_DigestVerify(ctx, signature.p, signature.n, body.p, body.n) == 1;
}

/* ----------------------------------------------------------------------------------------------------- reading -- */

static bool certificates_read(DerBytes *in, CadesBlob **ret, size_t *ret_n) {
    DerBytes list;
    DerElement element;
    size_t n = 0;
    if (!der_read_value(in, DER_SEQUENCE, &list))
        return false;
    CadesBlob *blobs = calloc(TRUST_STORE_CERTIFICATES_MAX, sizeof(*blobs));
    *ret = blobs;
    while (blobs && list.n > 0) {
        if (n == TRUST_STORE_CERTIFICATES_MAX || !der_read_tag(&list, DER_SEQUENCE, &element))
            return false;
        X509 *parsed = certificate_parse(element.whole);
        if (!parsed)
            return false;
        X509_free(parsed);
        blobs[n++] = (CadesBlob){element.whole.p, element.whole.n};
    }
    *ret_n = n;
    return blobs != NULL;
}

static bool body_read(DerBytes bytes, TrustStore *t) {
    DerBytes body, value;
    uint32_t version;
    return der_read_value(&bytes, DER_SEQUENCE, &body) && bytes.n == 0 && der_read_value(&body, DER_INTEGER, &value) &&
           der_small_integer(value, &version) && version == 1 && der_read_value(&body, DER_INTEGER, &value) &&
           der_small_integer(value, &t->number) && der_read_value(&body, DER_GENERALIZED_TIME, &value) &&
           generalized_time_read(value, &t->made) && certificates_read(&body, &t->anchors, &t->n_anchors) &&
           certificates_read(&body, &t->intermediates, &t->n_intermediates) && body.n == 0;
}

TrustStore *trust_store_free(TrustStore *t) {
    if (!t)
        return NULL;
    free(t->anchors);
    free(t->intermediates);
    free(t->bytes);
    free(t);
    return NULL;
}

static void store_free_p(TrustStore **t) {
    trust_store_free(*t);
}

const char *trust_store_open(const CadesBlob *file, const CadesBlob *public_key, TrustStore **ret) {
    DerBytes bytes = {file->bytes, file->size}, outer, body, signature;
    signature_init();
    if (file->size > TRUST_STORE_SIZE_MAX)
        return "the trust store is too large";
    CLEANUP(key_free_p) EVP_PKEY *key = key_read(public_key, false);
    if (!key)
        return "the trust store's key is no Ed25519 public key in PEM";
    if (!der_read_value(&bytes, DER_SEQUENCE, &outer) || bytes.n > 0 ||
        !der_read_value(&outer, DER_OCTET_STRING, &body) || !der_read_value(&outer, DER_OCTET_STRING, &signature) ||
        outer.n > 0)
        return "this is no trust store";
    if (!signature_right(key, body, signature))
        return "the trust store's signature is wrong";
    CLEANUP(store_free_p) TrustStore *t = calloc(1, sizeof(*t));
    if (!t || !(t->bytes = malloc(body.n + 1)))
        return "out of memory";
    memcpy(t->bytes, body.p, body.n);
    if (!body_read((DerBytes){t->bytes, body.n}, t))
        return "the trust store is not well-formed";
    *ret = t;
    t = NULL;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------ making -- */

static bool certificates_append(DerBuffer *b, const CadesBlob *certificates, size_t n) {
    DerSet *set = calloc(1, sizeof(*set));
    size_t from = b->size;
    if (!set)
        return false;
    for (size_t i = 0; i < n; i++)
        der_set_add(set, (DerBytes){certificates[i].bytes, certificates[i].size});
    der_set_append(set, b);
    free(set);
    der_wrap(b, from, DER_SEQUENCE);
    return !b->failed;
}

static void number_append(DerBuffer *b, uint32_t number) {
    const uint8_t bytes[5] = {0, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                              (uint8_t)number};
    size_t skip = 0;
    while (skip < 4 && bytes[skip] == 0 && bytes[skip + 1] < 0x80)
        skip++;
    der_append_element(b, DER_INTEGER, (DerBytes){bytes + skip, sizeof(bytes) - skip});
}

static bool body_append(DerBuffer *b, uint32_t number, int64_t made, const CadesBlob *anchors, size_t n_anchors,
                        const CadesBlob *intermediates, size_t n_intermediates) {
    der_append_element(b, DER_INTEGER, DER_BYTES(1));
    number_append(b, number);
    return generalized_time_append(b, made) && certificates_append(b, anchors, n_anchors) &&
           certificates_append(b, intermediates, n_intermediates);
}

static bool body_sign(EVP_PKEY *key, const DerBuffer *body, uint8_t ret[SIGNATURE_BYTES]) {
    size_t n = SIGNATURE_BYTES;
    CLEANUP(digest_free_p) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    return ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
           EVP_DigestSign(ctx, ret, &n, body->bytes, body->size) == 1 && n == SIGNATURE_BYTES;
}

const char *trust_store_seal(uint32_t number, int64_t made, const CadesBlob *anchors, size_t n_anchors,
                             const CadesBlob *intermediates, size_t n_intermediates, const CadesBlob *private_key,
                             uint8_t **ret, size_t *ret_size) {
    uint8_t signature[SIGNATURE_BYTES];
    DerBuffer body = {0}, file = {0};
    signature_init();
    CLEANUP(key_free_p) EVP_PKEY *key = key_read(private_key, true);
    if (!key)
        return "the key is no Ed25519 private key in PEM";
    if (number > INT32_MAX)
        return "the trust store's number is too large"; /* it could not be read again */
    bool made_it = body_append(&body, number, made, anchors, n_anchors, intermediates, n_intermediates);
    der_wrap(&body, 0, DER_SEQUENCE);
    made_it = made_it && !body.failed && body_sign(key, &body, signature);
    der_append_element(&file, DER_OCTET_STRING, (DerBytes){body.bytes, body.size});
    der_append_element(&file, DER_OCTET_STRING, (DerBytes){signature, sizeof(signature)});
    der_wrap(&file, 0, DER_SEQUENCE);
    der_buffer_free(&body);
    if (!made_it || file.failed || file.size > TRUST_STORE_SIZE_MAX) {
        der_buffer_free(&file);
        return "the trust store cannot be made: too many certificates, or no memory";
    }
    *ret = file.bytes;
    *ret_size = file.size;
    return NULL;
}
