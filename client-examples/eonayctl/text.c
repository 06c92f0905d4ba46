/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon refuses unsafe texts already. It is checked here again because a terminal obeys what it is shown: an
 * escape sequence or a bidirectional override could make the eye read another text than the one that is signed.
 */
#include "text.h"

#include <glib.h>
#include <string.h>

#include "ctl.h"

static bool character_is_safe(gunichar c) {
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return false;
    default:
        return true;
    }
}

bool text_is_safe(const char *bytes, size_t size) {
    if (!g_utf8_validate_len(bytes, size, NULL))
        return false;
    for (const char *p = bytes; p < bytes + size; p = g_utf8_next_char(p)) {
        if (*p == '\n' || *p == '\t')
            continue;
        if (*p == '\r' && p + 1 < bytes + size && p[1] == '\n') /* alone it would go back over the line */
            continue;
        if (!character_is_safe(g_utf8_get_char(p)))
            return false;
    }
    return true;
}

char *text_clean(const char *text) {
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *clean = g_string_new(NULL);
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '\n' || c == '\t' || c == '\r')
            c = ' ';
        g_string_append_unichar(clean, character_is_safe(c) ? c : 0xFFFD);
    }
    return g_string_free(clean, FALSE);
}

static unsigned character_width(gunichar c) {
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

unsigned text_width(const char *text) {
    unsigned width = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        width += character_width(g_utf8_get_char(p));
    return width;
}

char *text_cut(const char *text, unsigned width) {
    if (text_width(text) <= width)
        return g_strdup(text);
    unsigned used = 1; /* the ellipsis */
    const char *p = text;
    for (; *p; p = g_utf8_next_char(p)) {
        used += character_width(g_utf8_get_char(p));
        if (used > width)
            break;
    }
    g_autofree char *kept = g_strndup(text, (gsize)(p - text));
    return g_strconcat(kept, "…", NULL);
}

/* An RFC 2253 value up to its unescaped comma; pairs of hex digits are bytes of UTF-8. */
static char *unescape_value(const char *p) {
    GString *value = g_string_new(NULL);
    for (; *p && *p != ',' && *p != '+'; p++) {
        if (*p != '\\' || !p[1]) {
            g_string_append_c(value, *p);
        } else if (g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            g_string_append_c(value, (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2])));
            p += 2;
        } else {
            g_string_append_c(value, *++p);
        }
    }
    char *clean = text_clean(value->str);
    g_string_free(value, TRUE);
    return clean;
}

char *text_common_name(const char *name) {
    for (const char *p = name; *p; p++) {
        bool begins = p == name || ((p[-1] == ',' || p[-1] == '+') && (p < name + 2 || p[-2] != '\\'));
        if (begins && strncmp(p, "CN=", 3) == 0)
            return unescape_value(p + 3);
    }
    return text_clean(name);
}

static char *format_time(int64_t usec, const char *format) {
    if (usec <= 0)
        return g_strdup("-");
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(usec / (int64_t)USEC_PER_SEC);
    char *text = time ? g_date_time_format(time, format) : NULL;
    return text ? text : g_strdup("-");
}

char *text_time(int64_t usec) {
    /* TRANSLATORS: date and time of g_date_time_format(), in the usual order of the country */
    return format_time(usec, _("%Y-%m-%d %H:%M:%S"));
}

char *text_date(int64_t usec) {
    /* TRANSLATORS: a date of g_date_time_format(), in the usual order of the country */
    return format_time(usec, _("%Y-%m-%d"));
}

int64_t text_seconds_left(int64_t usec) {
    int64_t left = usec - g_get_real_time();
    return left > 0 ? left / (int64_t)USEC_PER_SEC : 0;
}
