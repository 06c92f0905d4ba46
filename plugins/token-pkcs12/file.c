/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is read once, at open(), so that everything later sees the same bytes whoever writes to the file meanwhile.
 * The token is named by the digest of these bytes: another file is another token. A second file, in the clear, may hold
 * the certificate, so that it can be listed without the passphrase.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "p12.h"

#define MAC_ITERATIONS_MAX 10000000L

static ssize_t descriptor_read(int fd, uint8_t *bytes, size_t room) {
    size_t used = 0;

    while (used < room) {
        ssize_t n = pread(fd, bytes + used, room - used, (off_t)used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    return (ssize_t)used;
}

/* The whole of a configured file, at most FILE_MAX bytes and not empty. */
static int file_read(const P12 *p, const char *key, uint8_t **ret, size_t *ret_size) {
    struct stat st;

    int fd = p->host->open_file(p->host, key);
    if (fd < 0)
        return fault_text(p, EONAY_ERROR_FILE_INVALID, "the file cannot be opened");
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    uint8_t *bytes = regular ? malloc(FILE_MAX + 1) : NULL;
    ssize_t n = bytes ? descriptor_read(fd, bytes, FILE_MAX + 1) : -1;
    close(fd);
    if (n <= 0 || n > (ssize_t)FILE_MAX) {
        free(bytes);
        return fault_text(p, EONAY_ERROR_FILE_INVALID, "the file is empty, too large, or cannot be read");
    }
    *ret = bytes;
    *ret_size = (size_t)n;
    return 0;
}

X509 *p12_certificate(const P12 *p, const uint8_t *der, size_t size) {
    X509 *certificate = X509_new_ex(p->library, NULL);

    /* d2i_X509() frees what it was given when it fails. */
    if (certificate && !d2i_X509(&certificate, &der, (long)size))
        certificate = NULL;
    ERR_clear_error();
    return certificate;
}

static void beside_add(P12 *p, X509 *certificate) {
    if (!certificate)
        return;
    if (sk_X509_num(p->beside) >= (int)CERTIFICATES_MAX || sk_X509_push(p->beside, certificate) <= 0)
        X509_free(certificate);
}

static void beside_read_pem(P12 *p, const uint8_t *bytes, size_t size) {
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    unsigned char *der = NULL;
    char *name = NULL, *header = NULL;
    long der_size = 0;

    while (bio && PEM_read_bio(bio, &name, &header, &der, &der_size) == 1) {
        if (strcmp(name, PEM_STRING_X509) == 0 && der_size <= (long)DER_MAX)
            beside_add(p, p12_certificate(p, der, (size_t)der_size));
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)der_size);
    }
    BIO_free(bio);
}

static int beside_read(P12 *p) {
    const char *path = p->host->config(p->host, "Certificate");
    uint8_t *bytes = NULL;
    size_t size = 0;

    if (!path || path[0] == '\0')
        return 0;
    int r = file_read(p, "Certificate", &bytes, &size);
    if (r != 0 || !bytes)
        return r;
    p->beside = sk_X509_new_null();
    if (p->beside && bytes[0] == 0x30)
        beside_add(p, size <= DER_MAX ? p12_certificate(p, bytes, size) : NULL);
    else if (p->beside)
        beside_read_pem(p, bytes, size);
    free(bytes);
    if (sk_X509_num(p->beside) <= 0)
        return fault_text(p, EONAY_ERROR_FILE_INVALID, "the file that Certificate= names holds no certificate");
    ERR_clear_error();
    return 0;
}

static int p12_name(P12 *p) {
    const char *label = p->host->config(p->host, "Label"), *path = p->host->config(p->host, "File");
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[33];

    if (EVP_Q_digest(p->library, "SHA256", NULL, p->bytes, p->size, digest, NULL) != 1)
        return fault_text(p, EONAY_ERROR_PLUGIN_FAILED, "SHA-256 is not available");
    for (size_t i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    snprintf(p->key, sizeof(p->key), "p12:%s", hex);
    snprintf(p->serial, sizeof(p->serial), "%.16s", hex);
    if (!label && path)
        label = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (label && strlen(label) < sizeof(p->label))
        snprintf(p->label, sizeof(p->label), "%s", label);
    else
        snprintf(p->label, sizeof(p->label), "PKCS#12");
    return 0;
}

/* A file may ask for so many rounds of its MAC that nobody would see the end. */
static bool mac_sane(const PKCS12 *file) {
    const ASN1_INTEGER *iterations = NULL;

    PKCS12_get0_mac(NULL, NULL, NULL, &iterations, file);
    if (!iterations)
        return true;
    long n = ASN1_INTEGER_get(iterations);
    return n > 0 && n <= MAC_ITERATIONS_MAX;
}

static int bag_count(const Contents *contents, const PKCS12_SAFEBAG *bag, void *data) {
    (void)contents;
    (void)bag;
    (*(size_t *)data)++;
    return 0;
}

static int p12_check(const P12 *p) {
    Contents contents;
    size_t n = 0;

    int r = contents_open(p, NULL, &contents);
    if (r != 0)
        return r;
    if (!mac_sane(contents.file))
        r = fault_text(p, EONAY_ERROR_FILE_INVALID, "the file asks for an absurd number of iterations");
    if (r == 0)
        r = contents_walk(&contents, bag_count, &n);
    contents_close(&contents);
    return r;
}

int p12_read(P12 *p) {
    int r = file_read(p, "File", &p->bytes, &p->size);
    if (r == 0)
        r = p12_check(p);
    if (r == 0)
        r = p12_name(p);
    return r == 0 ? beside_read(p) : r;
}

void p12_forget(P12 *p) {
    if (p->bytes)
        OPENSSL_cleanse(p->bytes, p->size);
    free(p->bytes);
    p->bytes = NULL;
    sk_X509_pop_free(p->beside, X509_free);
    p->beside = NULL;
}
