/* SPDX-License-Identifier: Apache-2.0 */
/* A D-Bus message is walked by its own types; nesting is bounded by the bus (64 levels), size by the message. */
#include "json.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>

static int read_value(sd_bus_message *m, char type, const char *contents, json_t **ret);

static json_t *unsigned_value(uint64_t value) {
    return json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
}

static int read_basic(sd_bus_message *m, char type, json_t **ret) {
    union {
        uint8_t y;
        int b;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        const char *s;
    } v = {0};
    if (type == 'h') { /* means nothing outside this process */
        int r = sd_bus_message_skip(m, "h");
        *ret = json_null();
        return r < 0 ? r : 0;
    }
    int r = sd_bus_message_read_basic(m, type, &v);
    if (r < 0)
        return r;
    switch (type) {
    case 'y':
        *ret = json_integer(v.y);
        break;
    case 'b':
        *ret = json_boolean(v.b);
        break;
    case 'n':
        *ret = json_integer(v.n);
        break;
    case 'q':
        *ret = json_integer(v.q);
        break;
    case 'i':
        *ret = json_integer(v.i);
        break;
    case 'u':
        *ret = json_integer(v.u);
        break;
    case 'x':
        *ret = json_integer(v.x);
        break;
    case 't':
        *ret = unsigned_value(v.t);
        break;
    case 'd':
        *ret = json_real(v.d);
        break;
    default: /* s, o, g: valid UTF-8, the bus sees to it */
        *ret = json_string(v.s);
    }
    return *ret ? 0 : -EBADMSG;
}

static int read_bytes(sd_bus_message *m, json_t **ret) {
    const void *bytes = NULL;
    size_t size = 0;
    int r = sd_bus_message_read_array(m, 'y', &bytes, &size);
    if (r < 0)
        return r;
    g_autofree char *text = g_base64_encode(bytes, size);
    *ret = json_string(text);
    return 0;
}

/* One {key, value}; keys of other basic types become their text. */
static int read_entry(sd_bus_message *m, const char *contents, json_t *object) {
    json_t *key = NULL, *value = NULL;
    int r = sd_bus_message_enter_container(m, 'e', contents);
    if (r >= 0)
        r = read_value(m, contents[0], NULL, &key);
    char type = 0;
    const char *inner = NULL;
    if (r >= 0)
        r = sd_bus_message_peek_type(m, &type, &inner);
    if (r >= 0)
        r = read_value(m, type, inner, &value);
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r >= 0 && json_is_string(key))
        json_object_set(object, json_string_value(key), value);
    json_decref(key);
    json_decref(value);
    return r < 0 ? r : 0;
}

static int read_elements(sd_bus_message *m, json_t *into) {
    for (;;) {
        char type = 0;
        const char *inner = NULL;
        int r = sd_bus_message_peek_type(m, &type, &inner);
        if (r <= 0)
            return r;
        if (type == 'e') {
            r = read_entry(m, inner, into);
        } else {
            json_t *element = NULL;
            r = read_value(m, type, inner, &element);
            if (r >= 0)
                json_array_append_new(into, element);
        }
        if (r < 0)
            return r;
    }
}

static int read_container(sd_bus_message *m, char type, const char *contents, json_t **ret) {
    json_t *into = type == 'a' && contents[0] == '{' ? json_object() : json_array();
    g_autofree char *inside = g_strdup(contents); /* the message's copy moves on while it is read */
    int r = sd_bus_message_enter_container(m, type, inside);
    if (r >= 0)
        r = read_elements(m, into);
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r < 0) {
        json_decref(into);
        return r;
    }
    *ret = into;
    return 0;
}

static int read_variant(sd_bus_message *m, const char *contents, json_t **ret) {
    g_autofree char *inside = g_strdup(contents);
    json_t *value = NULL;
    char type = 0;
    const char *inner = NULL;
    int r = sd_bus_message_enter_container(m, 'v', inside);
    if (r >= 0)
        r = sd_bus_message_peek_type(m, &type, &inner);
    if (r >= 0)
        r = read_value(m, type, inner, &value);
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r < 0) {
        json_decref(value);
        return r;
    }
    *ret = value;
    return 0;
}

static int read_value(sd_bus_message *m, char type, const char *contents, json_t **ret) {
    if (type == 'v')
        return read_variant(m, contents, ret);
    if (type == 'a' && contents[0] == 'y' && contents[1] == '\0')
        return read_bytes(m, ret);
    if (type == 'a' || type == 'r')
        return read_container(m, type, contents, ret);
    return read_basic(m, type, ret);
}

int json_read(sd_bus_message *m, json_t **ret) {
    char type = 0;
    const char *contents = NULL;
    int r = sd_bus_message_peek_type(m, &type, &contents);
    if (r <= 0)
        return r < 0 ? r : -ENODATA;
    return read_value(m, type, contents, ret);
}

char *json_text(const json_t *value) {
    char *dump = json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *text = g_strdup(dump ? dump : "null");
    free(dump);
    return text;
}

void json_print(json_t *value) {
    g_autofree char *text = json_text(value);
    puts(text);
    fflush(stdout);
    json_decref(value);
}

const char *json_get_string(const json_t *object, const char *key, const char *fallback) {
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : fallback;
}

int64_t json_get_integer(const json_t *object, const char *key, int64_t fallback) {
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_get_bool(const json_t *object, const char *key, bool fallback) {
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}
