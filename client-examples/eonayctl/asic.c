/* SPDX-License-Identifier: Apache-2.0 */
/* Containers come from anyone: the number of entries and what an entry says of its size are bounded before it is read.
 */
#include "asic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "cades-upgrade.h"

#define MIMETYPE    "application/vnd.etsi.asic-s+zip"
#define ENTRIES_MAX 64

/* ----------------------------------------------------------------------------------------------------- making -- */

static int entry_add(zip_t *zip, const char *name, const void *bytes, size_t size) {
    zip_source_t *source = zip_source_buffer(zip, bytes, size, 0);
    zip_int64_t index = source ? zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
        zip_source_free(source);
        return -EIO;
    }
    /* Stored, all of them: the mimetype has to be, and the rest stays readable without any tool. */
    return zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 ? 0 : -EIO;
}

static int entries_add(zip_t *zip, const CadesBlob *text, const CadesBlob *signature, GBytes *record) {
    gsize record_size;
    const void *record_bytes = g_bytes_get_data(record, &record_size);
    int r = entry_add(zip, "mimetype", MIMETYPE, strlen(MIMETYPE));
    r = r == 0 ? entry_add(zip, ASIC_TEXT, text->bytes, text->size) : r;
    r = r == 0 ? entry_add(zip, ASIC_SIGNATURE, signature->bytes, signature->size) : r;
    return r == 0 ? entry_add(zip, ASIC_RECORD, record_bytes, record_size) : r;
}

static int source_bytes(zip_source_t *source, GBytes **ret) {
    zip_stat_t stat;
    if (zip_source_open(source) < 0)
        return -EIO;
    int r = -EIO;
    if (zip_source_stat(source, &stat) == 0 && stat.valid & ZIP_STAT_SIZE) {
        guint8 *bytes = g_malloc(stat.size);
        if (zip_source_read(source, bytes, stat.size) == (zip_int64_t)stat.size) {
            *ret = g_bytes_new_take(bytes, stat.size);
            r = 0;
        } else
            g_free(bytes);
    }
    zip_source_close(source);
    return r;
}

static int zip_make(const CadesBlob *text, const CadesBlob *signature, GBytes *record, GBytes **ret) {
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_TRUNCATE, NULL) : NULL;
    if (!zip) {
        zip_source_free(source);
        return -EIO;
    }
    zip_source_keep(source); /* past the end of zip, which owns it */
    int r = entries_add(zip, text, signature, record);
    if (r != 0 || zip_close(zip) < 0) {
        zip_discard(zip);
        r = r != 0 ? r : -EIO;
    } else
        r = source_bytes(source, ret);
    zip_source_free(source);
    return r;
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

static int entry_read(zip_t *zip, zip_uint64_t index, size_t max, GBytes **ret) {
    zip_stat_t stat;
    if (zip_stat_index(zip, index, 0, &stat) < 0 || !(stat.valid & ZIP_STAT_SIZE))
        return -EBADMSG;
    if (stat.size > max)
        return -EFBIG;
    zip_file_t *file = zip_fopen_index(zip, index, 0);
    if (!file)
        return -EBADMSG;
    guint8 *bytes = g_malloc(stat.size + 1);
    /* One byte more than it says would be a lie. */
    zip_int64_t n = zip_fread(file, bytes, stat.size + 1);
    zip_fclose(file);
    if (n != (zip_int64_t)stat.size) {
        g_free(bytes);
        return -EBADMSG;
    }
    *ret = g_bytes_new_take(bytes, stat.size);
    return 0;
}

static bool in_meta_inf(const char *name) {
    return strncmp(name, "META-INF/", strlen("META-INF/")) == 0;
}

/* The one file that is neither the mimetype nor in META-INF. */
static int text_find(zip_t *zip, zip_int64_t n, zip_uint64_t *ret) {
    int found = 0;
    for (zip_int64_t i = 0; i < n; i++) {
        const char *name = zip_get_name(zip, (zip_uint64_t)i, 0);
        if (!name || strcmp(name, "mimetype") == 0 || in_meta_inf(name))
            continue;
        *ret = (zip_uint64_t)i;
        found++;
    }
    return found == 1 ? 0 : -EBADMSG;
}

static bool mimetype_right(zip_t *zip) {
    g_autoptr(GBytes) bytes = NULL;
    const char *name = zip_get_name(zip, 0, 0);
    if (!name || strcmp(name, "mimetype") != 0 || entry_read(zip, 0, 256, &bytes) != 0)
        return false;
    return g_bytes_get_size(bytes) == strlen(MIMETYPE) &&
           memcmp(g_bytes_get_data(bytes, NULL), MIMETYPE, strlen(MIMETYPE)) == 0;
}

static int parts_read(zip_t *zip, size_t max, GBytes **ret_text, GBytes **ret_signature) {
    zip_uint64_t text;
    zip_int64_t n = zip_get_num_entries(zip, 0);
    zip_int64_t signature = zip_name_locate(zip, ASIC_SIGNATURE, 0);
    if (n < 3 || n > ENTRIES_MAX || !mimetype_right(zip) || signature < 0 || text_find(zip, n, &text) != 0)
        return -EBADMSG;
    g_autoptr(GBytes) content = NULL;
    int r = entry_read(zip, text, max, &content);
    r = r == 0 ? entry_read(zip, (zip_uint64_t)signature, max, ret_signature) : r;
    if (r == 0)
        *ret_text = g_steal_pointer(&content);
    return r;
}

int asic_open(GBytes *container, size_t max, GBytes **ret_text, GBytes **ret_signature) {
    gsize size;
    const void *bytes = g_bytes_get_data(container, &size);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, NULL);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, NULL) : NULL;
    if (!zip) {
        zip_source_free(source);
        return -EBADMSG;
    }
    int r = parts_read(zip, max, ret_text, ret_signature);
    zip_discard(zip);
    return r;
}
