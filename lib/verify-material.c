/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates, revocation values and time-stamp tokens stand in four places: SignedData's own fields (B-LT), the
 * unsigned attributes of ES-X Long, the time-stamp tokens, and what the caller gives. All are gathered here; none of
 * them is believed for where it stands.
 */
#include <string.h>

#include "cades-build.h"
#include "cades-oids.h"
#include "verify-internal.h"

static void pool_add(Verify *v, CadesBlob certificate) {
    for (size_t i = 0; i < v->n_pool; i++)
        if (v->pool[i].size == certificate.size && memcmp(v->pool[i].bytes, certificate.bytes, certificate.size) == 0)
            return;
    if (v->n_pool == VERIFY_POOL_MAX)
        v->too_much = true;
    else
        v->pool[v->n_pool++] = certificate;
}

static void pool_add_all(Verify *v, DerBytes contents) {
    DerElement element;
    while (der_read(&contents, &element))
        if (element.tag == DER_SEQUENCE)
            pool_add(v, (CadesBlob){element.whole.p, element.whole.n});
}

static void material_add(Verify *v, DerBytes bytes, bool ocsp, bool embedded, int stamp) {
    for (size_t i = 0; i < v->n_material; i++)
        if (v->material[i].ocsp == ocsp && v->material[i].embedded == embedded &&
            der_equal((DerBytes){v->material[i].bytes.bytes, v->material[i].bytes.size}, bytes))
            return;
    if (v->n_material == VERIFY_MATERIAL_MAX) {
        v->too_much = true;
        return;
    }
    v->material[v->n_material++] =
        (VerifyMaterial){.bytes = {bytes.p, bytes.n}, .ocsp = ocsp, .embedded = embedded, .stamp = stamp, .poe = v->at};
}

/* RevocationInfoChoice: a CRL, or [1] { otherRevInfoFormat, otherRevInfo } with an OCSPResponse (RFC 5940). */
static void choices_add(Verify *v, DerBytes contents, bool embedded, int stamp) {
    DerElement choice, response;
    DerBytes format;
    while (der_read(&contents, &choice)) {
        DerBytes inside = choice.value;
        if (choice.tag == DER_SEQUENCE)
            material_add(v, choice.whole, false, embedded, stamp);
        else if (choice.tag == DER_CONTEXT_1 && der_read_value(&inside, DER_OID, &format) &&
                 der_equal(format, OID_OCSP_RESPONSE) && der_read(&inside, &response))
            material_add(v, response.whole, true, embedded, stamp);
    }
}

/* RevocationValues { [0] SEQUENCE OF CertificateList, [1] SEQUENCE OF BasicOCSPResponse, [2] other }. */
static void values_add(Verify *v, DerBytes values) {
    DerBytes sequence, field, list;
    DerElement element;
    if (!der_read_value(&values, DER_SEQUENCE, &sequence))
        return;
    for (int ocsp = 0; ocsp <= 1; ocsp++)
        if (der_read_value(&sequence, ocsp ? DER_CONTEXT_1 : DER_CONTEXT_0, &field) &&
            der_read_value(&field, DER_SEQUENCE, &list))
            while (der_read(&list, &element))
                material_add(v, element.whole, ocsp, true, -1);
}

static void attributes_collect(Verify *v) {
    DerBytes values, certificates;
    size_t i = 0;
    const MessageAttribute *a;
    while ((a = message_unsigned_next(&v->message.signer, OID_CERTIFICATE_VALUES, &i))) {
        values = a->values;
        if (der_read_value(&values, DER_SEQUENCE, &certificates))
            pool_add_all(v, certificates);
    }
    i = 0;
    while ((a = message_unsigned_next(&v->message.signer, OID_REVOCATION_VALUES, &i)))
        values_add(v, a->values);
}

/* ----------------------------------------------------------------------------------------------------- tokens -- */

static void token_open(VerifyToken *t) {
    size_t i = 0;
    t->failed = VERIFY_CHECK_STAMP_TOKEN;
    t->why = timestamp_verify(&t->bytes, NULL, &t->info);
    if (message_parse_token((DerBytes){t->bytes.bytes, t->bytes.size}, &t->message)) {
        t->why = t->why ? t->why : "the token cannot be read";
        return;
    }
    const MessageAttribute *index = message_unsigned_next(&t->message.signer, OID_ATS_HASH_INDEX_V3, &i);
    if (index && index->n_values == 1)
        t->index = index->values;
}

static void tokens_add(Verify *v, DerBytes type, bool archive) {
    DerElement value;
    size_t i = 0;
    const MessageAttribute *a;
    while ((a = message_unsigned_next(&v->message.signer, type, &i)))
        for (DerBytes rest = a->values; der_read(&rest, &value);) {
            if (v->n_tokens == VERIFY_STAMPS_MAX) {
                v->too_much = true;
                return;
            }
            VerifyToken *t = &v->token[v->n_tokens++];
            *t = (VerifyToken){
                .bytes = {value.whole.p, value.whole.n}, .archive = archive, .type = a->type, .poe = v->at};
            token_open(t);
        }
}

/* By time; of the same second, what was stamped first comes first. */
static bool token_before(const VerifyToken *a, const VerifyToken *b) {
    if (a->info.time != b->info.time)
        return a->info.time < b->info.time;
    if (a->archive != b->archive)
        return !a->archive;
    return a->archive && verify_index_covers_attribute(b, a->type, (DerBytes){a->bytes.bytes, a->bytes.size});
}

static void tokens_sort(Verify *v) {
    for (size_t i = 1; i < v->n_tokens; i++)
        for (size_t j = i; j > 0 && token_before(&v->token[j], &v->token[j - 1]); j--) {
            VerifyToken t = v->token[j];
            v->token[j] = v->token[j - 1];
            v->token[j - 1] = t;
        }
}

void verify_material_collect(Verify *v) {
    const VerifyRequest *q = v->request;
    pool_add_all(v, v->message.certificates);
    choices_add(v, v->message.crls, true, -1);
    attributes_collect(v);
    tokens_add(v, OID_SIGNATURE_TIME_STAMP, false);
    tokens_add(v, OID_ARCHIVE_TIME_STAMP_V3, true);
    tokens_sort(v);
    for (size_t i = 0; i < v->n_tokens; i++) {
        pool_add_all(v, v->token[i].message.certificates);
        choices_add(v, v->token[i].message.crls, false, (int)i);
    }
    for (size_t i = 0; i < q->n_certificates; i++)
        pool_add(v, q->certificates[i]);
    for (size_t i = 0; i < q->n_crls; i++)
        material_add(v, (DerBytes){q->crls[i].bytes, q->crls[i].size}, false, false, -1);
    for (size_t i = 0; i < q->n_ocsps; i++)
        material_add(v, (DerBytes){q->ocsps[i].bytes, q->ocsps[i].size}, true, false, -1);
}
