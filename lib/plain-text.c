/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An authority that hands out a text which could show something other than what it says would be refused by every
 * careful client, one consent after the other. So its administrator hears about it when the text is configured.
 */
#include "plain-text.h"

/* Length of the sequence that a lead byte announces, and the bits it carries; 0: no lead byte. */
static size_t sequence_length(uint8_t lead, uint32_t *ret_bits) {
    if (lead < 0x80)
        return *ret_bits = lead, 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return *ret_bits = lead & 0x1fu, 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return *ret_bits = lead & 0x0fu, 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return *ret_bits = lead & 0x07u, 4;
    return 0;
}

/* Decodes one character; returns its length, 0 when malformed. */
static size_t decode(const uint8_t *bytes, size_t size, uint32_t *ret) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = 0;
    size_t length = sequence_length(bytes[0], &c);

    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0u) != 0x80)
            return 0;
        c = c << 6 | (bytes[i] & 0x3fu);
    }
    if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return length;
}

static bool is_hidden(uint32_t c) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x08},     {0x0b, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x061c, 0x061c},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

bool plain_text_valid(const uint8_t *bytes, size_t size, bool lines) {
    size_t length = 0;

    for (size_t i = 0; i < size; i += length) {
        uint32_t c = 0;

        length = decode(bytes + i, size - i, &c);
        if (length == 0 || is_hidden(c))
            return false;
        if (!lines && (c == '\n' || c == '\t'))
            return false;
    }
    return true;
}
