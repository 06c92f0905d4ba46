/* SPDX-License-Identifier: Apache-2.0 */
#include "code-entry.h"

#include "util.h"

static gboolean is_dropped(gunichar c) {
    return g_unichar_isspace(c) || g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR ||
           g_unichar_type(c) == G_UNICODE_DASH_PUNCTUATION || g_unichar_iszerowidth(c) || c == 0x2028 || c == 0x2029 ||
           c == 0x85;
}

char *code_entry_digits(const char *typed, guint *ret_count) {
    g_autoptr(GString) digits = g_string_new(NULL);
    gboolean clean = TRUE;
    for (const char *p = typed; *p; p = g_utf8_next_char(p)) {
        if (ascii_isdigit(*p))
            g_string_append_c(digits, *p);
        else if (!is_dropped(g_utf8_get_char(p)))
            clean = FALSE;
    }
    if (ret_count)
        *ret_count = (guint)digits->len;
    return clean ? g_strdup(digits->str) : NULL;
}
