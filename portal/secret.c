/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eonay/plugin.h"
#include "log.h"

#define VALUE_MAX 4096u

static int complain(const char *path, const char *why) {
    log_error("%s: %s", path, why);
    return EONAY_ERROR_STORAGE_FAILED;
}

/* Written beside and linked into place: of two instances that start together one wins, and no key is ever half there.
 */
static int create(const char *path) {
    g_autofree char *temporary = g_strdup_printf("%s.XXXXXX", path);
    g_autofree char *folder = g_path_get_dirname(path);
    uint8_t bytes[SECRET_SIZE];
    int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    int folder_fd = -1;
    bool done = false;

    if (fd < 0)
        return complain(path, strerrordesc_np(errno));
    secret_random(bytes, sizeof bytes);
    done = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0 &&
           (link(temporary, path) == 0 || errno == EEXIST);
    OPENSSL_cleanse(bytes, sizeof bytes);
    close(fd);
    (void)unlink(temporary);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd >= 0) {
        (void)fsync(folder_fd);
        close(folder_fd);
    }
    return done ? 0 : complain(path, "cannot be written");
}

static int read_file(const char *path, int fd, Secret *ret) {
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != SECRET_SIZE)
        return complain(path, "is not the key of a portal");
    if ((st.st_mode & 077) != 0)
        return complain(path, "may be read by others than its owner; its mode must be 0600");
    if (read(fd, ret->bytes, SECRET_SIZE) != SECRET_SIZE)
        return complain(path, "cannot be read");
    return 0;
}

int secret_open(const char *path, Secret *ret) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int r = 0;

    if (fd < 0 && errno == ENOENT) {
        if ((r = create(path)) != 0)
            return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0)
        return complain(path, strerrordesc_np(errno));
    r = read_file(path, fd, ret);
    close(fd);
    return r;
}

static int check_work(Store *store, void *data) {
    const Secret *s = data;
    uint8_t hash[SECRET_HASH_SIZE];
    _rows_ StoreRows *row = NULL;
    size_t size = 0;
    int r = 0;

    secret_hash(s, "check", "key", hash);
    if ((r = store_change(store, STATEMENT_SETTING_PUT, NULL, "tb", "key-check", hash, sizeof hash)) != 0 ||
        (r = store_row(store, STATEMENT_SETTING_GET, &row, "t", "key-check")) != 0)
        return r;
    const void *known = row ? store_rows_bytes(row, 0, &size) : NULL;
    if (size != sizeof hash || memcmp(known, hash, sizeof hash) != 0)
        return complain("KeyFile=", "is not the key of this database");
    return 0;
}

int secret_check(const Secret *s, Store *store) {
    return store_write(store, check_work, (void *)(uintptr_t)s);
}

void secret_erase(Secret *s) {
    OPENSSL_cleanse(s->bytes, sizeof s->bytes);
}

void secret_hash_bytes(const Secret *s, const char *domain, const void *value, size_t size,
                       uint8_t ret[SECRET_HASH_SIZE]) {
    const size_t head = strlen(domain) + 1;
    uint8_t message[VALUE_MAX];
    unsigned length = 0;

    memcpy(message, domain, head);
    /* What is far too long to be any of our values has a hash like any other. */
    if (head + size > sizeof message) {
        if (EVP_Digest(value, size, message + head, &length, EVP_sha512(), NULL) != 1)
            abort();
        size = length;
    } else {
        memcpy(message + head, value, size);
    }
    if (!HMAC(EVP_sha256(), s->bytes, SECRET_SIZE, message, head + size, ret, &length) || length != SECRET_HASH_SIZE)
        abort();
    OPENSSL_cleanse(message, head + size);
}

void secret_hash(const Secret *s, const char *domain, const char *value, uint8_t ret[SECRET_HASH_SIZE]) {
    secret_hash_bytes(s, domain, value, strlen(value), ret);
}

void secret_random(void *ret, size_t size) {
    if (RAND_bytes(ret, (int)size) != 1)
        abort();
}

void secret_hex(const uint8_t *bytes, size_t size, char *ret) {
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * size] = '\0';
}

void secret_label(char ret[SECRET_LABEL_SIZE]) {
    uint8_t bytes[32];

    secret_random(bytes, sizeof bytes);
    secret_hex(bytes, sizeof bytes, ret);
}
