/* SPDX-License-Identifier: Apache-2.0 */
/* The signature time stamps of a message: what each stamps is the hash of the signature value. */
#include "cades-stamps.h"

#include "cades-build.h"
#include "cades-oids.h"
#include "timestamp.h"

static const char *stamp_check(const Message *m, DerBytes token, const CadesExpectation *e, Timestamp *ret) {
    CadesBlob blob = {token.p, token.n};
    uint8_t imprint[HASH_SIZE_MAX];
    TimestampExpectation expect = {.anchors = e->anchors,
                                   .n_anchors = e->n_anchors,
                                   .intermediates = e->intermediates,
                                   .n_intermediates = e->n_intermediates};
    const char *why = timestamp_verify(&blob, &expect, ret);
    if (why)
        return why;
    for (int i = 0; i < N_HASHES; i++)
        if (hash_size((HashKind)i) == ret->imprint.size && hash_bytes((HashKind)i, m->signer.signature, imprint) &&
            der_equal(blob_bytes(&ret->imprint), (DerBytes){imprint, ret->imprint.size}))
            return NULL;
    return "the time stamp stamps other bytes than the signature";
}

const char *cades_stamps_check(const uint8_t *der, size_t size, const CadesExpectation *expect, int64_t *ret_time) {
    static const CadesExpectation nothing = {0};
    Message m;
    const MessageAttribute *a;
    size_t i = 0, n = 0;
    int64_t first = INT64_MAX;
    const char *why = message_parse((DerBytes){der, size}, &m);
    if (why || m.n_signers != 1)
        return why ? why : "there is not exactly one signer";
    while ((a = message_unsigned_next(&m.signer, OID_SIGNATURE_TIME_STAMP, &i))) {
        DerElement token;
        for (DerBytes rest = a->values; der_read(&rest, &token); n++) {
            Timestamp stamp;
            why = stamp_check(&m, token.whole, expect ? expect : &nothing, &stamp);
            if (why)
                return why;
            first = stamp.time < first ? stamp.time : first;
        }
    }
    if (n == 0)
        return "there is no time stamp";
    *ret_time = first;
    return NULL;
}

static size_t tokens_add(const Message *m, DerBytes oid, CadesBlob *ret, size_t n) {
    const MessageAttribute *a;
    size_t i = 0;
    while ((a = message_unsigned_next(&m->signer, oid, &i))) {
        DerElement token;
        for (DerBytes rest = a->values; n < CADES_STAMPS_MAX && der_read(&rest, &token);)
            ret[n++] = (CadesBlob){token.whole.p, token.whole.n};
    }
    return n;
}

size_t cades_stamps_list(const uint8_t *der, size_t size, CadesBlob ret[CADES_STAMPS_MAX]) {
    Message m;
    if (message_parse((DerBytes){der, size}, &m) || m.n_signers != 1)
        return 0;
    size_t n = tokens_add(&m, OID_SIGNATURE_TIME_STAMP, ret, 0);
    return tokens_add(&m, OID_ARCHIVE_TIME_STAMP_V3, ret, n);
}
