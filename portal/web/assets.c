/* SPDX-License-Identifier: Apache-2.0 */
#include "assets.h"

#include <gio/gio.h>
#include <string.h>

/* Generated from eonay-portal.gresource.xml. */
GResource *eonay_portal_get_resource(void);

#define PREFIX "/org/eonay/portal/"

static const struct {
    const char *name;
    const char *type;
} assets[] = {
    {"eonay.css", "text/css; charset=utf-8"},
    {"eonay.js", "text/javascript; charset=utf-8"},
    {"eonay.svg", "image/svg+xml"},
};

static GBytes *asset_bytes(const char *name) {
    g_autofree char *path = g_strconcat(PREFIX, name, NULL);

    return g_resource_lookup_data(eonay_portal_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

static gpointer make_version(gpointer unused) {
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    (void)unused;
    for (size_t i = 0; i < G_N_ELEMENTS(assets); i++) {
        g_autoptr(GBytes) bytes = asset_bytes(assets[i].name);
        gsize size = 0;
        const void *data = g_bytes_get_data(bytes, &size);

        g_checksum_update(sum, data, (gssize)size);
    }
    return g_strndup(g_checksum_get_string(sum), 12);
}

const char *assets_version(void) {
    static GOnce once = G_ONCE_INIT;

    return g_once(&once, make_version, NULL);
}

Reply *page_asset(Request *request) {
    for (size_t i = 0; i < G_N_ELEMENTS(assets); i++) {
        g_autoptr(GBytes) bytes = NULL;
        gsize size = 0;
        const void *data = NULL;
        Reply *reply = NULL;

        if (strcmp(request->element, assets[i].name) != 0)
            continue;
        bytes = asset_bytes(assets[i].name);
        data = g_bytes_get_data(bytes, &size);
        reply = reply_new(200, assets[i].type, data, size);
        reply_header(reply, "Cache-Control", "public, max-age=31536000, immutable");
        return reply;
    }
    return problem_reply(request, EONAY_ERROR_NOT_FOUND, NULL);
}
