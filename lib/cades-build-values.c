/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ES-X Long (TS 101 733 sections 6.2.1 to 6.3.4). References to the path of the signer's certificate, the certificate
 * itself left out, and one revocation reference for each step in the same order, the signer's first; then all of it
 * whole. The module has explicit tags. An OCSP response is named by the hash of its BasicOCSPResponse, since that is
 * what revocation-values holds.
 */
#include <errno.h>
#include <stdlib.h>

#include "cades-build.h"
#include "cades-oids.h"
#include "certificate-der.h"
#include "eonay/plugin.h"

#define PATH_MAX_STEPS 16

bool other_hash_append(DerBuffer *b, DerBytes bytes) {
    uint8_t digest[HASH_SIZE_MAX];
    if (!hash_bytes(HASH_SHA256, bytes, digest))
        return false;
    size_t from = b->size;
    hash_append(b, HASH_SHA256);
    der_append_element(b, DER_OCTET_STRING, (DerBytes){digest, hash_size(HASH_SHA256)});
    der_wrap(b, from, DER_SEQUENCE);
    return true;
}

/* OtherCertID { otherCertHash, issuerSerial } */
static bool certificate_reference_append(DerBuffer *b, DerBytes certificate) {
    DerBytes issuer, serial;
    size_t from = b->size;
    if (!certificate_names(certificate, &issuer, &serial) || !other_hash_append(b, certificate))
        return false;
    size_t issuer_serial = b->size;
    der_append(b, issuer);
    der_wrap(b, issuer_serial, DER_CONTEXT_4);
    der_wrap(b, issuer_serial, DER_SEQUENCE);
    der_append(b, serial);
    der_wrap(b, issuer_serial, DER_SEQUENCE);
    der_wrap(b, from, DER_SEQUENCE);
    return true;
}

static bool certificate_references_append(DerBuffer *b, const CadesPathStep *path, size_t n) {
    size_t from = b->size;
    for (size_t i = 1; i < n; i++)
        if (!certificate_reference_append(b, blob_bytes(&path[i].certificate)))
            return false;
    der_wrap(b, from, DER_SEQUENCE);
    return true;
}

/* --------------------------------------------------------------------------------------- revocation references -- */

/* TBSCertList { version, signature, issuer, thisUpdate … }: the issuer and the time, with tags. */
static bool crl_names(DerBytes crl, DerBytes *ret_issuer, DerElement *ret_time) {
    DerBytes list, tbs;
    DerElement version, algorithm, issuer;
    if (!der_read_value(&crl, DER_SEQUENCE, &list) || !der_read_value(&list, DER_SEQUENCE, &tbs))
        return false;
    if (der_next_is(tbs, DER_INTEGER) && !der_read(&tbs, &version))
        return false;
    if (!der_read_tag(&tbs, DER_SEQUENCE, &algorithm) || !der_read_tag(&tbs, DER_SEQUENCE, &issuer) ||
        !der_read(&tbs, ret_time))
        return false;
    *ret_issuer = issuer.whole;
    return true;
}

/* CRLListID { crls { CrlValidatedID { crlHash, crlIdentifier { issuer, time } } } } */
static bool crl_reference_append(DerBuffer *b, DerBytes crl) {
    DerBytes issuer;
    DerElement time;
    size_t from = b->size;
    if (!crl_names(crl, &issuer, &time) || !other_hash_append(b, crl))
        return false;
    size_t identifier = b->size;
    if (time.tag == DER_UTC_TIME) {
        der_append(b, issuer);
        der_append(b, time.whole);
        der_wrap(b, identifier, DER_SEQUENCE);
    }
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_CONTEXT_0);
    return true;
}

bool ocsp_basic_find(DerBytes response, DerBytes *ret) {
    DerBytes outer, status, tagged, bytes, oid;
    return der_read_value(&response, DER_SEQUENCE, &outer) && response.n == 0 &&
           der_read_value(&outer, DER_ENUMERATED, &status) && der_equal(status, DER_BYTES(0)) &&
           der_read_value(&outer, DER_CONTEXT_0, &tagged) && outer.n == 0 &&
           der_read_value(&tagged, DER_SEQUENCE, &bytes) && tagged.n == 0 && der_read_value(&bytes, DER_OID, &oid) &&
           der_equal(oid, OID_OCSP_BASIC) && der_read_value(&bytes, DER_OCTET_STRING, ret) && bytes.n == 0;
}

/* ResponderID and producedAt of ResponseData, with tags. */
static bool ocsp_names(DerBytes basic, DerBytes *ret_responder, DerBytes *ret_produced) {
    DerBytes sequence, data;
    DerElement version, responder, produced;
    if (!der_read_value(&basic, DER_SEQUENCE, &sequence) || !der_read_value(&sequence, DER_SEQUENCE, &data))
        return false;
    if (der_next_is(data, DER_CONTEXT_0) && !der_read(&data, &version))
        return false;
    if (!der_read(&data, &responder) || !der_read_tag(&data, DER_GENERALIZED_TIME, &produced))
        return false;
    *ret_responder = responder.whole;
    *ret_produced = produced.whole;
    return responder.tag == DER_CONTEXT_1 || responder.tag == DER_CONTEXT_2;
}

