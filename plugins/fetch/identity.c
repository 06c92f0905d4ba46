/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch.h"

#define LINE_MAX_SIZE 512
#define ITERATIONS    100
#define SALT_SIZE     16
#define CIPHER_MAX    (64 + 16)

static bool name_is_plain(const char *name) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return *name && *name != '.' && strlen(name) <= 255 && name[strspn(name, allowed)] == '\0';
}

/* The credential's line, NUL-terminated. */
static int credential_read(const char *name, char line[LINE_MAX_SIZE]) {
    char path[4096];
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!name_is_plain(name) || !folder || *folder != '/' ||
        snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return -EINVAL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, line, LINE_MAX_SIZE - 1);
    close(fd);
    if (n <= 0)
        return -EINVAL;
    line[n] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return 0;
}

typedef struct Writer {
    uint8_t bytes[512];
    size_t n;
} Writer;

/* Tag and a length below 128: everything here is short. */
static void write_element(Writer *w, uint8_t tag, const void *bytes, size_t n) {
    w->bytes[w->n++] = tag;
    w->bytes[w->n++] = (uint8_t)n;
    memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
}

static void write_number(Writer *w, unsigned long number) {
    uint8_t bytes[sizeof number + 1];
    size_t n = 0;
    for (int shift = (int)sizeof number * 8 - 8; shift >= 0; shift -= 8) {
        uint8_t byte = (uint8_t)(number >> shift);
        if (n == 0 && byte == 0 && shift > 0)
            continue;
        if (n == 0 && byte >= 0x80)
            bytes[n++] = 0;
        bytes[n++] = byte;
    }
    write_element(w, 0x02, bytes, n);
}

static int imprint_encrypt(const char *password, const uint8_t *salt, const uint8_t *vector, const uint8_t *imprint,
                           size_t size, uint8_t ret[CIPHER_MAX]) {
    uint8_t key[32];
    int n = -1, last = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx &&
        PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, SALT_SIZE, ITERATIONS, EVP_sha256(), sizeof key,
                          key) &&
        EVP_EncryptInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, vector) == 1 &&
        EVP_EncryptUpdate(ctx, ret, &n, imprint, (int)size) == 1 && EVP_EncryptFinal_ex(ctx, ret + n, &last) == 1)
        n += last;
    else
        n = -1;
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(key, sizeof key);
    return n;
}

static char *header_text(const Writer *inner) {
    static const char digits[] = "0123456789abcdef", start[] = "identity: ";
    Writer outer = {0};
    outer.bytes[outer.n++] = 0x30;
    if (inner->n >= 128)
        outer.bytes[outer.n++] = 0x81;
    outer.bytes[outer.n++] = (uint8_t)inner->n;
    memcpy(outer.bytes + outer.n, inner->bytes, inner->n);
    outer.n += inner->n;
    char *text = malloc(sizeof start + 2 * outer.n);
    if (!text)
        return NULL;
    memcpy(text, start, sizeof start);
    char *p = text + sizeof start - 1;
    for (size_t i = 0; i < outer.n; i++) {
        *p++ = digits[outer.bytes[i] >> 4];
        *p++ = digits[outer.bytes[i] & 15];
    }
    *p = '\0';
    return text;
}

static int header_make(const char *line, const uint8_t *imprint, size_t size, char **ret) {
    uint8_t salt[SALT_SIZE], vector[16], cipher[CIPHER_MAX];
    char *end;
    Writer w = {0};
    errno = 0;
    unsigned long user = strtoul(line, &end, 10);
    if (errno != 0 || end == line || *end != ':' || end[1] == '\0')
        return EONAY_ERROR_FILE_INVALID;
    if (RAND_bytes(salt, sizeof salt) != 1 || RAND_bytes(vector, sizeof vector) != 1)
        return EONAY_ERROR_PLUGIN_FAILED;
    int n = imprint_encrypt(end + 1, salt, vector, imprint, size, cipher);
    if (n < 0)
        return EONAY_ERROR_PLUGIN_FAILED;
    write_number(&w, user);
    write_element(&w, 0x04, salt, sizeof salt);
    write_number(&w, ITERATIONS);
    write_element(&w, 0x04, vector, sizeof vector);
    write_element(&w, 0x04, cipher, (size_t)n);
    *ret = header_text(&w);
    return *ret ? 0 : EONAY_ERROR_PLUGIN_FAILED;
}

int identity_header(const Fetch *f, const char *credential, const uint8_t *imprint, size_t imprint_size, char **ret) {
    char line[LINE_MAX_SIZE];
    if (imprint_size == 0 || imprint_size > 64)
        return fetch_fault(f, EONAY_ERROR_PLUGIN_FAILED, "no imprint to identify with");
    int r = credential_read(credential, line);
    r = r < 0 ? EONAY_ERROR_FILE_INVALID : header_make(line, imprint, imprint_size, ret);
    OPENSSL_cleanse(line, sizeof line);
    return r == 0 ? 0
                  : fetch_fault(f, (EonayError)r,
                                "the credential of the time-stamp account (NUMBER:PASSWORD) is missing "
                                "or unusable");
}
