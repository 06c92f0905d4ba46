/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ES-X Long (TS 101 733 sections 6.2 and 6.3): the references name certificates and revocation values by their hash.
 * All that is referenced has to be among the values, and the chain above the signer has to be referenced.
 */
#include <openssl/evp.h>

#include "cades-build.h"
#include "cades-oids.h"
#include "verify-internal.h"

typedef struct Reference {
    const EVP_MD *md;
    DerBytes hash;
} Reference;

/* OtherHash: OtherHashAlgAndValue, or an OCTET STRING that is SHA-1. */
static bool other_hash_read(DerBytes *in, Reference *ret) {
    DerBytes sequence;
    DerElement algorithm;
    HashKind kind;
    ret->md = EVP_sha1();
    if (der_read_value(in, DER_OCTET_STRING, &ret->hash))
        return true;
    if (!der_read_value(in, DER_SEQUENCE, &sequence) || !der_read_tag(&sequence, DER_SEQUENCE, &algorithm) ||
        !hash_from_der(algorithm.whole, &kind) || !der_read_value(&sequence, DER_OCTET_STRING, &ret->hash))
        return false;
    ret->md = hash_md(kind);
    return sequence.n == 0;
}

static bool names(const Reference *r, DerBytes bytes) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    return EVP_Digest(bytes.p, bytes.n, digest, &n, r->md, NULL) == 1 && der_equal(r->hash, (DerBytes){digest, n});
}

static bool only_value(const MessageSigner *s, DerBytes type, DerBytes *ret) {
    size_t i = 0;
    const MessageAttribute *a = message_unsigned_next(s, type, &i);
    if (!a || a->n_values != 1 || message_unsigned_next(s, type, &i))
        return false;
    DerBytes values = a->values;
    return der_read_value(&values, DER_SEQUENCE, ret);
}

static bool pool_has(const Verify *v, const Reference *r) {
    for (size_t i = 0; i < v->n_pool; i++)
        if (names(r, (DerBytes){v->pool[i].bytes, v->pool[i].size}))
            return true;
    return false;
}

static bool chain_named(const VerifyChain *c, DerBytes references) {
    DerBytes reference;
    Reference r;
    for (size_t i = 1; i < c->n; i++) {
        bool named = false;
        DerBytes rest = references;
        while (!named && der_read_value(&rest, DER_SEQUENCE, &reference))
            named = other_hash_read(&reference, &r) &&
                    names(&r, (DerBytes){c->certificate[i].bytes, c->certificate[i].size});
        if (!named)
            return false;
    }
    return true;
}

static const char *certificates_check(const Verify *v, const VerifyChain *c) {
    DerBytes references, reference, rest;
    Reference r;
    if (!only_value(&v->message.signer, OID_CERTIFICATE_REFERENCES, &references))
        return "complete-certificate-references is not there once";
    for (rest = references; rest.n > 0;) {
        if (!der_read_value(&rest, DER_SEQUENCE, &reference) || !other_hash_read(&reference, &r))
            return "a certificate reference is not well-formed";
        if (!pool_has(v, &r))
            return "a referenced certificate is not there";
    }
    return chain_named(c, references) ? NULL : "a certificate of the chain is not referenced";
}

static bool material_has(const Verify *v, const Reference *r, bool ocsp) {
    for (size_t i = 0; i < v->n_material; i++) {
        const VerifyMaterial *m = &v->material[i];
        if (m->embedded && m->ocsp == ocsp && names(r, (DerBytes){m->bytes.bytes, m->bytes.size}))
            return true;
    }
    return false;
}

/* CrlOcspRef { [0] CRLListID { SEQUENCE OF CrlValidatedID }, [1] OcspListID { SEQUENCE OF OcspResponsesID } } */
static const char *revocation_reference_check(const Verify *v, DerBytes choice) {
    DerBytes tagged, list_id, list, id;
    DerElement identifier;
    Reference r;
    for (int ocsp = 0; ocsp <= 1; ocsp++) {
        if (!der_read_value(&choice, ocsp ? DER_CONTEXT_1 : DER_CONTEXT_0, &tagged))
            continue;
        if (!der_read_value(&tagged, DER_SEQUENCE, &list_id) || !der_read_value(&list_id, DER_SEQUENCE, &list))
            return "a revocation reference is not well-formed";
        while (list.n > 0) {
            if (!der_read_value(&list, DER_SEQUENCE, &id) || (ocsp && !der_read_tag(&id, DER_SEQUENCE, &identifier)) ||
                !other_hash_read(&id, &r))
                return "a revocation reference is not well-formed";
            if (!material_has(v, &r, ocsp))
                return "a referenced revocation value is not there";
        }
    }
    return NULL;
}

const char *verify_references_check(const Verify *v, const VerifyChain *c) {
    DerBytes references, choice;
    const char *why = certificates_check(v, c);
    if (why)
        return why;
    if (!only_value(&v->message.signer, OID_REVOCATION_REFERENCES, &references))
        return "complete-revocation-references is not there once";
    while (!why && references.n > 0)
        why = der_read_value(&references, DER_SEQUENCE, &choice) ? revocation_reference_check(v, choice)
                                                                 : "a revocation reference is not well-formed";
    return why;
}
