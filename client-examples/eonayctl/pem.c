/* SPDX-License-Identifier: Apache-2.0 */
#include "pem.h"

#include <errno.h>
#include <openssl/pem.h>
#include <string.h>

#include "file.h"
#include "signature.h"

void pem_clear(PemObjects *o) {
    g_clear_pointer(&o->bytes, g_ptr_array_unref);
    g_clear_pointer(&o->blobs, g_free);
    o->n = 0;
}

static bool kind_right(const char *name, PemKind kind) {
    if (kind == PEM_LISTS)
        return strcmp(name, PEM_STRING_X509_CRL) == 0;
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0;
}

/* What is in a block is judged where it is used; here it is bytes. */
static void blocks_read(BIO *bio, PemKind kind, GPtrArray *into) {
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long size = 0;
    while (into->len < PEM_OBJECTS_MAX && PEM_read_bio(bio, &name, &header, &data, &size) == 1) {
        if (kind_right(name, kind))
            g_ptr_array_add(into, g_bytes_new(data, (gsize)size));
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
}

int pem_read(const char *path, PemKind kind, PemObjects *ret) {
    g_autoptr(GBytes) file = NULL;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    signature_init();
    int r = file_read(path, SIGNATURE_SIZE_MAX, &file);
    if (r < 0)
        return r;
    BIO *bio = BIO_new_mem_buf(g_bytes_get_data(file, NULL), (int)g_bytes_get_size(file));
    if (!bio)
        return -ENOMEM;
    blocks_read(bio, kind, found);
    BIO_free(bio);
    if (found->len == 0)
        return -ENODATA;
    *ret = (PemObjects){.blobs = g_new0(CadesBlob, found->len), .n = found->len};
    for (guint i = 0; i < found->len; i++)
        ret->blobs[i].bytes = g_bytes_get_data(found->pdata[i], &ret->blobs[i].size);
    ret->bytes = g_steal_pointer(&found);
    return 0;
}
