/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification is a list of checks in the order of the table in cades.h, run until one fails. Each answers NULL when it
 * holds, or why it does not. A check may rely on all before it: the signature is computed only over attributes that are
 * exactly the intended ones, and the chain is built only for the certificate that the signature names.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "algorithm-policy.h"
#include "cades-internal.h"
#include "cades-message.h"
#include "cades-oids.h"
#include "cades-policy.h"
#include "certificate-der.h"
#include "openssl-cleanup.h"
#include "signature-algorithm.h"
#include "signature.h"
#include "signing-time.h"

#define USEC 1000000

typedef struct Verification {
    DerBytes bytes;
    const CadesExpectation *expect;
    CadesReport *report;
    Message message;
    DerBytes certificate; /* the signer's */
    X509 *parsed;
    SignerKey key;
    const SignatureAlgorithm *algorithm;
    int64_t signing_time;
    int fatal; /* negative errno */
} Verification;

typedef const char *(*CheckFunction)(Verification *v);

static bool bytes_keep(Verification *v, DerBytes bytes, uint8_t **ret, size_t *ret_size) {
    uint8_t *copy = malloc(bytes.n > 0 ? bytes.n : 1);
    if (!copy) {
        v->fatal = -ENOMEM;
        return false;
    }
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    *ret = copy;
    *ret_size = bytes.n;
    return true;
}

static const MessageAttribute *attribute_find(const MessageSigner *signer, DerBytes type) {
    for (size_t i = 0; i < signer->n_attributes; i++)
        if (der_equal(signer->attribute[i].type, type))
            return &signer->attribute[i];
    return NULL;
}

/* ---------------------------------------------------------------------------------------- the message itself -- */

static const char *check_encoding(Verification *v) {
    return message_parse(v->bytes, &v->message);
}

static const char *check_content_type(Verification *v) {
    if (!der_equal(v->message.content_type, OID_DATA))
        return "the content is not of type data";
    if (!v->message.has_content) {
        if (!v->expect->content || !v->expect->detached)
            return "the content is not contained";
        v->message.content = (DerBytes){v->expect->content, v->expect->content_size};
    }
    return bytes_keep(v, v->message.content, &v->report->content, &v->report->content_size) ? NULL : "out of memory";
}

static const char *check_one_signer(Verification *v) {
    return v->message.n_signers == 1 ? NULL : "there is not exactly one signer";
}

static bool certificate_named(const MessageSigner *signer, DerBytes certificate) {
    DerBytes issuer, serial;
    return certificate_names(certificate, &issuer, &serial) && der_equal(issuer, signer->issuer) &&
           der_equal(serial, signer->serial);
}

static const char *certificate_find(const Message *m, DerBytes *ret) {
    size_t n = 0;
    DerElement certificate;
    if (m->n_certificates > MESSAGE_CERTIFICATES_MAX)
        return "there are too many certificates";
    for (DerBytes rest = m->certificates; rest.n > 0;) {
        if (!der_read_tag(&rest, DER_SEQUENCE, &certificate))
            return "something other than a certificate is contained";
        if (!certificate_named(&m->signer, certificate.whole))
            continue;
        *ret = certificate.whole;
        n++;
    }
    return n == 1 ? NULL : "the certificate that the signer names is not contained once";
}

static const char *check_certificate(Verification *v) {
    if (!v->message.signer.by_issuer)
        return "the signer is not named by issuer and serial number";
    const char *why = certificate_find(&v->message, &v->certificate);
    if (why)
        return why;
    const CadesExpectation *e = v->expect;
    bool known = v->parsed && der_equal(v->certificate, (DerBytes){e->certificate, e->certificate_size});
    if (!known) {
        X509_free(v->parsed);
        v->parsed = certificate_parse_shared(v->certificate);
    }
    if (!v->parsed || !X509_get0_pubkey(v->parsed))
        return "the certificate cannot be read";
    v->key = signer_key_describe(X509_get0_pubkey(v->parsed));
    return bytes_keep(v, v->certificate, &v->report->certificate, &v->report->certificate_size) ? NULL
                                                                                                : "out of memory";
}

