/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>

#include "digest.h"

Text *text_new(const char *title, const char *media_type, GBytes *bytes) {
    Text *t = g_new0(Text, 1);
    t->title = g_strdup(title);
    t->media_type = g_strdup(media_type);
    t->bytes = g_bytes_ref(bytes);
    t->sha256 = digest_hex_of_bytes(bytes);
    return t;
}

void text_free(Text *t) {
    if (!t)
        return;
    g_free(t->title);
    g_free(t->media_type);
    g_free(t->sha256);
    g_bytes_unref(t->bytes);
    g_free(t);
}

static bool character_is_safe(gunichar c, gunichar next) {
    if (c == '\n' || c == '\t')
        return true;
    if (c == '\r')
        return next == '\n'; /* alone it would overwrite the line */
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_UNASSIGNED:
        return false;
    default:
        return true;
    }
}

bool text_is_safe(const void *bytes, size_t size) {
    const char *p = bytes, *end = p + size;
    if (size == 0 || !g_utf8_validate_len(p, size, NULL))
        return false;
    while (p < end) {
        gunichar c = g_utf8_get_char(p);
        p = g_utf8_next_char(p);
        if (!character_is_safe(c, p < end ? g_utf8_get_char(p) : 0))
            return false;
    }
    return true;
}
