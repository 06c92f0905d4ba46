/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a message around a key that is elsewhere. cades_new() writes the signed attributes as the SET OF that is
 * hashed (RFC 5652 section 5.4) and hands the digest out; cades_finish() writes the whole message around the value that
 * came back and lets the verifier judge it, so that nothing leaves here that a stranger would refuse.
 *
 * issuerSerial is left out of ESSCertIDv2: EN 319 122-1 section 6.3, requirement g, says that it should not be there
 * (the hash already names the certificate, and SignerInfo.sid repeats issuer and serial number). hashAlgorithm is left
 * out because SHA-256 is its DEFAULT, which DER forbids to write.
 */
#include "cades.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "algorithm-policy.h"
#include "cades-internal.h"
#include "cades-oids.h"
#include "cades-policy.h"
#include "certificate-der.h"
#include "ecdsa-value.h"
#include "openssl-cleanup.h"
#include "signature-algorithm.h"
#include "signature.h"
#include "signing-time.h"

#define USEC 1000000
/* The last second of 9999, and the first that UTCTime can say. */
#define TIME_MAX 253402300799LL
#define TIME_MIN (-631152000LL)

struct Cades {
    X509 *parsed;
    EVP_PKEY *key; /* of parsed */
    SignerKey key_kind;
    const SignatureAlgorithm *algorithm;
    uint8_t *certificate;
    size_t certificate_size;
    uint8_t *content;
    size_t content_size;
    int64_t signing_time;
    uint8_t policy;       /* 0: none */
    DerBuffer attributes; /* contents of the SET OF, in DER's order */
    uint8_t digest[HASH_SIZE_MAX];
};

Cades *cades_free(Cades *c) {
    if (!c)
        return NULL;
    X509_free(c->parsed);
    free(c->certificate);
    free(c->content);
    der_buffer_free(&c->attributes);
    free(c);
    return NULL;
}

static void cades_free_p(Cades **c) {
    cades_free(*c);
}

static DerBytes buffer_bytes(const DerBuffer *b) {
    return (DerBytes){b->bytes, b->size};
}

/* ----------------------------------------------------------------------------------------- signed attributes -- */

/* Wraps the value appended since `from` into an Attribute of this type. */
static void attribute_wrap(DerBuffer *b, size_t from, DerBytes oid) {
    DerBuffer value = {0};
    der_append(&value, (DerBytes){b->bytes + from, b->size - from});
    b->size = from;
    b->failed |= value.failed;
    der_append_element(b, DER_OID, oid);
    der_append_element(b, DER_SET, buffer_bytes(&value));
    der_wrap(b, from, DER_SEQUENCE);
    der_buffer_free(&value);
}

static bool message_digest_append(DerBuffer *b, const Cades *c) {
    uint8_t digest[HASH_SIZE_MAX];
    HashKind hash = c->algorithm->hash;
    if (!hash_bytes(hash, (DerBytes){c->content, c->content_size}, digest))
        return false;
    der_append_element(b, DER_OCTET_STRING, (DerBytes){digest, hash_size(hash)});
    return true;
}

/* SigningCertificateV2 { certs { ESSCertIDv2 { certHash } } } */
static bool signing_certificate_append(DerBuffer *b, const Cades *c) {
    uint8_t digest[HASH_SIZE_MAX];
    size_t from = b->size;
    if (!hash_bytes(HASH_SHA256, (DerBytes){c->certificate, c->certificate_size}, digest))
        return false;
    der_append_element(b, DER_OCTET_STRING, (DerBytes){digest, hash_size(HASH_SHA256)});
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_SEQUENCE);
    return true;
}

#define N_ATTRIBUTES 5 /* the last with a policy only */

static int n_attributes(const Cades *c) {
    return c->policy != 0 ? N_ATTRIBUTES : N_ATTRIBUTES - 1;
}

static bool attributes_write(const Cades *c, DerBuffer attributes[N_ATTRIBUTES]) {
    der_append_element(&attributes[0], DER_OID, OID_DATA);
    attribute_wrap(&attributes[0], 0, OID_CONTENT_TYPE);
    if (!signing_time_append(&attributes[1], c->signing_time))
        return false;
    attribute_wrap(&attributes[1], 0, OID_SIGNING_TIME);
    if (!message_digest_append(&attributes[2], c))
        return false;
    attribute_wrap(&attributes[2], 0, OID_MESSAGE_DIGEST);
    if (!signing_certificate_append(&attributes[3], c))
        return false;
    attribute_wrap(&attributes[3], 0, OID_SIGNING_CERTIFICATE_V2);
    if (c->policy != 0) {
        policy_append(&attributes[4], c->policy);
        attribute_wrap(&attributes[4], 0, OID_SIGNATURE_POLICY);
    }
    return true;
}

