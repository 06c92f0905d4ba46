/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include <openssl/evp.h>

static const EVP_MD *sha256(void) {
    static EVP_MD *md; /* the daemon has one thread */
    if (!md)
        md = EVP_MD_fetch(NULL, "SHA256", NULL);
    return md;
}

static void must(int done) {
    if (done != 1)
        g_error("SHA-256 failed");
}

Digest *digest_new(void) {
    Digest *d = EVP_MD_CTX_new();
    must(d && EVP_DigestInit_ex2(d, sha256(), NULL));
    return d;
}

void digest_add(Digest *d, const void *bytes, size_t size) {
    must(EVP_DigestUpdate(d, bytes, size));
}

void digest_end(Digest *d, uint8_t ret[DIGEST_SIZE]) {
    must(EVP_DigestFinal_ex(d, ret, NULL));
    EVP_MD_CTX_free(d);
}

void digest_end_hex(Digest *d, char ret[DIGEST_HEX]) {
    static const char hex[] = "0123456789abcdef";
    uint8_t digest[DIGEST_SIZE];
    digest_end(d, digest);
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        ret[2 * i] = hex[digest[i] >> 4];
        ret[2 * i + 1] = hex[digest[i] & 15];
    }
    ret[DIGEST_HEX - 1] = '\0';
}

void digest_of_bytes(GBytes *bytes, uint8_t ret[DIGEST_SIZE]) {
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    Digest *d = digest_new();
    digest_add(d, data, size);
    digest_end(d, ret);
}

char *digest_hex_of(const void *bytes, size_t size) {
    char *ret = g_malloc(DIGEST_HEX);
    Digest *d = digest_new();
    digest_add(d, bytes, size);
    digest_end_hex(d, ret);
    return ret;
}

char *digest_hex_of_bytes(GBytes *bytes) {
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    return digest_hex_of(data, size);
}
