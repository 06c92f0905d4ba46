/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <errno.h>
#include <glib.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "log.h"

#define FILE_MAX ((gsize)1 << 20)

static int complain(const char *key, const char *path, const char *why) {
    ERR_clear_error();
    log_error("%s=%s: %s", key, path, why);
    return -EINVAL;
}

/* Copied, so that the lib's free() and OpenSSL's need not be the same. */
static int add(TrustList *list, X509 *certificate) {
    uint8_t *der = NULL;
    int size = i2d_X509(certificate, &der);

    if (size <= 0 || list->n >= TRUST_CERTIFICATES_MAX)
        return -EINVAL;
    list->blobs[list->n++] = (CadesBlob){g_memdup2(der, (gsize)size), (size_t)size};
    OPENSSL_free(der);
    return 0;
}

static int load_der(TrustList *list, const char *bytes, gsize size) {
    const uint8_t *p = (const uint8_t *)bytes;
    X509 *x = d2i_X509(NULL, &p, (long)size);
    int r = x && p == (const uint8_t *)bytes + size ? add(list, x) : -EINVAL;

    X509_free(x);
    return r;
}

static int load_pem(TrustList *list, const char *bytes, gsize size) {
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    const size_t before = list->n;
    X509 *x = NULL;
    int r = 0;

    ERR_clear_error();
    while (r == 0 && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        r = add(list, x);
        X509_free(x);
    }
    BIO_free(bio);
    /* The end of the file says "no start line"; anything else is a damaged certificate behind good ones. */
    if (r == 0 && (list->n == before || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
        r = -EINVAL;
    ERR_clear_error();
    return r;
}

static int load(TrustList *list, const char *key, const char *paths) {
    g_auto(GStrv) items = g_strsplit(paths ? paths : "", ";", -1);

    for (char **path = items; *path; path++) {
        g_autofree char *bytes = NULL;
        gsize size = 0;

        if (*g_strstrip(*path) == '\0')
            continue;
        if (!g_file_get_contents(*path, &bytes, &size, NULL) || size == 0 || size > FILE_MAX)
            return complain(key, *path, "cannot be read");
        if ((bytes[0] == 0x30 ? load_der : load_pem)(list, bytes, size) != 0)
            return complain(key, *path, "is no certificate, or there are too many");
    }
    return 0;
}

int trust_new(const Config *config, Trust **ret) {
    Trust *t = g_new0(Trust, 1);
    int r = load(&t->anchors, "TrustAnchors", config->anchors);

    if (r == 0)
        r = load(&t->intermediates, "Intermediates", config->intermediates);
    if (r == 0 && t->anchors.n == 0)
        r = complain("TrustAnchors", config->anchors, "holds no certificate");
    if (r != 0)
        return trust_free(t), r;
    *ret = t;
    return 0;
}

static void clear(TrustList *list) {
    for (size_t i = 0; i < list->n; i++)
        g_free((void *)(uintptr_t)list->blobs[i].bytes);
}

Trust *trust_free(Trust *t) {
    if (!t)
        return NULL;
    clear(&t->anchors);
    clear(&t->intermediates);
    g_free(t);
    return NULL;
}
