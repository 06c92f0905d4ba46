/* SPDX-License-Identifier: Apache-2.0 */
/* One text, one signature, one record. */
#include "asic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cades-upgrade.h"
#include "container.h"

#define MIMETYPE "application/vnd.etsi.asic-s+zip"

/* ----------------------------------------------------------------------------------------------------- making -- */

static int zip_make(const CadesBlob *text, const CadesBlob *signature, GBytes *record, GBytes **ret) {
    g_autoptr(GPtrArray) files = container_new();
    g_autoptr(GBytes) mimetype = g_bytes_new_static(MIMETYPE, strlen(MIMETYPE));
    g_autoptr(GBytes) content = g_bytes_new(text->bytes, text->size);
    g_autoptr(GBytes) detached = g_bytes_new(signature->bytes, signature->size);
    container_add(files, "mimetype", mimetype);
    container_add(files, ASIC_TEXT, content);
    container_add(files, ASIC_SIGNATURE, detached);
    container_add(files, ASIC_RECORD, record);
    return container_pack(files, ret);
}

int asic_make(GBytes *signature, GBytes *record, GBytes **ret) {
    gsize size;
    const uint8_t *der = g_bytes_get_data(signature, &size);
    CadesBlob text, detached;
    uint8_t *bytes = NULL;
    size_t bytes_size = 0;
    if (cades_detach(der, size, &text, &bytes, &bytes_size) != 0)
        return -EBADMSG;
    detached = (CadesBlob){bytes, bytes_size};
    int r = zip_make(&text, &detached, record, ret);
    free(bytes);
    return r;
}

/* ---------------------------------------------------------------------------------------------------- reading -- */

bool asic_is(const void *bytes, size_t size) {
    return size >= 4 && memcmp(bytes, "PK\003\004", 4) == 0;
}

static bool in_meta_inf(const char *name) {
    return strncmp(name, "META-INF/", strlen("META-INF/")) == 0;
}

/* The one file that is neither the mimetype nor in META-INF. */
static GBytes *text_find(const GPtrArray *files) {
    GBytes *found = NULL;
    for (guint i = 0; i < files->len; i++) {
        const ContainerFile *f = files->pdata[i];
        if (strcmp(f->name, "mimetype") == 0 || in_meta_inf(f->name))
            continue;
        if (found)
            return NULL;
        found = f->bytes;
    }
    return found;
}

static bool mimetype_right(const GPtrArray *files) {
    const ContainerFile *first = files->pdata[0];
    g_autoptr(GBytes) right = g_bytes_new_static(MIMETYPE, strlen(MIMETYPE));
    return strcmp(first->name, "mimetype") == 0 && g_bytes_equal(first->bytes, right);
}

int asic_open(GBytes *container, size_t max, GBytes **ret_text, GBytes **ret_signature) {
    g_autoptr(GPtrArray) files = NULL;
    int r = container_unpack(container, max, &files);
    if (r != 0)
        return r;
    GBytes *text = text_find(files), *signature = container_find(files, ASIC_SIGNATURE);
    if (!mimetype_right(files) || !text || !signature)
        return -EBADMSG;
    *ret_text = g_bytes_ref(text);
    *ret_signature = g_bytes_ref(signature);
    return 0;
}
