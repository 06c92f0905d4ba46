/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon accepts only sealed memory: a file could block it on a slow disk, or change while it is read. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signals.h"
#include "util.h"

static int read_all(int fd, size_t max, GByteArray *into) {
    for (;;) {
        guint8 chunk[16384];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (into->len + (size_t)n > max)
            return -EFBIG;
        g_byte_array_append(into, chunk, (guint)n);
    }
}

static int read_path(const char *path, size_t max, GByteArray *into) {
    SIGNALS_END_US;
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, max, into);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : read_all(fd, max, into);
}

static int write_all(int fd, const guint8 *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int memfd_of(const guint8 *data, size_t size, int *ret_fd) {
    _cleanup_close_ int fd = memfd_create("eonayctl", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, data, size);
    if (r < 0)
        return r;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0 ||
        lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int file_memfd_of(GBytes *bytes, int *ret_fd) {
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    return memfd_of(data, size, ret_fd);
}

int file_read(const char *path, size_t max, GBytes **ret) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    int r = read_path(path, max, bytes);
    if (r < 0)
        return r;
    if (bytes->len == 0)
        return -ENODATA;
    *ret = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
    return 0;
}

int file_to_memfd(const char *path, size_t max, int *ret_fd) {
    g_autoptr(GBytes) bytes = NULL;
    int r = file_read(path, max, &bytes);
    return r < 0 ? r : file_memfd_of(bytes, ret_fd);
}

int file_from_memfd(int fd, size_t max, GBytes **ret) {
    struct stat st;
    const int wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    if (fstat(fd, &st) < 0)
        return -errno;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & wanted) != wanted)
        return -EBADFD;
    if ((guint64)st.st_size > max)
        return -EFBIG;
    size_t size = (size_t)st.st_size;
    g_autofree guint8 *data = g_malloc(size + 1);
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(fd, data + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    *ret = g_bytes_new_take(g_steal_pointer(&data), size);
    return 0;
}

static int store_on_stdout(const void *data, size_t size) {
    if (isatty(STDOUT_FILENO))
        return -ENOTSUP;
    fflush(stdout);
    return write_all(STDOUT_FILENO, data, size);
}

/* A device, a pipe: something to write into, never to be replaced by a file. */
static int store_into(const char *path, const void *data, size_t size) {
    SIGNALS_END_US; /* a named pipe waits for its reader */
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    return isatty(fd) ? -ENOTSUP : write_all(fd, data, size);
}

static int store_durably(const char *path, const void *data, size_t size) {
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    _cleanup_close_ int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, data, size);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(temporary);
    return r;
}

int file_store(const char *path, const void *data, size_t size) {
    struct stat st;
    if (strcmp(path, "-") == 0)
        return store_on_stdout(data, size);
    bool there = stat(path, &st) == 0;
    if (there && !S_ISREG(st.st_mode))
        return store_into(path, data, size);
    char *target = there ? realpath(path, NULL) : NULL; /* a link, such as /dev/stdout, stays one */
    int r = store_durably(target ? target : path, data, size);
    free(target);
    return r;
}

char *file_numbered(const char *path, unsigned number) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    if (!dot || dot == base)
        return g_strdup_printf("%s-%u", path, number);
    return g_strdup_printf("%.*s-%u%s", (int)(dot - path), path, number, dot);
}

int file_line(const char *path, size_t max, char **ret) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    int r = read_path(path, max, bytes);
    if (r < 0)
        return r;
    g_autofree char *line = bytes->len > 0 ? g_strndup((const char *)bytes->data, bytes->len) : g_strdup("");
    *ret = g_strdup(g_strstrip(line));
    return 0;
}
