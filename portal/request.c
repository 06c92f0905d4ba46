/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <string.h>

#define FORM_FIELDS_MAX 64

void request_wake(Request *request) {
    request->again(request);
}

const char *request_header(const Request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *request_cookie(const Request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);
}

const char *request_query(const Request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* NULL unless the text is well-formed and holds no NUL. */
static char *decode(const char *text, size_t size) {
    g_autofree char *plain = g_strndup(text, size);

    for (char *p = plain; *p; p++)
        if (*p == '+')
            *p = ' ';
    char *decoded = g_uri_unescape_string(plain, NULL);
    if (decoded && !g_utf8_validate(decoded, -1, NULL))
        g_clear_pointer(&decoded, g_free);
    return decoded;
}

static GHashTable *parse_form(const Request *r) {
    GHashTable *form = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    /* An empty body has no bytes to point to. */
    g_autofree char *body = g_strndup(r->body_size > 0 ? (const char *)r->body : "", r->body_size);
    g_auto(GStrv) fields = g_strsplit(body, "&", FORM_FIELDS_MAX);

    for (char **field = fields; *field; field++) {
        const char *equals = strchr(*field, '=');
        if (!equals)
            continue;
        char *name = decode(*field, (size_t)(equals - *field));
        char *value = decode(equals + 1, strlen(equals + 1));
        /* Which of two equal names counts is a question better not asked. */
        if (!name || g_hash_table_contains(form, name)) {
            if (name)
                g_hash_table_replace(form, g_strdup(name), NULL);
            g_free(name);
            g_free(value);
            continue;
        }
        g_hash_table_insert(form, name, value);
    }
    return form;
}

const char *request_form(Request *r, const char *name) {
    if (strcmp(r->media_type, "application/x-www-form-urlencoded") != 0)
        return NULL;
    if (!r->form)
        r->form = parse_form(r);
    return g_hash_table_lookup(r->form, name);
}

json_t *request_json(const Request *r) {
    json_t *object = json_loadb((const char *)r->body, r->body_size, JSON_REJECT_DUPLICATES, NULL);

    if (object && !json_is_object(object)) {
        json_decref(object);
        return NULL;
    }
    return object;
}
