/* SPDX-License-Identifier: Apache-2.0 */
#include "cades-policy.h"

#include <string.h>

#include "cades-level.h"
#include "cades-oids.h"
#include "signature-algorithm.h"

/* 2.16.792.1.61.0.1.5070.3.x.1 */
#define OID_POLICY(x) DER_BYTES(0x60, 0x86, 0x18, 0x01, 0x3d, 0x00, 0x01, 0xa7, 0x4e, 0x03, (x), 0x01)

void policy_append(DerBuffer *b, uint8_t policy) {
    size_t whole = b->size;
    der_append_element(b, DER_OID, OID_POLICY(policy));
    size_t hash = b->size;
    hash_append(b, HASH_SHA256);
    der_append_element(b, DER_OCTET_STRING, (DerBytes){cades_policy_hash, sizeof(cades_policy_hash)});
    der_wrap(b, hash, DER_SEQUENCE);
    size_t qualifiers = b->size;
    der_append_element(b, DER_OID, OID_SPQ_URI);
    der_append_element(b, DER_IA5_STRING, (DerBytes){(const uint8_t *)CADES_POLICY_URI, strlen(CADES_POLICY_URI)});
    der_wrap(b, qualifiers, DER_SEQUENCE);
    der_wrap(b, qualifiers, DER_SEQUENCE);
    der_wrap(b, whole, DER_SEQUENCE);
}

/* SigPolicyQualifiers: any kinds, the address is kept. */
static bool qualifiers_read(DerBytes qualifiers, PolicyId *p) {
    DerBytes qualifier, oid;
    DerElement value;
    while (qualifiers.n > 0) {
        if (!der_read_value(&qualifiers, DER_SEQUENCE, &qualifier) || !der_read_value(&qualifier, DER_OID, &oid))
            return false;
        if (!der_read(&qualifier, &value) || qualifier.n > 0)
            return false;
        if (der_equal(oid, OID_SPQ_URI) && value.tag == DER_IA5_STRING)
            p->uri = value.value;
    }
    return true;
}

bool policy_read(DerBytes value, PolicyId *ret) {
    DerBytes sequence, hash, qualifiers;
    DerElement algorithm;
    HashKind kind;
    PolicyId p = {0};
    if (!der_read_value(&value, DER_SEQUENCE, &sequence) || value.n > 0 || !der_read_value(&sequence, DER_OID, &p.oid))
        return false;
    if (!der_read_value(&sequence, DER_SEQUENCE, &hash) || !der_read_tag(&hash, DER_SEQUENCE, &algorithm) ||
        !der_read_value(&hash, DER_OCTET_STRING, &p.hash) || hash.n > 0)
        return false;
    if (sequence.n > 0 &&
        (!der_read_value(&sequence, DER_SEQUENCE, &qualifiers) || sequence.n > 0 || !qualifiers_read(qualifiers, &p)))
        return false;
    p.hash_algorithm = algorithm.whole;
    for (uint8_t i = 1; i <= 3; i++)
        if (der_equal(p.oid, OID_POLICY(i)))
            p.policy = i;
    p.hash_right = hash_from_der(algorithm.whole, &kind) && kind == HASH_SHA256 &&
                   der_equal(p.hash, (DerBytes){cades_policy_hash, sizeof(cades_policy_hash)});
    *ret = p;
    return true;
}
