/* SPDX-License-Identifier: Apache-2.0 */
/* Containers come from anyone: the number of files, and what each says of its size, are bounded before it is read. */
#include "container.h"

#include <errno.h>
#include <string.h>
#include <zip.h>

#define ALL_FILES      4u /* together, in sizes of the largest one */
#define LOCAL_HEADER   30u
#define MIMETYPE_PLACE (LOCAL_HEADER + 8u) /* behind the header and the name "mimetype" */

static void file_free(gpointer file) {
    ContainerFile *f = file;
    g_free(f->name);
    g_bytes_unref(f->bytes);
    g_free(f);
}

GPtrArray *container_new(void) {
    return g_ptr_array_new_with_free_func(file_free);
}

void container_add(GPtrArray *files, const char *name, GBytes *bytes) {
    ContainerFile *f = g_new0(ContainerFile, 1);
    f->name = g_strdup(name);
    f->bytes = g_bytes_ref(bytes);
    g_ptr_array_add(files, f);
}

GBytes *container_find(const GPtrArray *files, const char *name) {
    for (guint i = 0; i < files->len; i++) {
        const ContainerFile *f = files->pdata[i];
        if (strcmp(f->name, name) == 0)
            return f->bytes;
    }
    return NULL;
}

/* ----------------------------------------------------------------------------------------------------- writing -- */

static int entry_add(zip_t *zip, const ContainerFile *file) {
    gsize size;
    const void *bytes = g_bytes_get_data(file->bytes, &size);
    zip_source_t *source = zip_source_buffer(zip, bytes, size, 0);
    zip_int64_t index = source ? zip_file_add(zip, file->name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
        zip_source_free(source);
        return -EIO;
    }
    /* Stored, all of them: the mimetype has to be, and the rest stays readable without any tool. */
    return zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 ? 0 : -EIO;
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

int container_pack(const GPtrArray *files, GBytes **ret) {
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_TRUNCATE, NULL) : NULL;
    if (!zip) {
        zip_source_free(source);
        return -EIO;
    }
    zip_source_keep(source); /* past the end of zip, which owns it */
    int r = 0;
    for (guint i = 0; r == 0 && i < files->len; i++)
        r = entry_add(zip, files->pdata[i]);
    if (r != 0 || zip_close(zip) < 0) {
        zip_discard(zip);
        r = r != 0 ? r : -EIO;
    } else
        r = source_bytes(source, ret);
    zip_source_free(source);
    return r;
}

/* ---------------------------------------------------------------------------------------------------- reading -- */

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

static int entries_read(zip_t *zip, size_t max, GPtrArray *files) {
    zip_int64_t n = zip_get_num_entries(zip, 0);
    size_t left = ALL_FILES * max;
    if (n < 1 || n > (zip_int64_t)CONTAINER_FILES_MAX)
        return -EBADMSG;
    for (zip_int64_t i = 0; i < n; i++) {
        g_autoptr(GBytes) bytes = NULL;
        const char *name = zip_get_name(zip, (zip_uint64_t)i, 0);
        if (!name || container_find(files, name))
            return -EBADMSG;
        int r = entry_read(zip, (zip_uint64_t)i, MIN(max, left), &bytes);
        if (r != 0)
            return r;
        left -= g_bytes_get_size(bytes);
        container_add(files, name, bytes);
    }
    return 0;
}

int container_unpack(GBytes *container, size_t max, GPtrArray **ret) {
    gsize size;
    const void *bytes = g_bytes_get_data(container, &size);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, NULL);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, NULL) : NULL;
    if (!zip) {
        zip_source_free(source);
        return -EBADMSG;
    }
    g_autoptr(GPtrArray) files = container_new();
    int r = entries_read(zip, max, files);
    zip_discard(zip);
    if (r == 0)
        *ret = g_steal_pointer(&files);
    return r;
}

bool container_begins(GBytes *zip, const char *mimetype) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data(zip, &size);
    return size >= MIMETYPE_PLACE + strlen(mimetype) && memcmp(bytes, "PK\003\004", 4) == 0 &&
           memcmp(bytes + LOCAL_HEADER, "mimetype", 8) == 0 &&
           memcmp(bytes + MIMETYPE_PLACE, mimetype, strlen(mimetype)) == 0;
}
