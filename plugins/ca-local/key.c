/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A code has 50 bits: its plain hash could be reversed within hours. The database therefore holds an HMAC under a key
 * that lies in a file of its own, so that a stray copy of the database alone gives nobody a code. The key is written
 * to a temporary file, flushed and renamed: a key cut short by a crash would make every record unreadable.
 */
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "scope.h"

static int key_fault(const EonayHost *host, const char *path, const char *why) {
    return fault(host, EONAY_ERROR_STORAGE_FAILED, 0, "%s: %s", path, why);
}

/* The rename is durable only when the folder is. */
static int sync_folder(const char *path) {
    char folder[PATH_MAX];
    _cleanup_close_ int fd = -1;
    const char *slash = strrchr(path, '/');

    (void)snprintf(folder, sizeof folder, "%.*s", slash > path ? (int)(slash - path) : 1, path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_key(const char *temporary) {
    _cleanup_close_ int fd = -1;
    uint8_t bytes[KEY_SIZE];
    bool done = false;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return -EIO;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    done =
        fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0;
    OPENSSL_cleanse(bytes, sizeof bytes);
    return done ? 0 : -(errno ? errno : EIO);
}

static int create_key(const EonayHost *host, const char *path) {
    char temporary[PATH_MAX];
    int r = 0;

    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary)
        return key_fault(host, path, "the path is too long");
    errno = 0;
    r = write_key(temporary);
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r == 0)
        r = sync_folder(path);
    if (r == 0)
        return 0;
    (void)unlink(temporary);
    return key_fault(host, path, strerrordesc_np(-r));
}

static int read_key(const EonayHost *host, const char *path, int fd, Key *ret) {
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != KEY_SIZE)
        return key_fault(host, path, "is not a key of this database");
    if ((st.st_mode & 077) != 0)
        return key_fault(host, path, "may be read by others than its owner; its mode must be 0600");
    if (read(fd, ret->bytes, KEY_SIZE) != (ssize_t)KEY_SIZE)
        return key_fault(host, path, "cannot be read");
    return 0;
}

int key_open(const EonayHost *host, const char *database, bool create, Key *ret) {
    char path[PATH_MAX];
    _cleanup_close_ int fd = -1;

    if ((size_t)snprintf(path, sizeof path, "%s.key", database) >= sizeof path)
        return key_fault(host, database, "the path is too long");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT && create) {
        int r = create_key(host, path);
        if (r != 0)
            return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    if (fd < 0)
        return key_fault(host, path, strerrordesc_np(errno));
    return read_key(host, path, fd, ret);
}

void key_erase(Key *key) {
    OPENSSL_cleanse(key->bytes, sizeof key->bytes);
}

int key_hash(const EonayHost *host, const Key *key, const char *domain, const char *value,
             uint8_t ret[KEYED_HASH_SIZE]) {
    char message[512];
    unsigned size = 0;
    int length = snprintf(message, sizeof message, "%s:%s", domain, value);

    if (length < 0 || (size_t)length >= sizeof message)
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "a %s is too long", domain);
    const uint8_t *hash =
        HMAC(EVP_sha256(), key->bytes, KEY_SIZE, (const uint8_t *)message, (size_t)length, ret, &size);
    OPENSSL_cleanse(message, sizeof message);
    if (!hash || size != KEYED_HASH_SIZE)
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "HMAC-SHA256 failed");
    return 0;
}