/* The time claimed is needed before its attribute is judged; 0 when it cannot be read, which check_attributes tells. */
static void signing_time_take(Verification *v) {
    const MessageAttribute *attribute = attribute_find(&v->message.signer, OID_SIGNING_TIME);
    if (attribute && signing_time_read(attribute->values, &v->signing_time))
        v->report->signing_time = v->signing_time;
}

static const char *check_algorithm(Verification *v) {
    const MessageSigner *signer = &v->message.signer;
    signing_time_take(v);
    if (!der_equal(v->message.digest_algorithms, signer->digest_algorithm))
        return "the digest algorithms of message and signer differ";
    v->algorithm = signature_algorithm_from_der(signer->digest_algorithm, signer->signature_algorithm);
    if (!v->algorithm)
        return "unknown algorithms, or algorithms that do not belong together";
    if (!signature_algorithm_fits(v->algorithm, &v->key))
        return "the algorithm is not one of the certificate's key";
    if (!algorithm_policy_key(v->key.type, v->key.bits, v->signing_time * USEC))
        return "the key was not permitted at the signing time";
    if (!algorithm_policy_hash(hash_name(v->algorithm->hash), v->signing_time * USEC))
        return "the digest algorithm was not permitted at the signing time";
    snprintf(v->report->algorithm, sizeof(v->report->algorithm), "%s", v->algorithm->name);
    return NULL;
}

/* ----------------------------------------------------------------------------------------- signed attributes -- */

/* The only value of the attribute, its contents, when it has this tag. */
static bool attribute_value(const MessageSigner *signer, DerBytes type, uint8_t tag, DerBytes *ret) {
    const MessageAttribute *attribute = attribute_find(signer, type);
    if (!attribute || attribute->n_values != 1)
        return false;
    DerBytes values = attribute->values;
    return der_read_value(&values, tag, ret) && values.n == 0;
}

/* The one attribute beyond the intended ones that may be there; *ret_n tells how many of them are. */
static bool policy_sound(const MessageSigner *signer, size_t *ret_n) {
    const MessageAttribute *attribute = attribute_find(signer, OID_SIGNATURE_POLICY);
    PolicyId id;
    *ret_n = attribute ? 1 : 0;
    return !attribute || (attribute->n_values == 1 && policy_read(attribute->values, &id));
}

static const char *check_signed_attributes(Verification *v) {
    const DerBytes intended[] = {OID_CONTENT_TYPE, OID_MESSAGE_DIGEST, OID_SIGNING_TIME, OID_SIGNING_CERTIFICATE_V2};
    const size_t n_intended = sizeof(intended) / sizeof(intended[0]);
    const MessageSigner *signer = &v->message.signer;
    DerBytes content_type;
    int64_t time;
    size_t n_policies;
    if (!signer->has_attributes)
        return "there are no signed attributes";
    for (size_t i = 0; i < n_intended; i++) {
        const MessageAttribute *attribute = attribute_find(signer, intended[i]);
        if (!attribute || attribute->n_values != 1)
            return "an intended signed attribute is missing or has not one value";
    }
    if (!policy_sound(signer, &n_policies))
        return "the signature policy is not well-formed";
    if (signer->n_attributes != n_intended + n_policies)
        return "there are other signed attributes than the intended ones, or one is there twice";
    if (!attribute_value(signer, OID_CONTENT_TYPE, DER_OID, &content_type) || !der_equal(content_type, OID_DATA))
        return "the signed content type is not data";
    if (!signing_time_read(attribute_find(signer, OID_SIGNING_TIME)->values, &time))
        return "the signing time is not in its DER form";
    return NULL;
}

static const char *check_unsigned_attributes(Verification *v) {
    if (v->expect->higher_levels)
        return NULL;
    if (v->message.signer.has_unsigned)
        return "there are unsigned attributes";
    return v->message.has_crls ? "there are revocation lists" : NULL;
}

