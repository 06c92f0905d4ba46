/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ats-hash-index-v3 (EN 319 122-1 section 5.5.2) read. What it names has to be in the message, to the last byte; what
 * it does not name was added later and is not covered.
 */
#include "cades-build.h"
#include "verify-internal.h"

typedef struct Index {
    HashKind hash;
    DerBytes certificates, crls, attributes; /* contents of SEQUENCE OF OCTET STRING */
} Index;

static bool index_read(DerBytes bytes, Index *ret) {
    DerBytes sequence;
    DerElement algorithm;
    return der_read_value(&bytes, DER_SEQUENCE, &sequence) && bytes.n == 0 &&
           der_read_tag(&sequence, DER_SEQUENCE, &algorithm) && hash_from_der(algorithm.whole, &ret->hash) &&
           der_read_value(&sequence, DER_SEQUENCE, &ret->certificates) &&
           der_read_value(&sequence, DER_SEQUENCE, &ret->crls) &&
           der_read_value(&sequence, DER_SEQUENCE, &ret->attributes) && sequence.n == 0;
}

static bool hash_listed(DerBytes list, const uint8_t *hash, size_t n) {
    DerBytes listed;
    while (der_read_value(&list, DER_OCTET_STRING, &listed))
        if (der_equal(listed, (DerBytes){hash, n}))
            return true;
    return false;
}

static size_t list_count(DerBytes list) {
    DerElement element;
    size_t n = 0;
    while (der_read_tag(&list, DER_OCTET_STRING, &element))
        n++;
    return list.n == 0 ? n : SIZE_MAX;
}

static bool element_listed(HashKind hash, DerBytes list, DerBytes bytes) {
    uint8_t digest[HASH_SIZE_MAX];
    return hash_bytes(hash, bytes, digest) && hash_listed(list, digest, hash_size(hash));
}

static bool attribute_listed(const Index *index, DerBytes type, DerBytes value) {
    DerBuffer both = {0};
    der_append_element(&both, DER_OID, type);
    der_append(&both, value);
    bool listed = !both.failed && element_listed(index->hash, index->attributes, (DerBytes){both.bytes, both.size});
    der_buffer_free(&both);
    return listed;
}

/* How many of the elements are listed. Elements differ from each other: sets hold each once, or the message is odd and
 * the count does not come out. */
static size_t elements_listed(HashKind hash, DerBytes list, DerBytes elements) {
    DerElement element;
    size_t n = 0;
    while (der_read(&elements, &element))
        n += element_listed(hash, list, element.whole);
    return n;
}

static size_t attributes_listed(const Index *index, const MessageSigner *s) {
    DerElement value;
    size_t n = 0;
    for (size_t i = 0; i < s->n_unsigned; i++)
        for (DerBytes rest = s->unsigned_attribute[i].values; der_read(&rest, &value);)
            n += attribute_listed(index, s->unsigned_attribute[i].type, value.whole);
    return n;
}

const char *verify_index_check(const Verify *v, const VerifyToken *t) {
    Index index;
    if (t->index.n == 0)
        return "the archive time stamp has no ats-hash-index-v3";
    if (!index_read(t->index, &index))
        return "ats-hash-index-v3 is not well-formed";
    if (!t->info.imprint_hash || t->info.imprint.size != hash_size(index.hash))
        return "ats-hash-index-v3 has another hash than the time stamp";
    if (elements_listed(index.hash, index.certificates, v->message.certificates) != list_count(index.certificates))
        return "a certificate that the archive time stamp covers is missing or changed";
    if (elements_listed(index.hash, index.crls, v->message.crls) != list_count(index.crls))
        return "a revocation value that the archive time stamp covers is missing or changed";
    if (attributes_listed(&index, &v->message.signer) != list_count(index.attributes))
        return "an unsigned attribute that the archive time stamp covers is missing or changed";
    return NULL;
}

bool verify_index_covers_attribute(const VerifyToken *t, DerBytes type, DerBytes value) {
    Index index;
    return t->index.n > 0 && index_read(t->index, &index) && attribute_listed(&index, type, value);
}

bool verify_index_covers_crl(const VerifyToken *t, DerBytes element) {
    Index index;
    return t->index.n > 0 && index_read(t->index, &index) && element_listed(index.hash, index.crls, element);
}
