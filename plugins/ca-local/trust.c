/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust anchors are read once, when the instance opens: the sandbox may change under a running process, the answer to
 * "whom do I trust" must not. A file that holds no certificate is an error and not skipped, since a chain that is
 * not checked for a typing error's sake would let anyone sign.
 */
#include "trust.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "fault.h"
#include "file.h"
#include "scope.h"

#define TRUST_FILE_MAX ((size_t)1 << 20)

static int trust_add(const EonayHost *host, const char *key, const char *path, Trust *t, X509 *certificate) {
    uint8_t *der = NULL;
    int size = 0;

    if (t->n >= TRUST_MAX)
        return fault(host, EONAY_ERROR_FILE_INVALID, 0, "%s=%.300s: more than %u certificates", key, path, TRUST_MAX);
    size = i2d_X509(certificate, &der);
    if (size <= 0)
        return -ENOMEM;

    /* Copied, so that the lib's free() and OpenSSL's need not be the same. */
    uint8_t *copy = malloc((size_t)size);
    if (copy)
        t->blobs[t->n++] = (CadesBlob){memcpy(copy, der, (size_t)size), (size_t)size};
    OPENSSL_free(der);
    return copy ? 0 : -ENOMEM;
}

static void x509_freep(X509 **x) {
    X509_free(*x);
}

static void bio_freep(BIO **bio) {
    BIO_free(*bio);
}

static int bad_file(const EonayHost *host, const char *key, const char *path) {
    ERR_clear_error();
    return fault(host, EONAY_ERROR_FILE_INVALID, 0, "%s=%.300s: is no certificate", key, path);
}

static int load_der(const EonayHost *host, const char *key, const char *path, Trust *t, const uint8_t *bytes,
                    size_t size) {
    const uint8_t *p = bytes;
    _cleanup_(x509_freep) X509 *x = d2i_X509(NULL, &p, (long)size);

    if (!x || p != bytes + size)
        return bad_file(host, key, path);
    return trust_add(host, key, path, t, x);
}

static int load_pem(const EonayHost *host, const char *key, const char *path, Trust *t, const uint8_t *bytes,
                    size_t size) {
    _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    size_t before = t->n;
    int r = 0;

    if (!bio)
        return -ENOMEM;
    ERR_clear_error();
    while (r == 0) {
        _cleanup_(x509_freep) X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!x)
            break;
        r = trust_add(host, key, path, t, x);
    }
    /* The end of the file says "no start line"; anything else is a damaged certificate behind good ones. */
    if (r == 0 && (t->n == before || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
        return bad_file(host, key, path);
    ERR_clear_error();
    return r;
}

static int load_file(const EonayHost *host, const char *key, const char *path, void *data) {
    _cleanup_free_ uint8_t *bytes = NULL;
    size_t size = 0;
    int r = file_read(host, key, path, TRUST_FILE_MAX, &bytes, &size);

    if (r != 0)
        return r;
    if (size > 0 && bytes[0] == 0x30) /* DER begins with a SEQUENCE, PEM with text */
        return load_der(host, key, path, data, bytes, size);
    return load_pem(host, key, path, data, bytes, size);
}

static void trust_freep(Trust **t) {
    trust_free(*t);
}

int trust_new(const EonayHost *host, const char *key, const char *list, Trust **ret) {
    _cleanup_(trust_freep) Trust *t = calloc(1, sizeof *t);
    int r = 0;

    if (!t)
        return -ENOMEM;
    if (list && (r = file_walk(host, key, list, load_file, t)) != 0)
        return r;
    if (list && t->n == 0)
        return fault(host, EONAY_ERROR_FILE_INVALID, 0, "%s=%.300s: holds no certificate", key, list);
    *ret = TAKE_PTR(t);
    return 0;
}

Trust *trust_free(Trust *t) {
    if (!t)
        return NULL;
    for (size_t i = 0; i < t->n; i++)
        free((void *)(uintptr_t)t->blobs[i].bytes);
    free(t);
    return NULL;
}
