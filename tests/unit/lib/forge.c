/* SPDX-License-Identifier: Apache-2.0 */
/* Assembling from the inside out, as cades.c does, but with every part in reach. */
#include "forge.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cades-oids.h"
#include "certificate-der.h"
#include "signing-time.h"

static DerBytes bytes_of(const DerBuffer *b) {
    return (DerBytes){b->bytes, b->size};
}

void forge_buffer_set(DerBuffer *b, DerBytes bytes) {
    b->size = 0;
    der_append(b, bytes);
}

void forge_attribute_set(Forge *f, size_t i, DerBytes type, DerBytes values) {
    DerBuffer *b = &f->attribute[i];
    b->size = 0;
    der_append_element(b, DER_OID, type);
    der_append_element(b, DER_SET, values);
    der_wrap(b, 0, DER_SEQUENCE);
    if (i >= f->n_attributes)
        f->n_attributes = i + 1;
}

void forge_attribute_remove(Forge *f, size_t i) {
    der_buffer_free(&f->attribute[i]);
    f->n_attributes--;
    memmove(&f->attribute[i], &f->attribute[i + 1], (f->n_attributes - i) * sizeof(f->attribute[0]));
    f->attribute[f->n_attributes] = (DerBuffer){0};
}

static void issuer_serial_append(DerBuffer *b, DerBytes issuer, DerBytes serial) {
    size_t from = b->size;
    der_append_element(b, DER_CONTEXT_4, issuer);
    der_wrap(b, from, DER_SEQUENCE);
    der_append(b, serial);
    der_wrap(b, from, DER_SEQUENCE);
}

void forge_signing_certificate(Forge *f, DerBytes certificate, HashKind hash, DerBytes identifier, DerBytes issuer,
                               DerBytes serial) {
    uint8_t digest[HASH_SIZE_MAX];
    DerBuffer value = {0};
    hash_bytes(hash, certificate, digest);
    der_append(&value, identifier);
    der_append_element(&value, DER_OCTET_STRING, (DerBytes){digest, hash_size(hash)});
    if (issuer.n > 0)
        issuer_serial_append(&value, issuer, serial);
    der_wrap(&value, 0, DER_SEQUENCE);
    der_wrap(&value, 0, DER_SEQUENCE);
    der_wrap(&value, 0, DER_SEQUENCE);
    forge_attribute_set(f, FORGE_SIGNING_CERTIFICATE, OID_SIGNING_CERTIFICATE_V2, bytes_of(&value));
    der_buffer_free(&value);
}

static void attributes_init(Forge *f, DerBytes certificate) {
    uint8_t digest[HASH_SIZE_MAX];
    DerBuffer value = {0};
    der_append_element(&value, DER_OID, OID_DATA);
    forge_attribute_set(f, FORGE_CONTENT_TYPE, OID_CONTENT_TYPE, bytes_of(&value));
    value.size = 0;
    signing_time_append(&value, (int64_t)time(NULL));
    forge_attribute_set(f, FORGE_SIGNING_TIME, OID_SIGNING_TIME, bytes_of(&value));
    value.size = 0;
    hash_bytes(f->algorithm->hash, f->content, digest);
    der_append_element(&value, DER_OCTET_STRING, (DerBytes){digest, hash_size(f->algorithm->hash)});
    forge_attribute_set(f, FORGE_MESSAGE_DIGEST, OID_MESSAGE_DIGEST, bytes_of(&value));
    der_buffer_free(&value);
    forge_signing_certificate(f, certificate, HASH_SHA256, (DerBytes){0}, (DerBytes){0}, (DerBytes){0});
}

void forge_init(Forge *f, const PkiLeaf *leaf, uint32_t mechanism) {
    static const char content[] = "Onay metni: bu metin imzalanır.\n";
    static const uint8_t data_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 7, 1};
    DerBytes certificate = {leaf->der, leaf->der_size}, issuer, serial;
    *f = (Forge){.algorithm = signature_algorithm_find(mechanism), .key = leaf->key, .salt = -1, .version = 1};
    f->signer_version = 1;
    f->n_signers = 1;
    f->content = (DerBytes){(const uint8_t *)content, strlen(content)};
    f->content_type = (DerBytes){data_oid, sizeof(data_oid)};
    hash_append(&f->digest_set, f->algorithm->hash);
    hash_append(&f->digest_identifier, f->algorithm->hash);
    signature_algorithm_append(&f->signature_identifier, f->algorithm);
    if (!certificate_names(certificate, &issuer, &serial))
        abort();
    der_append(&f->sid, issuer);
    der_append(&f->sid, serial);
    der_wrap(&f->sid, 0, DER_SEQUENCE);
    der_append(&f->certificates, certificate);
    attributes_init(f, certificate);
}

void forge_clear(Forge *f) {
    for (size_t i = 0; i < FORGE_ATTRIBUTES_MAX; i++)
        der_buffer_free(&f->attribute[i]);
    der_buffer_free(&f->digest_set);
    der_buffer_free(&f->digest_identifier);
    der_buffer_free(&f->signature_identifier);
    der_buffer_free(&f->sid);
    der_buffer_free(&f->certificates);
}

