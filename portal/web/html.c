/* SPDX-License-Identifier: Apache-2.0 */
/* A printf whose strings are escaped. g_string_append and friends are used on pages nowhere else. */
#include "html.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static const char *entity(gunichar c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* What HTML forbids as character data: controls other than tab and line ends, and noncharacters. */
static bool printable(gunichar c) {
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return !(c >= 0x7f && c <= 0x9f) && !(c >= 0xfdd0 && c <= 0xfdef) && (c & 0xfffe) != 0xfffe;
}

void html_text(GString *page, const char *text) {
    const char *p = text;

    while (p && *p) {
        gunichar c = g_utf8_get_char_validated(p, -1);
        bool valid = c != (gunichar)-1 && c != (gunichar)-2;
        const char *replacement = valid ? entity(c) : NULL;

        if (replacement)
            g_string_append(page, replacement);
        else
            g_string_append_unichar(page, valid && printable(c) ? c : 0xfffd);
        p = valid ? g_utf8_next_char(p) : p + 1;
    }
}

void html_print(GString *page, const char *format, ...) {
    const char *p = format;
    va_list args;

    va_start(args, format);
    while (*p) {
        size_t plain = strcspn(p, "%");

        g_string_append_len(page, p, (gssize)plain);
        p += plain;
        if (*p == '\0')
            break;
        p++;
        if (*p == 's')
            html_text(page, va_arg(args, const char *));
        else if (*p == 'd')
            g_string_append_printf(page, "%d", va_arg(args, int));
        else if (*p == 'u')
            g_string_append_printf(page, "%u", va_arg(args, unsigned));
        else if (*p == '%')
            g_string_append_c(page, '%');
        else if (strncmp(p, "zu", 2) == 0)
            g_string_append_printf(page, "%zu", va_arg(args, size_t)), p++;
        else if (strncmp(p, "lld", 3) == 0)
            g_string_append_printf(page, "%lld", va_arg(args, long long)), p += 2;
        else
            g_error("html_print: a conversion this printer does not have");
        p++;
    }
    va_end(args);
}