static const char *check_message_digest(Verification *v) {
    uint8_t digest[HASH_SIZE_MAX];
    DerBytes claimed;
    if (!attribute_value(&v->message.signer, OID_MESSAGE_DIGEST, DER_OCTET_STRING, &claimed))
        return "the message digest is not an octet string";
    if (!hash_bytes(v->algorithm->hash, v->message.content, digest))
        return "the content cannot be hashed";
    DerBytes right = {digest, hash_size(v->algorithm->hash)};
    return der_equal(claimed, right) ? NULL : "the message digest is not that of the content";
}

/* IssuerSerial { GeneralNames { [4] Name }, serialNumber }, RFC 5035 section 5. */
static bool issuer_serial_matches(DerBytes issuer_serial, const MessageSigner *signer) {
    DerBytes names, name;
    DerElement serial;
    return der_read_value(&issuer_serial, DER_SEQUENCE, &names) && der_read_tag(&issuer_serial, DER_INTEGER, &serial) &&
           issuer_serial.n == 0 && der_read_value(&names, DER_CONTEXT_4, &name) && names.n == 0 &&
           der_equal(name, signer->issuer) && der_equal(serial.whole, signer->serial);
}

static bool hash_algorithm_read(DerBytes *in, HashKind *ret) {
    DerElement identifier;
    *ret = HASH_SHA256;
    if (!der_read_tag(in, DER_SEQUENCE, &identifier))
        return false;
    if (der_equal(identifier.whole, DER_BYTES(0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1)))
        return false; /* the DEFAULT, which DER leaves out */
    return hash_from_der(identifier.whole, ret);
}

/* ESSCertIDv2 { hashAlgorithm DEFAULT sha256, certHash, issuerSerial OPTIONAL } */
static const char *certificate_id_check(const Verification *v, DerBytes id) {
    uint8_t digest[HASH_SIZE_MAX];
    HashKind hash = HASH_SHA256;
    DerBytes claimed, issuer_serial;
    if (der_next_is(id, DER_SEQUENCE) && !hash_algorithm_read(&id, &hash))
        return "signing-certificate-v2 has an unknown hash algorithm";
    if (!der_read_value(&id, DER_OCTET_STRING, &claimed) || !hash_bytes(hash, v->certificate, digest))
        return "signing-certificate-v2 has no hash";
    if (!der_equal(claimed, (DerBytes){digest, hash_size(hash)}))
        return "signing-certificate-v2 names another certificate";
    if (id.n == 0)
        return NULL;
    if (!der_read_value(&id, DER_SEQUENCE, &issuer_serial) || id.n > 0 ||
        !issuer_serial_matches(issuer_serial, &v->message.signer))
        return "signing-certificate-v2 has another issuer or serial number";
    return NULL;
}

static const char *check_signing_certificate(Verification *v) {
    DerBytes signing_certificate, ids, id;
    if (!attribute_value(&v->message.signer, OID_SIGNING_CERTIFICATE_V2, DER_SEQUENCE, &signing_certificate))
        return "signing-certificate-v2 is not a sequence";
    if (!der_read_value(&signing_certificate, DER_SEQUENCE, &ids) || signing_certificate.n > 0)
        return "signing-certificate-v2 is more than certificate identifiers";
    if (!der_read_value(&ids, DER_SEQUENCE, &id) || ids.n > 0)
        return "signing-certificate-v2 does not name exactly one certificate";
    return certificate_id_check(v, id);
}

static const char *check_signature(Verification *v) {
    uint8_t digest[HASH_SIZE_MAX];
    DerBuffer set = {0};
    der_append_element(&set, DER_SET, v->message.signer.attributes);
    bool hashed = !set.failed && hash_bytes(v->algorithm->hash, (DerBytes){set.bytes, set.size}, digest);
    der_buffer_free(&set);
    if (!hashed)
        return "the signed attributes cannot be hashed";
    EVP_PKEY *key = X509_get0_pubkey(v->parsed);
    return signature_verify(v->algorithm, key, digest, v->message.signer.signature) ? NULL
                                                                                    : "the signature value is wrong";
}

