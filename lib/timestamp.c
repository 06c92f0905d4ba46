/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token is read by the same strict reader as our own messages, but for the order within its sets, which many
 * authorities do not sort. What signs it is found by the hash in its signing-certificate attribute, so that a second
 * certificate with the same name and number is of no use to anyone.
 */
#include "timestamp.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "algorithm-policy.h"
#include "cades-internal.h"
#include "cades-message.h"
#include "cades-oids.h"
#include "certificate-der.h"
#include "openssl-cleanup.h"
#include "signature-algorithm.h"
#include "signature.h"
#include "timestamp-info.h"

#define USEC 1000000

/* ----------------------------------------------------------------------------------------------------- request -- */

static bool hash_of_size(size_t size, HashKind *ret) {
    for (int i = 0; i < N_HASHES; i++) {
        if (hash_size((HashKind)i) != size)
            continue;
        *ret = (HashKind)i;
        return true;
    }
    return false;
}

/* An unsigned number in DER's shortest form. */
static void number_append(DerBuffer *b, const uint8_t *bytes, size_t n) {
    size_t from = b->size;
    while (n > 1 && bytes[0] == 0) {
        bytes++;
        n--;
    }
    if (bytes[0] >= 0x80)
        der_append(b, DER_BYTES(0));
    der_append(b, (DerBytes){bytes, n});
    der_wrap(b, from, DER_INTEGER);
}

static bool oid_append(DerBuffer *b, const char *dotted) {
    ASN1_OBJECT *object = OBJ_txt2obj(dotted, 1);
    if (!object)
        return false;
    der_append_element(b, DER_OID, (DerBytes){OBJ_get0_data(object), OBJ_length(object)});
    ASN1_OBJECT_free(object);
    return true;
}

int timestamp_request(const uint8_t *imprint, size_t imprint_size, const uint8_t *nonce, const char *policy,
                      uint8_t **ret, size_t *ret_size) {
    HashKind hash;
    DerBuffer b = {0};
    signature_init();
    if (!hash_of_size(imprint_size, &hash))
        return -EINVAL;
    der_append_element(&b, DER_INTEGER, DER_BYTES(1));
    size_t message_imprint = b.size;
    hash_append(&b, hash);
    der_append_element(&b, DER_OCTET_STRING, (DerBytes){imprint, imprint_size});
    der_wrap(&b, message_imprint, DER_SEQUENCE);
    bool policy_good = !policy || oid_append(&b, policy);
    if (nonce)
        number_append(&b, nonce, TIMESTAMP_NONCE_SIZE);
    der_append_element(&b, DER_BOOLEAN, DER_BYTES(0xff));
    der_wrap(&b, 0, DER_SEQUENCE);
    if (b.failed || !policy_good) {
        der_buffer_free(&b);
        return policy_good ? -ENOMEM : -EINVAL;
    }
    *ret = b.bytes;
    *ret_size = b.size;
    return 0;
}

const char *timestamp_response_open(const CadesBlob *response, CadesBlob *ret_token) {
    DerBytes bytes = {response->bytes, response->size}, sequence, status_info, status;
    DerElement token;
    uint32_t number;
    if (!der_read_value(&bytes, DER_SEQUENCE, &sequence) || bytes.n > 0 ||
        !der_read_value(&sequence, DER_SEQUENCE, &status_info) || !der_read_value(&status_info, DER_INTEGER, &status) ||
        !der_small_integer(status, &number))
        return "the answer is no time-stamp response";
    if (number > 1)
        return "the authority refused to stamp";
    if (!der_read_tag(&sequence, DER_SEQUENCE, &token) || sequence.n > 0)
        return "the answer has no time-stamp token";
    *ret_token = (CadesBlob){token.whole.p, token.whole.n};
    return NULL;
}

/* ------------------------------------------------------------------------------------------------- certificate -- */

typedef struct CertificateName {
    DerBytes hash;
    const EVP_MD *md;
} CertificateName;

/* The first ESSCertID (RFC 2634, SHA-1) or ESSCertIDv2 (RFC 5035). */
static bool first_id_read(DerBytes value, bool v2, CertificateName *ret) {
    DerBytes outer, ids, id;
    HashKind hash = HASH_SHA256;
    DerElement algorithm;
    if (!der_read_value(&value, DER_SEQUENCE, &outer) || value.n > 0 || !der_read_value(&outer, DER_SEQUENCE, &ids) ||
        !der_read_value(&ids, DER_SEQUENCE, &id))
        return false;
    if (v2 && der_read_tag(&id, DER_SEQUENCE, &algorithm) && !hash_from_der(algorithm.whole, &hash))
        return false;
    ret->md = v2 ? hash_md(hash) : EVP_sha1();
    return der_read_value(&id, DER_OCTET_STRING, &ret->hash);
}

