/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside lib/ only: DER (ITU-T X.690), read strictly and written. Reading accepts low tag numbers and definite, minimal
 * lengths below 4 GiB, nothing else; elements point into the bytes read. Writing appends contents first and wraps
 * them into their tag and length afterwards.
 */
#ifndef EONAY_LIB_DER_H
#define EONAY_LIB_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT_0 = 0xa0, /* constructed */
    DER_CONTEXT_1 = 0xa1,
    DER_CONTEXT_2 = 0xa2,
    DER_CONTEXT_4 = 0xa4,
    DER_CONTEXT_0_PRIMITIVE = 0x80,
};

typedef struct DerBytes {
    const uint8_t *p;
    size_t n;
} DerBytes;

#define DER_BYTES(...) ((DerBytes){(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})})

typedef struct DerElement {
    uint8_t tag;
    DerBytes value;
    DerBytes whole; /* with tag and length */
} DerElement;

bool der_equal(DerBytes a, DerBytes b);
/* The order of DER's SET OF: negative, 0, positive. */
int der_compare(DerBytes a, DerBytes b);

/* Takes the first element off *in. On failure *in and *ret are untouched. */
bool der_read(DerBytes *in, DerElement *ret);
/* The same when it has this tag. */
bool der_read_tag(DerBytes *in, uint8_t tag, DerElement *ret);
/* The same, the contents only. */
bool der_read_value(DerBytes *in, uint8_t tag, DerBytes *ret);
bool der_next_is(DerBytes in, uint8_t tag);
/* Contents of an INTEGER: minimal and between 0 and 2^31 - 1. */
bool der_small_integer(DerBytes value, uint32_t *ret);
/* Reads a whole SET OF contents: counts, and requires DER's order. */
bool der_set_check(DerBytes contents, size_t *ret_n);

typedef struct DerBuffer {
    uint8_t *bytes; /* malloc() */
    size_t size;
    size_t capacity;
    bool failed; /* memory ran out: everything since is void */
} DerBuffer;

void der_buffer_free(DerBuffer *b);
void der_append(DerBuffer *b, DerBytes bytes);
/* Puts tag and length before everything appended since the buffer had the size `from`. */
void der_wrap(DerBuffer *b, size_t from, uint8_t tag);
/* One primitive element. */
void der_append_element(DerBuffer *b, uint8_t tag, DerBytes contents);

#endif
