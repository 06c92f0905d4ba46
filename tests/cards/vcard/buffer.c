/* SPDX-License-Identifier: Apache-2.0 */
/* BER-TLV as ISO 7816-4 uses it: tags of one to three bytes, definite lengths only. An indefinite or overlong length is
 * malformed and ends the parse; nothing is ever read past the given bytes. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

void buffer_free(Buffer *buffer) {
    free(buffer->data);
    *buffer = (Buffer){0};
}

static void buffer_reserve(Buffer *buffer, size_t more) {
    if (buffer->allocated - buffer->size >= more)
        return;
    size_t wanted = (buffer->size + more) * 2;
    uint8_t *data = realloc(buffer->data, wanted);
    if (!data)
        abort();
    buffer->data = data;
    buffer->allocated = wanted;
}

void buffer_add(Buffer *buffer, Bytes bytes) {
    if (bytes.size == 0)
        return;
    buffer_reserve(buffer, bytes.size);
    memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
    buffer->size += bytes.size;
}

void buffer_add_byte(Buffer *buffer, uint8_t byte) {
    buffer_add(buffer, (Bytes){&byte, 1});
}

void buffer_add_status(Buffer *buffer, uint16_t status) {
    buffer_add_byte(buffer, (uint8_t)(status >> 8));
    buffer_add_byte(buffer, (uint8_t)status);
}

static void buffer_add_tag(Buffer *buffer, unsigned tag) {
    if (tag > 0xFFFF)
        buffer_add_byte(buffer, (uint8_t)(tag >> 16));
    if (tag > 0xFF)
        buffer_add_byte(buffer, (uint8_t)(tag >> 8));
    buffer_add_byte(buffer, (uint8_t)tag);
}

static void buffer_add_length(Buffer *buffer, size_t size) {
    if (size > 0xFFFF)
        abort();
    if (size > 0xFF)
        buffer_add_byte(buffer, 0x82);
    else if (size > 0x7F)
        buffer_add_byte(buffer, 0x81);
    if (size > 0xFF)
        buffer_add_byte(buffer, (uint8_t)(size >> 8));
    buffer_add_byte(buffer, (uint8_t)size);
}

void buffer_add_tlv(Buffer *buffer, unsigned tag, Bytes value) {
    buffer_add_tag(buffer, tag);
    buffer_add_length(buffer, value.size);
    buffer_add(buffer, value);
}

void buffer_consume(Buffer *buffer, size_t size) {
    if (size >= buffer->size) {
        buffer->size = 0;
        return;
    }
    memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
}

Bytes buffer_bytes(const Buffer *buffer) {
    return (Bytes){buffer->data, buffer->size};
}

static bool bytes_take(Bytes *rest, uint8_t *ret) {
    if (rest->size == 0)
        return false;
    *ret = rest->data[0];
    rest->data++;
    rest->size--;
    return true;
}

static bool tlv_tag(Bytes *rest, unsigned *ret) {
    uint8_t byte;
    if (!bytes_take(rest, &byte))
        return false;
    unsigned tag = byte;
    if ((byte & 0x1F) == 0x1F) {
        do {
            if (tag > 0xFFFF || !bytes_take(rest, &byte))
                return false;
            tag = tag << 8 | byte;
        } while (byte & 0x80);
    }
    *ret = tag;
    return true;
}

static bool tlv_length(Bytes *rest, size_t *ret) {
    uint8_t byte;
    if (!bytes_take(rest, &byte))
        return false;
    size_t length = byte;
    if (byte & 0x80) {
        unsigned count = byte & 0x7F;
        if (count == 0 || count > 2)
            return false;
        for (length = 0; count > 0; count--) {
            if (!bytes_take(rest, &byte))
                return false;
            length = length << 8 | byte;
        }
    }
    *ret = length;
    return length <= rest->size;
}

bool tlv_next(Bytes *rest, unsigned *ret_tag, Bytes *ret_value) {
    Bytes at = *rest;
    unsigned tag;
    size_t length;
    if (!tlv_tag(&at, &tag) || !tlv_length(&at, &length))
        return false;
    *ret_tag = tag;
    *ret_value = (Bytes){at.data, length};
    *rest = (Bytes){at.data + length, at.size - length};
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool buffer_add_hex(Buffer *buffer, const char *text) {
    size_t length = strlen(text);
    if (length % 2 != 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if (hex_digit(text[i]) < 0)
            return false;
    for (size_t i = 0; i < length; i += 2)
        buffer_add_byte(buffer, (uint8_t)(hex_digit(text[i]) << 4 | hex_digit(text[i + 1])));
    return true;
}
