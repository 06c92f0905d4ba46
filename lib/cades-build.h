/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: a message written anew around the parts that no addition may change. */
#ifndef EONAY_LIB_CADES_BUILD_H
#define EONAY_LIB_CADES_BUILD_H

#include "cades-message.h"
#include "cades-upgrade.h"
#include "signature-algorithm.h"

/* The contents of the three sets that grow; as buffers in DER's order. */
typedef struct MessageGrowth {
    DerBuffer certificates, crls, unsigned_attributes;
} MessageGrowth;

/* Starts with what the message has. Always to be released with message_growth_clear(). */
void message_growth_init(MessageGrowth *g, const Message *m);
void message_growth_clear(MessageGrowth *g);
/* Adds whole elements to one of them. */
void message_growth_add(DerBuffer *set, DerBytes elements);
/* Writes everything; 0 or -ENOMEM. */
int message_write(const Message *m, const MessageGrowth *g, uint8_t **ret, size_t *ret_size);

/* Appends an Attribute with this one value. */
void attribute_append(DerBuffer *b, DerBytes oid, DerBytes value);
/* Appends OtherHash with SHA-256 (TS 101 733 section 6.2.1) of these bytes; false when they cannot be hashed. */
bool other_hash_append(DerBuffer *b, DerBytes bytes);
/* BasicOCSPResponse inside an OCSPResponse (RFC 6960 section 4.2.1) that was successful. */
bool ocsp_basic_find(DerBytes response, DerBytes *ret);
/*
 * ats-hash-index-v3 of everything the message has, written; and of one of its contents, the imprint that an archive
 * time stamp with this hash and this index (whole DER) has. False when something cannot be hashed.
 */
bool archive_index_append(DerBuffer *b, const Message *m, HashKind hash);
bool archive_imprint(const Message *m, HashKind hash, DerBytes index, uint8_t ret[HASH_SIZE_MAX]);

static inline DerBytes buffer_bytes(const DerBuffer *b) {
    return (DerBytes){b->bytes, b->size};
}

static inline DerBytes blob_bytes(const CadesBlob *b) {
    return (DerBytes){b->bytes, b->size};
}

#endif
