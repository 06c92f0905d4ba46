/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message is taken apart and written again with larger sets. The signer's fields up to the signature go over as
 * the bytes they were; SignedData's version follows from what it holds (RFC 5652 section 5.1) and is stamped by nobody.
 */
#include "cades-build.h"

#include <errno.h>
#include <stdlib.h>

#include "cades-oids.h"
#include "cades-policy.h"
#include "der-set.h"
#include "eonay/plugin.h"

void message_growth_init(MessageGrowth *g, const Message *m) {
    *g = (MessageGrowth){0};
    der_append(&g->certificates, m->certificates);
    der_append(&g->crls, m->crls);
    der_append(&g->unsigned_attributes, m->signer.unsigned_attributes);
}

void message_growth_clear(MessageGrowth *g) {
    der_buffer_free(&g->certificates);
    der_buffer_free(&g->crls);
    der_buffer_free(&g->unsigned_attributes);
}

void message_growth_add(DerBuffer *set, DerBytes elements) {
    DerBuffer sorted = {0};
    DerSet *all = calloc(1, sizeof(*all));
    if (!all) {
        set->failed = true;
        return;
    }
    der_set_add_all(all, buffer_bytes(set));
    der_set_add_all(all, elements);
    der_set_append(all, &sorted);
    free(all);
    bool failed = set->failed;
    der_buffer_free(set);
    *set = sorted;
    set->failed |= failed;
}

static void field_append(DerBuffer *b, uint8_t tag, const DerBuffer *contents) {
    if (contents->size > 0)
        der_append_element(b, tag, buffer_bytes(contents));
}

static void signer_append(DerBuffer *b, const Message *m, const MessageGrowth *g) {
    size_t from = b->size;
    der_append(b, m->signer.fixed);
    field_append(b, DER_CONTEXT_1, &g->unsigned_attributes);
    der_wrap(b, from, DER_SEQUENCE);
    der_wrap(b, from, DER_SET);
}

static void content_append(DerBuffer *b, const Message *m) {
    size_t encapsulated = b->size;
    der_append_element(b, DER_OID, m->content_type);
    if (m->has_content) {
        size_t content = b->size;
        der_append_element(b, DER_OCTET_STRING, m->content);
        der_wrap(b, content, DER_CONTEXT_0);
    }
    der_wrap(b, encapsulated, DER_SEQUENCE);
}

static uint8_t version_of(const Message *m, const MessageGrowth *g) {
    DerElement choice;
    for (DerBytes rest = buffer_bytes(&g->crls); der_read(&rest, &choice);)
        if (choice.tag == DER_CONTEXT_1)
            return 5;
    return m->version == 5 && !m->has_other_crls ? 5 : (uint8_t)(m->version == 1 ? 1 : 3);
}

int message_write(const Message *m, const MessageGrowth *g, uint8_t **ret, size_t *ret_size) {
    DerBuffer b = {.failed = g->certificates.failed || g->crls.failed || g->unsigned_attributes.failed};
    der_append_element(&b, DER_OID, OID_SIGNED_DATA);
    size_t data = b.size;
    der_append_element(&b, DER_INTEGER, DER_BYTES(version_of(m, g)));
    der_append_element(&b, DER_SET, m->digest_algorithms);
    content_append(&b, m);
    field_append(&b, DER_CONTEXT_0, &g->certificates);
    field_append(&b, DER_CONTEXT_1, &g->crls);
    signer_append(&b, m, g);
    der_wrap(&b, data, DER_SEQUENCE);
    der_wrap(&b, data, DER_CONTEXT_0);
    der_wrap(&b, 0, DER_SEQUENCE);
    if (b.failed) {
        der_buffer_free(&b);
        return -ENOMEM;
    }
    *ret = b.bytes;
    *ret_size = b.size;
    return 0;
}

void attribute_append(DerBuffer *b, DerBytes oid, DerBytes value) {
    size_t from = b->size;
    der_append_element(b, DER_OID, oid);
    der_append_element(b, DER_SET, value);
    der_wrap(b, from, DER_SEQUENCE);
}

static int message_take(const uint8_t *der, size_t size, Message *ret) {
    return !message_parse((DerBytes){der, size}, ret) && ret->n_signers == 1 ? 0 : EONAY_ERROR_SIGNATURE_INVALID;
}

