/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes, and BER-TLV on top of them: enough of both for a smart card. Running out of memory ends the program:
 * it is a test tool and every size is bounded by a 16-bit length on the wire. */
#ifndef VCARD_BUFFER_H
#define VCARD_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Buffer {
    uint8_t *data;
    size_t size;
    size_t allocated;
} Buffer;

typedef struct Bytes {
    const uint8_t *data;
    size_t size;
} Bytes;

#define BYTES(array) ((Bytes){(array), sizeof(array)})

void buffer_free(Buffer *buffer);
#define _cleanup_buffer_ __attribute__((cleanup(buffer_free)))

void buffer_add(Buffer *buffer, Bytes bytes);
void buffer_add_byte(Buffer *buffer, uint8_t byte);
void buffer_add_status(Buffer *buffer, uint16_t status);
/* The value is copied; a NULL value of size 0 is an empty element. */
void buffer_add_tlv(Buffer *buffer, unsigned tag, Bytes value);
/* Forgets the first bytes, keeps the rest. */
void buffer_consume(Buffer *buffer, size_t size);
Bytes buffer_bytes(const Buffer *buffer);

/* Takes the next element off `rest`. False at the end or when the element is malformed. */
bool tlv_next(Bytes *rest, unsigned *ret_tag, Bytes *ret_value);

/* Text of hexadecimal digits, no spaces. False (nothing appended) when odd or with other characters. */
bool buffer_add_hex(Buffer *buffer, const char *text);

#endif
