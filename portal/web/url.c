/* SPDX-License-Identifier: Apache-2.0 */
#include "url.h"

#include <string.h>

static void pair(GString *s, char separator, const char *name, const char *value) {
    if (separator)
        g_string_append_c(s, separator);
    g_string_append_uri_escaped(s, name, NULL, FALSE);
    g_string_append_c(s, '=');
    g_string_append_uri_escaped(s, value, NULL, FALSE);
}

void url_append(GString *url, const char *name, const char *value) {
    pair(url, strchr(url->str, '?') ? '&' : '?', name, value);
}

void form_append(GString *form, const char *name, const char *value) {
    pair(form, form->len > 0 ? '&' : '\0', name, value);
}