static int attribute_compare(const void *a, const void *b) {
    return der_compare(buffer_bytes(a), buffer_bytes(b));
}

static int attributes_build(Cades *c) {
    DerBuffer attributes[N_ATTRIBUTES] = {0};
    bool written = attributes_write(c, attributes);
    qsort(attributes, (size_t)n_attributes(c), sizeof(attributes[0]), attribute_compare);
    for (int i = 0; i < N_ATTRIBUTES; i++) {
        written = written && !attributes[i].failed;
        if (written && i < n_attributes(c))
            der_append(&c->attributes, buffer_bytes(&attributes[i]));
        der_buffer_free(&attributes[i]);
    }
    return written && !c->attributes.failed ? 0 : -ENOMEM;
}

static int attributes_digest(Cades *c) {
    DerBuffer set = {0};
    der_append_element(&set, DER_SET, buffer_bytes(&c->attributes));
    bool hashed = !set.failed && hash_bytes(c->algorithm->hash, buffer_bytes(&set), c->digest);
    der_buffer_free(&set);
    return hashed ? 0 : -ENOMEM;
}

/* ---------------------------------------------------------------------------------------------- preparation -- */

static int bytes_copy(const uint8_t *bytes, size_t size, uint8_t **ret) {
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (!copy)
        return -ENOMEM;
    if (size > 0)
        memcpy(copy, bytes, size);
    *ret = copy;
    return 0;
}

static int certificate_take(Cades *c, const uint8_t *certificate, size_t size) {
    DerBytes issuer, serial;
    c->parsed = certificate_parse_shared((DerBytes){certificate, size});
    c->key = c->parsed ? X509_get0_pubkey(c->parsed) : NULL;
    if (!c->key || !certificate_names((DerBytes){certificate, size}, &issuer, &serial))
        return EONAY_ERROR_CERTIFICATE_NOT_SUITABLE;
    c->key_kind = signer_key_describe(c->key);
    if (!algorithm_policy_key(c->key_kind.type, c->key_kind.bits, c->signing_time * USEC))
        return EONAY_ERROR_CERTIFICATE_NOT_SUITABLE;
    int r = bytes_copy(certificate, size, &c->certificate);
    c->certificate_size = size;
    return r;
}

static int mechanism_take(Cades *c, uint32_t mechanism) {
    if ((signer_key_mechanisms(&c->key_kind) & mechanism) == 0)
        return EONAY_ERROR_MECHANISM_UNSUPPORTED;
    c->algorithm = signature_algorithm_find(mechanism);
    if (!c->algorithm || !algorithm_policy_hash(hash_name(c->algorithm->hash), c->signing_time * USEC))
        return EONAY_ERROR_MECHANISM_UNSUPPORTED;
    return 0;
}

int cades_new(const uint8_t *certificate, size_t certificate_size, const uint8_t *content, size_t content_size,
              int64_t signing_time, uint32_t mechanism, Cades **ret) {
    return cades_new_with_policy(certificate, certificate_size, content, content_size, signing_time, mechanism, 0, ret);
}

int cades_new_with_policy(const uint8_t *certificate, size_t certificate_size, const uint8_t *content,
                          size_t content_size, int64_t signing_time, uint32_t mechanism, uint8_t policy, Cades **ret) {
    signature_init();
    if (content_size > SIGNATURE_SIZE_MAX - SIGNATURE_CERTIFICATE_SIZE_MAX - 4096)
        return -EFBIG;
    if (signing_time < TIME_MIN || signing_time > TIME_MAX || policy > 3)
        return -EINVAL;
    CLEANUP(cades_free_p) Cades *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->signing_time = signing_time;
    c->policy = policy;
    int r = certificate_take(c, certificate, certificate_size);
    r = r == 0 ? mechanism_take(c, mechanism) : r;
    r = r == 0 ? bytes_copy(content, content_size, &c->content) : r;
    c->content_size = content_size;
    r = r == 0 ? attributes_build(c) : r;
    r = r == 0 ? attributes_digest(c) : r;
    if (r != 0)
        return r;
    *ret = c;
    c = NULL;
    return 0;
}

