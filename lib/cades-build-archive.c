/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive-time-stamp-v3 (EN 319 122-1 section 5.5.3). The index names every certificate, every revocation value and
 * every value of an unsigned attribute by its hash; it is stamped together with what was signed, and travels as an
 * unsigned attribute of the stamp itself, so that everything added afterwards is simply not in it.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "cades-build.h"
#include "cades-oids.h"
#include "eonay/plugin.h"

static bool hash_element_append(DerBuffer *b, HashKind hash, DerBytes bytes) {
    uint8_t digest[HASH_SIZE_MAX];
    if (!hash_bytes(hash, bytes, digest))
        return false;
    der_append_element(b, DER_OCTET_STRING, (DerBytes){digest, hash_size(hash)});
    return true;
}

static bool elements_index(DerBuffer *b, HashKind hash, DerBytes elements) {
    DerElement element;
    size_t from = b->size;
    while (der_read(&elements, &element))
        if (!hash_element_append(b, hash, element.whole))
            return false;
    der_wrap(b, from, DER_SEQUENCE);
    return true;
}

/* One hash for each value: of the attribute's type and the value, both with tag and length, one after the other. */
static bool attribute_index(DerBuffer *b, HashKind hash, const MessageAttribute *attribute) {
    DerElement value;
    for (DerBytes rest = attribute->values; der_read(&rest, &value);) {
        DerBuffer both = {0};
        der_append_element(&both, DER_OID, attribute->type);
        der_append(&both, value.whole);
        bool good = !both.failed && hash_element_append(b, hash, buffer_bytes(&both));
        der_buffer_free(&both);
        if (!good)
            return false;
    }
    return true;
}

bool archive_index_append(DerBuffer *b, const Message *m, HashKind hash) {
    size_t whole = b->size;
    hash_append(b, hash);
    if (!elements_index(b, hash, m->certificates) || !elements_index(b, hash, m->crls))
        return false;
    size_t attributes = b->size;
    for (size_t i = 0; i < m->signer.n_unsigned; i++)
        if (!attribute_index(b, hash, &m->signer.unsigned_attribute[i]))
            return false;
    der_wrap(b, attributes, DER_SEQUENCE);
    der_wrap(b, whole, DER_SEQUENCE);
    return !b->failed;
}

/* eContentType, the hash of the content, the signer's fixed fields, the index. */
bool archive_imprint(const Message *m, HashKind hash, DerBytes index, uint8_t ret[HASH_SIZE_MAX]) {
    uint8_t content[HASH_SIZE_MAX];
    DerBuffer b = {0};
    der_append_element(&b, DER_OID, m->content_type);
    bool good = hash_bytes(hash, m->content, content);
    der_append(&b, (DerBytes){content, hash_size(hash)});
    der_append(&b, m->signer.fixed);
    der_append(&b, index);
    good = good && !b.failed && hash_bytes(hash, buffer_bytes(&b), ret);
    der_buffer_free(&b);
    return good;
}

int cades_archive_begin(const uint8_t *der, size_t size, CadesArchive *ret) {
    Message m;
    DerBuffer index = {0};
    uint8_t imprint[HASH_SIZE_MAX];
    if (message_parse((DerBytes){der, size}, &m) || m.n_signers != 1)
        return EONAY_ERROR_SIGNATURE_INVALID;
    if (!archive_index_append(&index, &m, HASH_SHA256) ||
        !archive_imprint(&m, HASH_SHA256, buffer_bytes(&index), imprint)) {
        der_buffer_free(&index);
        return -ENOMEM;
    }
    *ret = (CadesArchive){.index = index.bytes, .index_size = index.size};
    memcpy(ret->imprint, imprint, sizeof(ret->imprint));
    return 0;
}

void cades_archive_clear(CadesArchive *archive) {
    free(archive->index);
    *archive = (CadesArchive){0};
}

/* The token with the index among its signer's unsigned attributes. */
static int token_with_index(const CadesArchive *archive, const CadesBlob *token, uint8_t **ret, size_t *ret_size) {
    Message t;
    MessageGrowth g;
    DerBuffer attribute = {0};
    if (message_parse_token(blob_bytes(token), &t) || t.n_signers != 1)
        return EONAY_ERROR_SIGNATURE_INVALID;
    attribute_append(&attribute, OID_ATS_HASH_INDEX_V3, (DerBytes){archive->index, archive->index_size});
    message_growth_init(&g, &t);
    message_growth_add(&g.unsigned_attributes, buffer_bytes(&attribute));
    g.unsigned_attributes.failed |= attribute.failed;
    int r = message_write(&t, &g, ret, ret_size);
    der_buffer_free(&attribute);
    message_growth_clear(&g);
    return r;
}

int cades_archive_finish(const uint8_t *der, size_t size, const CadesArchive *archive, const CadesBlob *token,
                         uint8_t **ret, size_t *ret_size) {
    Message m;
    MessageGrowth g;
    uint8_t *stamp = NULL;
    size_t stamp_size = 0;
    DerBuffer attribute = {0};
    if (message_parse((DerBytes){der, size}, &m) || m.n_signers != 1)
        return EONAY_ERROR_SIGNATURE_INVALID;
    int r = token_with_index(archive, token, &stamp, &stamp_size);
    if (r != 0)
        return r;
    attribute_append(&attribute, OID_ARCHIVE_TIME_STAMP_V3, (DerBytes){stamp, stamp_size});
    message_growth_init(&g, &m);
    message_growth_add(&g.unsigned_attributes, buffer_bytes(&attribute));
    g.unsigned_attributes.failed |= attribute.failed;
    r = message_write(&m, &g, ret, ret_size);
    der_buffer_free(&attribute);
    message_growth_clear(&g);
    free(stamp);
    return r;
}