static const char *signing_certificate_read(const MessageSigner *s, CertificateName *ret) {
    DerBytes value;
    if (message_signed_value(s, OID_SIGNING_CERTIFICATE_V2, &value))
        return first_id_read(value, true, ret) ? NULL : "the signing certificate's name is not well-formed";
    if (message_signed_value(s, OID_SIGNING_CERTIFICATE, &value))
        return first_id_read(value, false, ret) ? NULL : "the signing certificate's name is not well-formed";
    return "the token does not name its signing certificate";
}

static bool certificate_named(const MessageSigner *s, const CertificateName *name, DerBytes certificate) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    DerBytes issuer, serial;
    if (EVP_Digest(certificate.p, certificate.n, digest, &n, name->md, NULL) != 1 ||
        !der_equal((DerBytes){digest, n}, name->hash))
        return false;
    return certificate_names(certificate, &issuer, &serial) &&
           (!s->by_issuer || (der_equal(issuer, s->issuer) && der_equal(serial, s->serial)));
}

static bool certificate_find(const Message *m, const CertificateName *name, const TimestampExpectation *e,
                             CadesBlob *ret) {
    DerElement element;
    for (DerBytes rest = m->certificates; der_read(&rest, &element);) {
        if (element.tag != DER_SEQUENCE || !certificate_named(&m->signer, name, element.whole))
            continue;
        *ret = (CadesBlob){element.whole.p, element.whole.n};
        return true;
    }
    for (size_t i = 0; i < e->n_intermediates; i++) {
        if (!certificate_named(&m->signer, name, (DerBytes){e->intermediates[i].bytes, e->intermediates[i].size}))
            continue;
        *ret = e->intermediates[i];
        return true;
    }
    return false;
}

/* --------------------------------------------------------------------------------------------------- signature -- */

static const char *attributes_check(const Message *m, HashKind hash) {
    DerBytes value, digest_claimed;
    uint8_t digest[HASH_SIZE_MAX];
    DerBuffer type = {0};
    der_append_element(&type, DER_OID, OID_TST_INFO);
    bool typed = message_signed_value(&m->signer, OID_CONTENT_TYPE, &value) &&
                 der_equal(value, (DerBytes){type.bytes, type.size});
    der_buffer_free(&type);
    if (!typed)
        return "the signed content type is not TSTInfo";
    if (!message_signed_value(&m->signer, OID_MESSAGE_DIGEST, &value) ||
        !der_read_value(&value, DER_OCTET_STRING, &digest_claimed) || value.n > 0)
        return "the token has no message digest";
    if (!hash_bytes(hash, m->content, digest) || !der_equal(digest_claimed, (DerBytes){digest, hash_size(hash)}))
        return "the token's message digest is wrong";
    return NULL;
}

static const char *signature_check(const Message *m, X509 *certificate, int64_t at, Timestamp *ret) {
    uint8_t digest[HASH_SIZE_MAX];
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    const SignatureAlgorithm *algorithm =
        signature_algorithm_from_der(m->signer.digest_algorithm, m->signer.signature_algorithm);
    if (!algorithm || !key)
        return "the token is signed with an unknown algorithm";
    SignerKey kind = signer_key_describe(key);
    if (!signature_algorithm_fits(algorithm, &kind))
        return "the token's algorithm is not one of its key";
    if (!algorithm_policy_key(kind.type, kind.bits, at * USEC) ||
        !algorithm_policy_hash(hash_name(algorithm->hash), at * USEC))
        return "the token's algorithm was not permitted at that time";
    snprintf(ret->algorithm, sizeof(ret->algorithm), "%s", algorithm->name);
    const char *why = attributes_check(m, algorithm->hash);
    if (why)
        return why;
    DerBuffer set = {0};
    der_append_element(&set, DER_SET, m->signer.attributes);
    bool hashed = !set.failed && hash_bytes(algorithm->hash, (DerBytes){set.bytes, set.size}, digest);
    der_buffer_free(&set);
    return hashed && signature_verify(algorithm, key, digest, m->signer.signature) ? NULL
                                                                                   : "the token's signature is wrong";
}