/* OcspListID { ocspResponses { OcspResponsesID { ocspIdentifier { responder, producedAt }, ocspRepHash } } } */
static bool ocsp_reference_append(DerBuffer *b, DerBytes response) {
    DerBytes basic, responder, produced;
    if (!ocsp_basic_find(response, &basic) || !ocsp_names(basic, &responder, &produced))
        return false;
    size_t from = b->size;
    der_append(b, responder);
    der_append(b, produced);
    der_wrap(b, from, DER_SEQUENCE);
    if (!other_hash_append(b, basic))
        return false;
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_CONTEXT_1);
    return true;
}

static bool revocation_references_append(DerBuffer *b, const CadesPathStep *path, size_t n) {
    size_t whole = b->size;
    for (size_t i = 0; i < n; i++) {
        size_t step = b->size;
        if (path[i].crl.size > 0 && !crl_reference_append(b, blob_bytes(&path[i].crl)))
            return false;
        if (path[i].ocsp.size > 0 && !ocsp_reference_append(b, blob_bytes(&path[i].ocsp)))
            return false;
        der_wrap(b, step, DER_SEQUENCE);
    }
    der_wrap(b, whole, DER_SEQUENCE);
    return true;
}

/* ------------------------------------------------------------------------------------------------------ values -- */

/* Appends unless these bytes are among the elements since `from`. */
static void append_once(DerBuffer *b, size_t from, DerBytes bytes) {
    DerElement element;
    for (DerBytes rest = {b->size > from ? b->bytes + from : NULL, b->size - from}; der_read(&rest, &element);)
        if (der_equal(element.whole, bytes))
            return;
    der_append(b, bytes);
}

static void certificate_values_append(DerBuffer *b, const CadesPathStep *path, size_t n, const CadesEvidence *also) {
    size_t from = b->size;
    for (size_t i = 0; i < n; i++)
        append_once(b, from, blob_bytes(&path[i].certificate));
    for (size_t i = 0; i < also->n_certificates; i++)
        append_once(b, from, blob_bytes(&also->certificates[i]));
    der_wrap(b, from, DER_SEQUENCE);
}

static bool ocsp_value_append(DerBuffer *b, size_t from, const CadesBlob *ocsp) {
    DerBytes basic;
    if (ocsp->size == 0)
        return true;
    if (!ocsp_basic_find(blob_bytes(ocsp), &basic))
        return false;
    append_once(b, from, basic);
    return true;
}

static void list_wrap(DerBuffer *b, size_t from, uint8_t tag) {
    if (b->size == from)
        return;
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, tag);
}

/* RevocationValues { [0] crlVals, [1] ocspVals } */
static bool revocation_values_append(DerBuffer *b, const CadesPathStep *path, size_t n, const CadesEvidence *also) {
    bool good = true;
    size_t whole = b->size;
    for (size_t i = 0; i < n; i++)
        if (path[i].crl.size > 0)
            append_once(b, whole, blob_bytes(&path[i].crl));
    for (size_t i = 0; i < also->n_crls; i++)
        append_once(b, whole, blob_bytes(&also->crls[i]));
    list_wrap(b, whole, DER_CONTEXT_0);
    size_t ocsps = b->size;
    for (size_t i = 0; i < n; i++)
        good = good && ocsp_value_append(b, ocsps, &path[i].ocsp);
    for (size_t i = 0; i < also->n_ocsps; i++)
        good = good && ocsp_value_append(b, ocsps, &also->ocsps[i]);
    list_wrap(b, ocsps, DER_CONTEXT_1);
    der_wrap(b, whole, DER_SEQUENCE);
    return good;
}

/* ------------------------------------------------------------------------------------------------------- whole -- */

static bool values_build(DerBuffer value[4], const CadesPathStep *path, size_t n, const CadesEvidence *also) {
    static const CadesEvidence nothing = {0};
    also = also ? also : &nothing;
    if (!certificate_references_append(&value[0], path, n) || !revocation_references_append(&value[1], path, n))
        return false;
    certificate_values_append(&value[2], path, n, also);
    return revocation_values_append(&value[3], path, n, also);
}

int cades_add_values(const uint8_t *der, size_t size, const CadesPathStep *path, size_t n_path,
                     const CadesEvidence *also, uint8_t **ret, size_t *ret_size) {
    const DerBytes oids[4] = {OID_CERTIFICATE_REFERENCES, OID_REVOCATION_REFERENCES, OID_CERTIFICATE_VALUES,
                              OID_REVOCATION_VALUES};
    Message m;
    MessageGrowth g;
    DerBuffer value[4] = {0}, attributes = {0};
    if (n_path == 0 || n_path > PATH_MAX_STEPS || message_parse((DerBytes){der, size}, &m) || m.n_signers != 1)
        return EONAY_ERROR_SIGNATURE_INVALID;
    int r = values_build(value, path, n_path, also) ? 0 : EONAY_ERROR_SIGNATURE_INVALID;
    for (int i = 0; i < 4; i++) {
        attributes.failed |= value[i].failed;
        attribute_append(&attributes, oids[i], buffer_bytes(&value[i]));
        der_buffer_free(&value[i]);
    }
    if (r == 0) {
        message_growth_init(&g, &m);
        message_growth_add(&g.unsigned_attributes, buffer_bytes(&attributes));
        g.unsigned_attributes.failed |= attributes.failed;
        r = message_write(&m, &g, ret, ret_size);
        message_growth_clear(&g);
    }
    der_buffer_free(&attributes);
    return r;
}
