/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of CK_INFO, CK_SLOT_INFO and CK_TOKEN_INFO are blank-padded UTF-8 by the standard and any bytes in the
 * field: some modules pad with NUL, some write the code page of the machine they were compiled on.
 */
#include "text.h"

#include <string.h>

/* Length of the well-formed sequence at `in` (RFC 3629 section 4), 0 when there is none. */
static size_t sequence_length(const unsigned char *in, size_t size) {
    unsigned char low = 0x80, high = 0xBF;
    size_t n;

    if (in[0] < 0x80)
        return 1;
    if (in[0] >= 0xC2 && in[0] <= 0xDF)
        n = 2;
    else if (in[0] >= 0xE0 && in[0] <= 0xEF)
        n = 3;
    else if (in[0] >= 0xF0 && in[0] <= 0xF4)
        n = 4;
    else
        return 0;
    if (in[0] == 0xE0)
        low = 0xA0;
    else if (in[0] == 0xED)
        high = 0x9F;
    else if (in[0] == 0xF0)
        low = 0x90;
    else if (in[0] == 0xF4)
        high = 0x8F;
    if (n > size || in[1] < low || in[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (in[i] < 0x80 || in[i] > 0xBF)
            return 0;
    return n;
}

static unsigned long sequence_value(const unsigned char *in, size_t length) {
    if (length == 1)
        return in[0];
    unsigned long value = in[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        value = value << 6 | (in[i] & 0x3F);
    return value;
}

/* Controls, what turns the direction of writing, the byte order mark and numbers that are no characters: the host takes
 * no key with one of them in it. */
static int is_hidden(const unsigned char *in, size_t length) {
    static const unsigned long ranges[][2] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F},
                                              {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFEFF, 0xFEFF}, {0xFDD0, 0xFDEF}};
    unsigned long value = sequence_value(in, length);

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (value >= ranges[i][0] && value <= ranges[i][1])
            return 1;
    return (value & 0xFFFE) == 0xFFFE;
}

void text_clean(const unsigned char *in, size_t size, char *out, size_t out_size) {
    size_t used = 0;

    while (size > 0 && (in[size - 1] == ' ' || in[size - 1] == '\0'))
        size--;
    while (size > 0) {
        size_t length = sequence_length(in, size);
        int keep = length > 0 && !is_hidden(in, length);
        size_t wanted = keep ? length : 1;
        if (used + wanted >= out_size)
            break;
        if (keep)
            memcpy(out + used, in, length);
        else
            out[used] = '?';
        used += wanted;
        in += length > 0 ? length : 1;
        size -= length > 0 ? length : 1;
    }
    out[used] = '\0';
}