static const char *chain_check(const Message *m, X509 *certificate, const TimestampExpectation *e, int64_t at) {
    CadesExpectation expect = {.anchors = e->anchors,
                               .n_anchors = e->n_anchors,
                               .intermediates = e->intermediates,
                               .n_intermediates = e->n_intermediates};
    if (X509_check_purpose(certificate, X509_PURPOSE_TIMESTAMP_SIGN, 0) != 1)
        return "the authority's certificate is not for time stamps only";
    if (e->n_anchors == 0)
        return NULL;
    return cades_chain_check(certificate, m->certificates, &expect, at, X509_PURPOSE_TIMESTAMP_SIGN);
}

/* ------------------------------------------------------------------------------------------------- judgement -- */

static void info_tell(const TimestampInfo *info, Timestamp *ret) {
    ret->time = info->time;
    ret->accuracy = info->accuracy;
    ret->imprint_hash = hash_name(info->hash);
    ret->imprint = (CadesBlob){info->imprint.p, info->imprint.n};
    for (size_t i = 0; i < info->serial.n && 2 * i + 2 < sizeof(ret->serial); i++)
        snprintf(ret->serial + 2 * i, 3, "%02x", info->serial.p[i]);
    DerBuffer oid = {0};
    der_append_element(&oid, DER_OID, info->policy);
    const unsigned char *p = oid.bytes;
    ASN1_OBJECT *object = oid.failed ? NULL : d2i_ASN1_OBJECT(NULL, &p, (long)oid.size);
    if (object)
        OBJ_obj2txt(ret->policy, sizeof(ret->policy), object, 1);
    ASN1_OBJECT_free(object);
    der_buffer_free(&oid);
}

static bool nonce_equal(DerBytes claimed, const uint8_t *nonce) {
    DerBuffer number = {0};
    DerBytes contents, whole;
    number_append(&number, nonce, TIMESTAMP_NONCE_SIZE);
    whole = (DerBytes){number.bytes, number.size};
    bool equal = !number.failed && der_read_value(&whole, DER_INTEGER, &contents) && der_equal(claimed, contents);
    der_buffer_free(&number);
    return equal;
}

static const char *info_check(const TimestampInfo *info, const TimestampExpectation *e, const Timestamp *t) {
    if (e->imprint && !der_equal(info->imprint, (DerBytes){e->imprint, e->imprint_size}))
        return "the token stamps other bytes";
    if (e->nonce && !nonce_equal(info->nonce, e->nonce))
        return "the token's nonce is not the one asked with";
    if (e->policy && strcmp(e->policy, t->policy) != 0)
        return "the token is under another policy than the one asked for";
    if ((e->from != 0 || e->until != 0) && (info->time < e->from || info->time > e->until))
        return "the time stamped is not in the expected span";
    return NULL;
}

static const char *signer_check(const Message *m, const TimestampExpectation *e, Timestamp *ret) {
    CertificateName name;
    const char *why = signing_certificate_read(&m->signer, &name);
    if (why)
        return why;
    if (!name.md || !certificate_find(m, &name, e, &ret->certificate))
        return "the certificate that the token names is not there";
    CLEANUP(X509_free_p)
    X509 *certificate = certificate_parse_shared((DerBytes){ret->certificate.bytes, ret->certificate.size});
    if (!certificate)
        return "the authority's certificate cannot be read";
    why = signature_check(m, certificate, ret->time, ret);
    if (!why)
        why = chain_check(m, certificate, e, ret->time);
    if (!why && e->at != 0 && e->at != ret->time)
        why = chain_check(m, certificate, e, e->at);
    return why;
}

const char *timestamp_verify(const CadesBlob *token, const TimestampExpectation *expect, Timestamp *ret) {
    static const TimestampExpectation nothing = {0};
    const TimestampExpectation *e = expect ? expect : &nothing;
    Message m;
    TimestampInfo info;
    signature_init();
    *ret = (Timestamp){0};
    const char *why = message_parse_token((DerBytes){token->bytes, token->size}, &m);
    if (why)
        return why;
    if (m.n_signers != 1 || !m.has_content || !der_equal(m.content_type, OID_TST_INFO))
        return "the token is not one signed TSTInfo";
    why = timestamp_info_read(m.content, &info);
    if (why)
        return why;
    ret->certificates = (CadesBlob){m.certificates.p, m.certificates.n};
    info_tell(&info, ret);
    why = info_check(&info, e, ret);
    return why ? why : signer_check(&m, e, ret);
}