const uint8_t *cades_digest(const Cades *c, size_t *ret_size) {
    *ret_size = hash_size(c->algorithm->hash);
    return c->digest;
}

/* --------------------------------------------------------------------------------------------------- finish -- */

/* Appends the value in the form that CMS wants; false when it has neither form. */
static bool value_append(DerBuffer *b, const Cades *c, DerBytes value) {
    if (c->algorithm->scheme != SCHEME_ECDSA) {
        der_append(b, value);
        return value.n > 0 && value.n <= (c->key_kind.bits + 7) / 8;
    }
    bool der = ecdsa_value_is_der(value, c->key_kind.bits);
    bool raw = ecdsa_value_is_raw(value, c->key_kind.bits);
    if (der && raw)
        raw = !signature_verify(c->algorithm, c->key, c->digest, value);
    if (raw)
        ecdsa_value_append(b, value);
    else
        der_append(b, value);
    return der || raw;
}

static void signer_append(DerBuffer *b, const Cades *c, DerBytes value) {
    DerBytes issuer = {0}, serial = {0};
    size_t signer = b->size;
    certificate_names((DerBytes){c->certificate, c->certificate_size}, &issuer, &serial);
    der_append_element(b, DER_INTEGER, DER_BYTES(1));
    size_t sid = b->size;
    der_append(b, issuer);
    der_append(b, serial);
    der_wrap(b, sid, DER_SEQUENCE);
    hash_append(b, c->algorithm->hash);
    der_append_element(b, DER_CONTEXT_0, buffer_bytes(&c->attributes));
    signature_algorithm_append(b, c->algorithm);
    der_append_element(b, DER_OCTET_STRING, value);
    der_wrap(b, signer, DER_SEQUENCE);
    der_wrap(b, signer, DER_SET);
}

static void content_append(DerBuffer *b, const Cades *c) {
    size_t encapsulated = b->size;
    der_append_element(b, DER_OID, OID_DATA);
    size_t content = b->size;
    der_append_element(b, DER_OCTET_STRING, (DerBytes){c->content, c->content_size});
    der_wrap(b, content, DER_CONTEXT_0);
    der_wrap(b, encapsulated, DER_SEQUENCE);
}

static void message_append(DerBuffer *b, const Cades *c, DerBytes value) {
    der_append_element(b, DER_OID, OID_SIGNED_DATA);
    size_t data = b->size;
    der_append_element(b, DER_INTEGER, DER_BYTES(1));
    size_t digests = b->size;
    hash_append(b, c->algorithm->hash);
    der_wrap(b, digests, DER_SET);
    content_append(b, c);
    der_append_element(b, DER_CONTEXT_0, (DerBytes){c->certificate, c->certificate_size});
    signer_append(b, c, value);
    der_wrap(b, data, DER_SEQUENCE);
    der_wrap(b, data, DER_CONTEXT_0);
    der_wrap(b, 0, DER_SEQUENCE);
}

static int message_judge(const Cades *c, const DerBuffer *message, const char **ret_why) {
    CadesExpectation expect = {
        .content = c->content,
        .content_size = c->content_size,
        .certificate = c->certificate,
        .certificate_size = c->certificate_size,
        .signed_from = c->signing_time,
        .signed_until = c->signing_time,
    };
    CadesReport *report = NULL;
    int r = cades_verify_with(message->bytes, message->size, &expect, c->parsed, &report);
    if (r < 0)
        return r;
    if (!report->valid) {
        *ret_why = cades_check_name(report->failed);
        r = EONAY_ERROR_SIGNATURE_INVALID;
    }
    cades_report_free(report);
    return r;
}

int cades_finish(Cades *c, const uint8_t *signature, size_t signature_size, uint8_t **ret_der, size_t *ret_size,
                 const char **ret_why) {
    DerBuffer value = {0}, message = {0};
    bool fits = signature && value_append(&value, c, (DerBytes){signature, signature_size});
    if (fits)
        message_append(&message, c, buffer_bytes(&value));
    int r = value.failed || message.failed ? -ENOMEM : 0;
    if (r == 0 && !fits) {
        *ret_why = "signature value of no known form";
        r = EONAY_ERROR_SIGNATURE_INVALID;
    }
    if (r == 0)
        r = message_judge(c, &message, ret_why);
    der_buffer_free(&value);
    if (r != 0) {
        der_buffer_free(&message);
        return r;
    }
    *ret_der = message.bytes;
    *ret_size = message.size;
    return 0;
}
