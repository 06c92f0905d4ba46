/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signature that can be encoded in two ways can be made to look different without being broken, and readers that
 * guess differ from each other. So there is one reader here, it takes the one permitted encoding, and it never recurses
 * by itself: callers walk exactly the structure that they expect.
 */
#include "der.h"

#include <stdlib.h>
#include <string.h>

bool der_equal(DerBytes a, DerBytes b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int der_compare(DerBytes a, DerBytes b) {
    size_t common = a.n < b.n ? a.n : b.n;
    int order = common == 0 ? 0 : memcmp(a.p, b.p, common);
    if (order != 0 || a.n == b.n)
        return order;
    return a.n < b.n ? -1 : 1;
}

/* The length octets at p, n of them at hand: their number in *ret_octets, 0 when they are not DER. */
static size_t length_read(const uint8_t *p, size_t n, size_t *ret_octets) {
    *ret_octets = 0;
    if (n == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret_octets = 1;
        return p[0];
    }
    size_t more = p[0] & 0x7fu;
    if (more == 0 || more > 4 || more >= n || p[1] == 0)
        return 0;
    size_t length = 0;
    for (size_t i = 1; i <= more; i++)
        length = length << 8 | p[i];
    if (length < 0x80)
        return 0;
    *ret_octets = more + 1;
    return length;
}

bool der_read(DerBytes *in, DerElement *ret) {
    if (in->n < 2 || (in->p[0] & 0x1fu) == 0x1fu)
        return false;
    size_t octets;
    size_t length = length_read(in->p + 1, in->n - 1, &octets);
    if (octets == 0 || length > in->n - 1 - octets)
        return false;
    size_t header = 1 + octets;
    *ret = (DerElement){in->p[0], {in->p + header, length}, {in->p, header + length}};
    in->p += header + length;
    in->n -= header + length;
    return true;
}

bool der_next_is(DerBytes in, uint8_t tag) {
    return in.n > 0 && in.p[0] == tag;
}

bool der_read_tag(DerBytes *in, uint8_t tag, DerElement *ret) {
    return der_next_is(*in, tag) && der_read(in, ret);
}

bool der_read_value(DerBytes *in, uint8_t tag, DerBytes *ret) {
    DerElement element;
    if (!der_read_tag(in, tag, &element))
        return false;
    *ret = element.value;
    return true;
}

bool der_small_integer(DerBytes value, uint32_t *ret) {
    if (value.n == 0 || value.n > 4 || value.p[0] >= 0x80)
        return false;
    if (value.n > 1 && value.p[0] == 0 && value.p[1] < 0x80)
        return false;
    uint32_t number = 0;
    for (size_t i = 0; i < value.n; i++)
        number = number << 8 | value.p[i];
    *ret = number;
    return true;
}

bool der_set_check(DerBytes contents, size_t *ret_n) {
    DerElement element, previous = {0};
    size_t n = 0;
    for (; contents.n > 0; n++) {
        if (!der_read(&contents, &element))
            return false;
        if (n > 0 && der_compare(previous.whole, element.whole) > 0)
            return false;
        previous = element;
    }
    *ret_n = n;
    return true;
}

void der_buffer_free(DerBuffer *b) {
    free(b->bytes);
    *b = (DerBuffer){0};
}

static bool buffer_reserve(DerBuffer *b, size_t more) {
    if (b->failed)
        return false;
    if (b->capacity - b->size >= more)
        return true;
    size_t capacity = (b->size + more) * 2 + 256;
    uint8_t *bytes = realloc(b->bytes, capacity);
    if (!bytes) {
        b->failed = true;
        return false;
    }
    b->bytes = bytes;
    b->capacity = capacity;
    return true;
}

void der_append(DerBuffer *b, DerBytes bytes) {
    if (bytes.n == 0 || !buffer_reserve(b, bytes.n))
        return;
    memcpy(b->bytes + b->size, bytes.p, bytes.n);
    b->size += bytes.n;
}

static size_t header_write(uint8_t *header, uint8_t tag, size_t length) {
    size_t octets = 0;
    header[0] = tag;
    if (length < 0x80) {
        header[1] = (uint8_t)length;
        return 2;
    }
    for (size_t rest = length; rest > 0; rest >>= 8)
        octets++;
    header[1] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++)
        header[2 + i] = (uint8_t)(length >> (8 * (octets - 1 - i)));
    return 2 + octets;
}

void der_wrap(DerBuffer *b, size_t from, uint8_t tag) {
    uint8_t header[2 + sizeof(size_t)];
    if (b->failed)
        return;
    size_t n = header_write(header, tag, b->size - from);
    if (!buffer_reserve(b, n))
        return;
    memmove(b->bytes + from + n, b->bytes + from, b->size - from);
    memcpy(b->bytes + from, header, n);
    b->size += n;
}

void der_append_element(DerBuffer *b, uint8_t tag, DerBytes contents) {
    size_t from = b->size;
    der_append(b, contents);
    der_wrap(b, from, tag);
}
