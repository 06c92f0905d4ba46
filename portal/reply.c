/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "request.h"

struct Reply {
    unsigned status;
    struct MHD_Response *response;
};

/* Pages set a wider Content-Security-Policy of their own with reply_header(), which replaces. */
static const char *const header_defaults[][2] = {
    {"X-Content-Type-Options", "nosniff"}, {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cache-Control", "no-store"},         {"Strict-Transport-Security", "max-age=31536000"},
};

static Reply *reply_of(unsigned status, struct MHD_Response *response, const char *media_type) {
    Reply *reply = g_new0(Reply, 1);

    *reply = (Reply){.status = status, .response = response};
    for (size_t i = 0; i < G_N_ELEMENTS(header_defaults); i++)
        (void)MHD_add_response_header(response, header_defaults[i][0], header_defaults[i][1]);
    if (media_type)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media_type);
    return reply;
}

Reply *reply_new(unsigned status, const char *media_type, const void *bytes, size_t size) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);

    g_assert(response);
    return reply_of(status, response, media_type);
}

Reply *reply_text(unsigned status, const char *media_type, const char *text) {
    return reply_new(status, media_type, text, strlen(text));
}

static Reply *reply_json_as(unsigned status, json_t *object, const char *media_type) {
    char *text = json_dumps(object, JSON_COMPACT);
    Reply *reply = NULL;

    if (!text)
        abort();
    reply = reply_text(status, media_type, text);
    free(text);
    json_decref(object);
    return reply;
}

Reply *reply_json(unsigned status, json_t *object) {
    return reply_json_as(status, object,
                         status >= 400 && json_object_get(object, "code") && !json_object_get(object, "error")
                             ? "application/problem+json"
                             : "application/json");
}

Reply *reply_empty(unsigned status) {
    return reply_new(status, NULL, "", 0);
}

Reply *reply_redirect(const char *location) {
    Reply *reply = reply_empty(MHD_HTTP_SEE_OTHER);

    reply_header(reply, MHD_HTTP_HEADER_LOCATION, location);
    return reply;
}

/* Set-Cookie alone may stand there more than once. */
void reply_header(Reply *reply, const char *name, const char *value) {
    const char *old = MHD_get_response_header(reply->response, name);

    if (old && strcmp(name, MHD_HTTP_HEADER_SET_COOKIE) != 0)
        (void)MHD_del_response_header(reply->response, name, old);
    (void)MHD_add_response_header(reply->response, name, value);
}

Reply *reply_free(Reply *reply) {
    if (!reply)
        return NULL;
    MHD_destroy_response(reply->response);
    g_free(reply);
    return NULL;
}

struct MHD_Response *reply_response(const Reply *reply) {
    return reply->response;
}

unsigned reply_status(const Reply *reply) {
    return reply->status;
}
