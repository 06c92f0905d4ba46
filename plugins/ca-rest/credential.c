/* SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "scope.h"

void credential_clear(Credential *c) {
    if (c->bytes)
        explicit_bzero(c->bytes, c->size);
    free(c->bytes);
    *c = (Credential){0};
}

static bool name_is_plain(const char *name) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return *name && *name != '.' && strlen(name) <= 255 && name[strspn(name, allowed)] == '\0';
}

static int read_all(int fd, char *buffer, size_t capacity, size_t *ret_size) {
    size_t n = 0;

    while (n < capacity) {
        ssize_t k = read(fd, buffer + n, capacity - n);
        if (k < 0 && errno != EINTR)
            return -errno;
        if (k == 0)
            break;
        n += k > 0 ? (size_t)k : 0;
    }
    *ret_size = n;
    return 0;
}

static int read_file(const EonayHost *host, const char *key, const char *path, Credential *ret) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    Credential c = {.bytes = calloc(1, CREDENTIAL_SIZE_MAX + 2)};

    if (!c.bytes)
        return -ENOMEM;
    int r = fd < 0 ? -errno : read_all(fd, c.bytes, CREDENTIAL_SIZE_MAX + 1, &c.size);
    if (r < 0 || c.size == 0 || c.size > CREDENTIAL_SIZE_MAX) {
        credential_clear(&c);
        return fault(host, EONAY_ERROR_FILE_INVALID, 0, "%s=: the credential %s", key,
                     r < 0 ? strerror(-r) : "is empty or too large");
    }
    *ret = c;
    return 0;
}

int credential_read(const EonayHost *host, const char *key, Credential *ret) {
    const char *name = host->config(host, key), *folder = getenv("CREDENTIALS_DIRECTORY");
    _cleanup_free_ char *path = NULL;

    *ret = (Credential){0};
    if (!name)
        return 0;
    if (!name_is_plain(name))
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "%s= must be the name of a credential, not the secret itself",
                     key);
    if (!folder || *folder != '/')
        return fault(host, EONAY_ERROR_FILE_INVALID, 0,
                     "%s=: the service manager passes no credentials (LoadCredential=)", key);
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return -ENOMEM;
    return read_file(host, key, path, ret);
}

int credential_read_line(const EonayHost *host, const char *key, Credential *ret) {
    Credential c;
    int r = credential_read(host, key, &c);

    if (r != 0 || !c.bytes)
        return r;
    while (c.size > 0 && (c.bytes[c.size - 1] == '\n' || c.bytes[c.size - 1] == '\r'))
        c.bytes[--c.size] = '\0';
    for (size_t i = 0; i < c.size; i++)
        if (c.bytes[i] < ' ' || c.bytes[i] > '~')
            r = EONAY_ERROR_FILE_INVALID;
    if (r == 0 && c.size > 0) {
        *ret = c;
        return 0;
    }
    credential_clear(&c);
    return fault(host, EONAY_ERROR_FILE_INVALID, 0, "%s=: the credential is no line of visible characters", key);
}