int cades_signature_value(const uint8_t *der, size_t size, CadesBlob *ret) {
    Message m;
    int r = message_take(der, size, &m);
    if (r == 0)
        *ret = (CadesBlob){m.signer.signature.p, m.signer.signature.n};
    return r;
}

static bool element_whole(DerBytes bytes, uint8_t tag) {
    DerElement element;
    return der_read_tag(&bytes, tag, &element) && bytes.n == 0;
}

int cades_add_signature_stamp(const uint8_t *der, size_t size, const CadesBlob *token, uint8_t **ret,
                              size_t *ret_size) {
    Message m;
    MessageGrowth g;
    DerBuffer attribute = {0};
    int r = message_take(der, size, &m);
    if (r == 0 && !element_whole(blob_bytes(token), DER_SEQUENCE))
        r = EONAY_ERROR_SIGNATURE_INVALID;
    if (r != 0)
        return r;
    message_growth_init(&g, &m);
    attribute_append(&attribute, OID_SIGNATURE_TIME_STAMP, blob_bytes(token));
    message_growth_add(&g.unsigned_attributes, buffer_bytes(&attribute));
    g.unsigned_attributes.failed |= attribute.failed;
    r = message_write(&m, &g, ret, ret_size);
    der_buffer_free(&attribute);
    message_growth_clear(&g);
    return r;
}

/* ------------------------------------------------------------------------------------------------------ B-LT -- */

/* [1] IMPLICIT OtherRevocationInfoFormat { id-ri-ocsp-response, OCSPResponse } */
static void other_revocation_append(DerBuffer *b, DerBytes ocsp) {
    size_t from = b->size;
    der_append_element(b, DER_OID, OID_OCSP_RESPONSE);
    der_append(b, ocsp);
    der_wrap(b, from, DER_CONTEXT_1);
}

int cades_add_fields(const uint8_t *der, size_t size, const CadesEvidence *e, uint8_t **ret, size_t *ret_size) {
    Message m;
    MessageGrowth g;
    DerBuffer more = {0};
    int r = message_take(der, size, &m);
    if (r != 0)
        return r;
    message_growth_init(&g, &m);
    for (size_t i = 0; i < e->n_certificates; i++)
        message_growth_add(&g.certificates, blob_bytes(&e->certificates[i]));
    for (size_t i = 0; i < e->n_crls; i++)
        message_growth_add(&g.crls, blob_bytes(&e->crls[i]));
    for (size_t i = 0; i < e->n_ocsps; i++)
        other_revocation_append(&more, blob_bytes(&e->ocsps[i]));
    message_growth_add(&g.crls, buffer_bytes(&more));
    g.crls.failed |= more.failed;
    r = message_write(&m, &g, ret, ret_size);
    der_buffer_free(&more);
    message_growth_clear(&g);
    return r;
}

/* ---------------------------------------------------------------------------------------------- what is there -- */

static bool has_unsigned(const Message *m, DerBytes oid) {
    size_t i = 0;
    return message_unsigned_next(&m->signer, oid, &i) != NULL;
}

int cades_level_claimed(const uint8_t *der, size_t size) {
    Message m;
    DerBytes policy_value;
    if (message_take(der, size, &m) != 0)
        return -1;
    bool stamp = has_unsigned(&m, OID_SIGNATURE_TIME_STAMP);
    bool values = has_unsigned(&m, OID_CERTIFICATE_VALUES) && has_unsigned(&m, OID_REVOCATION_VALUES) &&
                  has_unsigned(&m, OID_CERTIFICATE_REFERENCES) && has_unsigned(&m, OID_REVOCATION_REFERENCES);
    bool archive = has_unsigned(&m, OID_ARCHIVE_TIME_STAMP_V3);
    PolicyId id = {0};
    bool policy =
        message_signed_value(&m.signer, OID_SIGNATURE_POLICY, &policy_value) && policy_read(policy_value, &id);
    CadesMaterial material = values ? CADES_MATERIAL_VALUES : m.has_crls ? CADES_MATERIAL_FIELDS : CADES_MATERIAL_NONE;
    if (policy && id.policy == 0)
        return -1;
    for (int i = CADES_N_LEVELS - 1; i >= 0; i--) {
        const CadesLevelTraits *t = cades_level_traits((CadesLevel)i);
        if (i != CADES_LEVEL_P1 && t->policy == id.policy && t->stamp == stamp && t->archive == archive &&
            t->material == material)
            return i;
    }
    return -1;
}
