/* SPDX-License-Identifier: Apache-2.0 */
#include "code-digits.h"

#include <glib.h>
#include <string.h>

#define PASTED_MAX 256 /* bytes: no paste of fifteen digits is longer, however it was spaced */

static bool is_separator(gunichar c) {
    switch (g_unichar_type(c)) {
    case G_UNICODE_SPACE_SEPARATOR:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_DASH_PUNCTUATION:
        return true;
    default:
        /* white space outside those categories, soft hyphen, zero-width space, byte-order mark, minus sign */
        return (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xAD || c == 0x200B || c == 0xFEFF || c == 0x2212;
    }
}

bool code_normalise(const char *pasted, char ret[CODE_DIGITS + 1]) {
    char digits[CODE_DIGITS + 1] = "";
    size_t n = 0;
    if (strnlen(pasted, PASTED_MAX + 1) > PASTED_MAX || !g_utf8_validate(pasted, -1, NULL))
        return false;
    for (const char *p = pasted; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (is_separator(c))
            continue;
        if (c < '0' || c > '9' || n == CODE_DIGITS)
            return false;
        digits[n++] = (char)c;
    }
    if (n != CODE_DIGITS)
        return false;
    memcpy(ret, digits, sizeof(digits));
    return true;
}