/* ---------------------------------------------------------------------------------------------- expectations -- */

static const char *check_content(Verification *v) {
    const CadesExpectation *e = v->expect;
    if (!e->content || der_equal(v->message.content, (DerBytes){e->content, e->content_size}))
        return NULL;
    return "the content is not the expected one";
}

static const char *check_expected_certificate(Verification *v) {
    const CadesExpectation *e = v->expect;
    if (!e->certificate || der_equal(v->certificate, (DerBytes){e->certificate, e->certificate_size}))
        return NULL;
    return "the signer is not the expected one";
}

static const char *check_chain(Verification *v) {
    const CadesExpectation *e = v->expect;
    if (e->n_anchors == 0)
        return NULL;
    v->report->chain_checked = true;
    return cades_chain_check(v->parsed, v->message.certificates, e, e->at != 0 ? e->at : v->signing_time,
                             X509_PURPOSE_ANY);
}

static const char *check_signing_time(Verification *v) {
    const CadesExpectation *e = v->expect;
    if (e->signed_from == 0 && e->signed_until == 0)
        return NULL;
    bool inside = v->signing_time >= e->signed_from && v->signing_time <= e->signed_until;
    return inside ? NULL : "the signing time is not in the expected span";
}

/* --------------------------------------------------------------------------------------------------- running -- */

static const CheckFunction checks[CADES_N_CHECKS] = {
    [CADES_CHECK_ENCODING] = check_encoding,
    [CADES_CHECK_CONTENT_TYPE] = check_content_type,
    [CADES_CHECK_ONE_SIGNER] = check_one_signer,
    [CADES_CHECK_CERTIFICATE] = check_certificate,
    [CADES_CHECK_ALGORITHM] = check_algorithm,
    [CADES_CHECK_SIGNED_ATTRIBUTES] = check_signed_attributes,
    [CADES_CHECK_UNSIGNED_ATTRIBUTES] = check_unsigned_attributes,
    [CADES_CHECK_MESSAGE_DIGEST] = check_message_digest,
    [CADES_CHECK_SIGNING_CERTIFICATE] = check_signing_certificate,
    [CADES_CHECK_SIGNATURE] = check_signature,
    [CADES_CHECK_CONTENT] = check_content,
    [CADES_CHECK_EXPECTED_CERTIFICATE] = check_expected_certificate,
    [CADES_CHECK_CHAIN] = check_chain,
    [CADES_CHECK_SIGNING_TIME] = check_signing_time,
};

static void checks_run(Verification *v) {
    for (int i = 0; i < CADES_N_CHECKS; i++) {
        const char *why = checks[i](v);
        if (!why)
            continue;
        v->report->failed = (CadesCheck)i;
        snprintf(v->report->detail, sizeof(v->report->detail), "%s", why);
        return;
    }
    v->report->valid = true;
}

int cades_verify_with(const uint8_t *der, size_t size, const CadesExpectation *expect, X509 *parsed,
                      CadesReport **ret) {
    static const CadesExpectation nothing = {0};
    CadesReport *report = calloc(1, sizeof(*report));
    Verification *v = calloc(1, sizeof(*v));
    if (report && v) {
        *v = (Verification){.bytes = {der, size}, .expect = expect ? expect : &nothing, .report = report};
        if (parsed && X509_up_ref(parsed))
            v->parsed = parsed;
        checks_run(v);
        X509_free(v->parsed);
    }
    int r = !report || !v ? -ENOMEM : v->fatal;
    free(v);
    if (r < 0) {
        cades_report_free(report);
        return r;
    }
    *ret = report;
    return 0;
}

int cades_verify(const uint8_t *der, size_t size, const CadesExpectation *expect, CadesReport **ret) {
    signature_init();
    return cades_verify_with(der, size, expect, NULL, ret);
}

CadesReport *cades_report_free(CadesReport *r) {
    if (!r)
        return NULL;
    free(r->content);
    free(r->certificate);
    free(r);
    return NULL;
}
