/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/pem.h>
#include <string.h>

#include "trust.h"

#define FILE_SIZE_MAX (4 * 1024 * 1024)

G_DEFINE_QUARK(eonay - trust, trust_error)

void gather_add(GPtrArray *list, const void *der, gsize size) {
    g_autoptr(GBytes) bytes = g_bytes_new(der, size);
    for (guint i = 0; i < list->len; i++)
        if (g_bytes_equal(list->pdata[i], bytes))
            return;
    g_ptr_array_add(list, g_steal_pointer(&bytes));
}

static bool add_parsed(GPtrArray *list, X509 *certificate) {
    unsigned char *der = NULL;
    int n = certificate ? i2d_X509(certificate, &der) : -1;
    if (n > 0)
        gather_add(list, der, (gsize)n);
    OPENSSL_free(der);
    X509_free(certificate);
    return n > 0;
}

static bool read_pem(GPtrArray *list, const char *text, gsize size) {
    BIO *in = BIO_new_mem_buf(text, (int)size);
    guint n = 0;
    for (X509 *c; in && (c = PEM_read_bio_X509(in, NULL, NULL, (void *)""));)
        n += add_parsed(list, c);
    BIO_free(in);
    return n > 0;
}

static bool read_der(GPtrArray *list, const char *text, gsize size) {
    const unsigned char *p = (const unsigned char *)text;
    X509 *c = d2i_X509(NULL, &p, (long)size);
    if (c && p != (const unsigned char *)text + size) {
        X509_free(c);
        c = NULL;
    }
    return add_parsed(list, c);
}

static bool gather_file(GPtrArray *list, const char *path, GError **error) {
    g_autofree char *text = NULL;
    gsize size;
    if (!g_file_get_contents(path, &text, &size, error))
        return false;
    if (size > FILE_SIZE_MAX) {
        g_set_error(error, TRUST_ERROR, 0, "%s: too large", path);
        return false;
    }
    if (g_str_has_suffix(path, ".xml"))
        return depot_read(list, text, size, path, error);
    if (read_pem(list, text, size) || read_der(list, text, size))
        return true;
    g_set_error(error, TRUST_ERROR, 0, "%s: no certificate in it", path);
    return false;
}

bool gather_path(GPtrArray *list, const char *path, GError **error) {
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return gather_file(list, path, error);
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    if (!dir)
        return false;
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_file_test(file, G_FILE_TEST_IS_REGULAR) && !gather_file(list, file, error))
            return false;
    }
    return true;
}
