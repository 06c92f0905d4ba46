/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels come from cards and names from authorities: any bytes at all. sd-bus refuses a message with bad UTF-8, and a
 * terminal obeys control characters, so both are replaced here, where the plugin's word enters our programs.
 */
#include "text.h"

#include <glib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu

typedef struct Range {
    gunichar first;
    gunichar last;
} Range;

static const Range hidden[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, /* controls */
    {0x061C, 0x061C}, {0x200E, 0x200F}, /* marks of direction */
    {0x2028, 0x202E}, {0x2066, 0x2069}, /* separators, embeddings, overrides, isolates */
    {0xFEFF, 0xFEFF}, {0xFDD0, 0xFDEF}, /* byte order mark; non-characters, which sd-bus refuses */
};

static bool character_shows(gunichar c) {
    for (size_t i = 0; i < G_N_ELEMENTS(hidden); i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return false;
    return (c & 0xFFFEu) != 0xFFFEu;
}

/* The next character, or REPLACEMENT for one byte that begins none; *s moves on. */
static gunichar character_next(const char **s, const char *end) {
    gunichar c = g_utf8_get_char_validated(*s, end - *s);
    if (c == (gunichar)-1 || c == (gunichar)-2) {
        *s += 1;
        return REPLACEMENT;
    }
    *s += g_unichar_to_utf8(c, NULL);
    return character_shows(c) ? c : REPLACEMENT;
}

char *text_clean(const char *s, size_t limit) {
    GString *clean = g_string_new(NULL);
    const char *end = s ? s + strnlen(s, limit) : NULL;
    while (s && s < end) {
        char utf8[6];
        gint n = g_unichar_to_utf8(character_next(&s, end), utf8);
        if (clean->len + (gsize)n > limit)
            break;
        g_string_append_len(clean, utf8, n);
    }
    return g_string_free(clean, FALSE);
}

bool text_is_clean(const char *s, size_t limit) {
    if (!s || strnlen(s, limit + 1) > limit || !*s)
        return false;
    g_autofree char *clean = text_clean(s, limit);
    return strcmp(s, clean) == 0;
}
