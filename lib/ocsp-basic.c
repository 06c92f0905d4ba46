/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a response costs to read are the certificates in it: libcrypto decodes their keys. They are the same in all
 * answers of a responder, so they are taken out before the rest is read, and put in again from the ones kept. Whatever
 * cannot be walked here, libcrypto reads whole, and judges.
 */
#include "ocsp-basic.h"

#include "certificate-der.h"
#include "openssl-cleanup.h"

typedef struct Basic {
    DerBytes tbs;          /* contents */
    DerBytes rest;         /* tbsResponseData, signatureAlgorithm, signature */
    DerBytes certificates; /* contents of the SEQUENCE OF; empty when there are none */
} Basic;

/* The BasicOCSPResponse itself. */
static bool basic_bytes(DerBytes response, DerBytes *ret) {
    DerBytes in = response, outer, status, wrapped, bytes, type;
    if (!der_read_value(&in, DER_SEQUENCE, &outer) || in.n > 0)
        return false;
    if (!der_next_is(outer, DER_ENUMERATED)) {
        *ret = response;
        return true;
    }
    if (!der_read_value(&outer, DER_ENUMERATED, &status) || !der_equal(status, DER_BYTES(0)))
        return false;
    if (!der_read_value(&outer, DER_CONTEXT_0, &wrapped) || outer.n > 0 ||
        !der_read_value(&wrapped, DER_SEQUENCE, &bytes) || wrapped.n > 0)
        return false;
    /* id-pkix-ocsp-basic */
    return der_read_value(&bytes, DER_OID, &type) &&
           der_equal(type, DER_BYTES(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01)) &&
           der_read_value(&bytes, DER_OCTET_STRING, ret) && bytes.n == 0;
}

static bool basic_split(const CadesBlob *response, Basic *ret) {
    DerBytes bytes, in, wrapped;
    DerElement tbs, algorithm, signature;
    if (!basic_bytes((DerBytes){response->bytes, response->size}, &bytes) ||
        !der_read_value(&bytes, DER_SEQUENCE, &in) || bytes.n > 0)
        return false;
    const uint8_t *begin = in.p;
    if (!der_read_tag(&in, DER_SEQUENCE, &tbs) || !der_read_tag(&in, DER_SEQUENCE, &algorithm) ||
        !der_read_tag(&in, DER_BIT_STRING, &signature))
        return false;
    *ret = (Basic){.tbs = tbs.value, .rest = {begin, (size_t)(in.p - begin)}};
    if (in.n == 0)
        return true;
    return der_read_value(&in, DER_CONTEXT_0, &wrapped) && in.n == 0 &&
           der_read_value(&wrapped, DER_SEQUENCE, &ret->certificates) && wrapped.n == 0;
}

/* ------------------------------------------------------------------------------------------------- about whom -- */

/* The answers: ResponseData begins with [0] version, responderID, producedAt. */
static bool answers_of(DerBytes tbs, DerBytes *ret) {
    DerElement skipped;
    if (der_next_is(tbs, DER_CONTEXT_0) && !der_read(&tbs, &skipped))
        return false;
    return der_read(&tbs, &skipped) && der_read_tag(&tbs, DER_GENERALIZED_TIME, &skipped) &&
           der_read_value(&tbs, DER_SEQUENCE, ret);
}

/* SingleResponse begins with its CertID: hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber. */
static bool answer_serial(DerBytes *answers, DerBytes *ret) {
    DerBytes single, id;
    DerElement algorithm, name, key, serial;
    if (!der_read_value(answers, DER_SEQUENCE, &single) || !der_read_value(&single, DER_SEQUENCE, &id) ||
        !der_read_tag(&id, DER_SEQUENCE, &algorithm) || !der_read_tag(&id, DER_OCTET_STRING, &name) ||
        !der_read_tag(&id, DER_OCTET_STRING, &key) || !der_read_tag(&id, DER_INTEGER, &serial))
        return false;
    *ret = serial.whole;
    return true;
}

bool ocsp_basic_is_foreign(const CadesBlob *response, const CadesBlob *certificate) {
    DerBytes issuer, wanted, answers, serial;
    Basic basic;
    if (!certificate_names((DerBytes){certificate->bytes, certificate->size}, &issuer, &wanted) ||
        !basic_split(response, &basic) || !answers_of(basic.tbs, &answers))
        return false;
    while (answers.n > 0)
        if (!answer_serial(&answers, &serial) || der_equal(serial, wanted))
            return false;
    return true;
}

/* ---------------------------------------------------------------------------------------------------- reading -- */

static bool certificates_add(OCSP_BASICRESP *basic, DerBytes certificates) {
    DerElement one;
    while (certificates.n > 0) {
        if (!der_read(&certificates, &one))
            return false;
        CLEANUP(X509_free_p) X509 *parsed = certificate_parse_shared(one.whole);
        if (!parsed || OCSP_basic_add1_cert(basic, parsed) != 1)
            return false;
    }
    return true;
}

/* NULL: to be read whole. */
static OCSP_BASICRESP *parse_in_parts(const CadesBlob *response) {
    CLEANUP(der_buffer_free) DerBuffer b = {0};
    Basic parts;
    if (!basic_split(response, &parts) || parts.certificates.n == 0)
        return NULL;
    der_append(&b, parts.rest);
    der_wrap(&b, 0, DER_SEQUENCE);
    const unsigned char *p = b.bytes;
    OCSP_BASICRESP *basic = b.failed ? NULL : d2i_OCSP_BASICRESP(NULL, &p, (long)b.size);
    if (basic && p == b.bytes + b.size && certificates_add(basic, parts.certificates))
        return basic;
    OCSP_BASICRESP_free(basic);
    return NULL;
}

static OCSP_BASICRESP *parse_whole(const CadesBlob *response, const char **ret_why) {
    const unsigned char *p = response->bytes;
    *ret_why = "the answer is no OCSP response";
    CLEANUP(OCSP_RESPONSE_free_p) OCSP_RESPONSE *whole = d2i_OCSP_RESPONSE(NULL, &p, (long)response->size);
    if (whole && p == response->bytes + response->size) {
        if (OCSP_response_status(whole) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
            *ret_why = "the responder gave no answer";
        else
            return OCSP_response_get1_basic(whole);
        return NULL;
    }
    p = response->bytes;
    OCSP_BASICRESP *basic = d2i_OCSP_BASICRESP(NULL, &p, (long)response->size);
    if (basic && p == response->bytes + response->size)
        return basic;
    OCSP_BASICRESP_free(basic);
    return NULL;
}

OCSP_BASICRESP *ocsp_basic_parse(const CadesBlob *response, const char **ret_why) {
    *ret_why = "the answer is no OCSP response";
    if (response->size == 0 || response->size > OCSP_SIZE_MAX)
        return NULL;
    OCSP_BASICRESP *basic = parse_in_parts(response);
    return basic ? basic : parse_whole(response, ret_why);
}