/* -------------------------------------------------------------------------------------------------- signing -- */

static int buffer_compare(const void *a, const void *b) {
    return der_compare(bytes_of(a), bytes_of(b));
}

static void attributes_append(Forge *f, DerBuffer *b) {
    if (!f->unsorted)
        qsort(f->attribute, f->n_attributes, sizeof(f->attribute[0]), buffer_compare);
    for (size_t i = 0; i < f->n_attributes; i++)
        der_append(b, bytes_of(&f->attribute[i]));
}

static bool padding_set(const Forge *f, EVP_PKEY_CTX *ctx) {
    if (f->algorithm->scheme == SCHEME_RSA_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, f->salt) > 0;
    return f->algorithm->scheme != SCHEME_RSA_PKCS1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
}

/* Ecdsa-Sig-Value to r||s of a 256-bit curve. */
static size_t value_to_raw(uint8_t *value, size_t size) {
    const unsigned char *p = value;
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &p, (long)size);
    bool made = parsed && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), value, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(parsed), value + 32, 32) == 32;
    ECDSA_SIG_free(parsed);
    return made ? 64 : 0;
}

static bool value_append(const Forge *f, DerBytes signed_bytes, DerBuffer *b) {
    uint8_t digest[HASH_SIZE_MAX], value[1024];
    size_t size = sizeof(value);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(f->key, NULL);
    hash_bytes(f->algorithm->hash, signed_bytes, digest);
    bool made = ctx && EVP_PKEY_sign_init(ctx) > 0 && padding_set(f, ctx) &&
                EVP_PKEY_CTX_set_signature_md(ctx, hash_md(f->algorithm->hash)) > 0 &&
                EVP_PKEY_sign(ctx, value, &size, digest, hash_size(f->algorithm->hash)) > 0;
    EVP_PKEY_CTX_free(ctx);
    if (made && f->raw_signature)
        size = value_to_raw(value, size);
    if (made && f->flip_signature)
        value[size - 1] ^= 1;
    if (made)
        der_append_element(b, DER_OCTET_STRING, (DerBytes){value, size});
    return made;
}

static bool signature_append(Forge *f, DerBuffer *b, DerBytes attributes) {
    DerBuffer set = {0};
    der_append_element(&set, DER_SET, attributes);
    bool made = value_append(f, f->no_attributes ? f->content : bytes_of(&set), b);
    der_buffer_free(&set);
    return made;
}

static bool signer_append(Forge *f, DerBuffer *b) {
    size_t from = b->size;
    DerBuffer attributes = {0};
    attributes_append(f, &attributes);
    der_append_element(b, DER_INTEGER, DER_BYTES(f->signer_version));
    der_append(b, bytes_of(&f->sid));
    der_append(b, bytes_of(&f->digest_identifier));
    if (!f->no_attributes)
        der_append_element(b, DER_CONTEXT_0, bytes_of(&attributes));
    der_append(b, bytes_of(&f->signature_identifier));
    bool made = signature_append(f, b, bytes_of(&attributes));
    if (f->unsigned_attribute) /* countersignature, empty */
        der_append_element(b, DER_CONTEXT_1,
                           DER_BYTES(0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 6, 0x31, 0));
    der_wrap(b, from, DER_SEQUENCE);
    der_buffer_free(&attributes);
    return made;
}

static void content_append(const Forge *f, DerBuffer *b) {
    size_t from = b->size;
    der_append_element(b, DER_OID, f->content_type);
    size_t content = b->size;
    if (!f->detached) {
        der_append_element(b, DER_OCTET_STRING, f->content);
        if (f->constructed_content)
            der_wrap(b, content, 0x24);
        der_wrap(b, content, DER_CONTEXT_0);
    }
    der_wrap(b, from, DER_SEQUENCE);
}

static bool signers_append(Forge *f, DerBuffer *b) {
    DerBuffer signers[2] = {0};
    bool made = true;
    for (int i = 0; i < f->n_signers; i++)
        made = made && signer_append(f, &signers[i]);
    if (f->n_signers == 2)
        qsort(signers, 2, sizeof(signers[0]), buffer_compare);
    size_t from = b->size;
    for (int i = 0; i < 2; i++) {
        der_append(b, bytes_of(&signers[i]));
        der_buffer_free(&signers[i]);
    }
    der_wrap(b, from, DER_SET);
    return made;
}

bool forge_message(Forge *f, DerBuffer *ret) {
    DerBuffer *b = ret;
    *b = (DerBuffer){0};
    der_append_element(b, DER_OID, OID_SIGNED_DATA);
    size_t from = b->size;
    der_append_element(b, DER_INTEGER, DER_BYTES(f->version));
    der_append_element(b, DER_SET, bytes_of(&f->digest_set));
    content_append(f, b);
    if (f->certificates.size > 0)
        der_append_element(b, DER_CONTEXT_0, bytes_of(&f->certificates));
    if (f->crls)
        der_append_element(b, DER_CONTEXT_1, DER_BYTES(0x30, 0));
    bool made = signers_append(f, b);
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_CONTEXT_0);
    der_wrap(b, 0, DER_SEQUENCE);
    return made && !b->failed;
}
