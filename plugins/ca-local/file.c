/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files are named by the administrator, yet never trusted to be files: a FIFO would block the host, a device would
 * never end. They are opened without blocking and read only when regular and of a sane size.
 */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fault.h"
#include "scope.h"

static int file_fault(const EonayHost *host, const char *key, const char *path, const char *why) {
    return fault(host, EONAY_ERROR_FILE_INVALID, 0, "%s=%.300s: %s", key, path, why);
}

static int read_all(int fd, uint8_t *bytes, size_t size) {
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, bytes + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO; /* shorter than it was a moment ago */
        done += (size_t)n;
    }
    return 0;
}

int file_read(const EonayHost *host, const char *key, const char *path, size_t most, uint8_t **ret_bytes,
              size_t *ret_size) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    _cleanup_free_ uint8_t *bytes = NULL;
    struct stat st;
    int r = 0;

    if (fd < 0 || fstat(fd, &st) < 0)
        return file_fault(host, key, path, strerrordesc_np(errno));
    if (!S_ISREG(st.st_mode))
        return file_fault(host, key, path, "is not a regular file");
    if ((uintmax_t)st.st_size > most)
        return file_fault(host, key, path, "is too large");

    bytes = malloc((size_t)st.st_size + 1);
    if (!bytes)
        return -ENOMEM;
    if ((r = read_all(fd, bytes, (size_t)st.st_size)) < 0)
        return file_fault(host, key, path, strerrordesc_np(-r));
    bytes[st.st_size] = '\0';
    *ret_bytes = TAKE_PTR(bytes);
    *ret_size = (size_t)st.st_size;
    return 0;
}

typedef struct Names {
    struct dirent **entries;
    int n;
} Names;

static void names_end(Names *names) {
    for (int i = 0; i < names->n; i++)
        free(names->entries[i]);
    free(names->entries);
}

static int visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* By bytes: alphasort() would follow the locale. */
static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int walk_folder(const EonayHost *host, const char *key, const char *path,
                       int (*visit)(const EonayHost *, const char *, const char *, void *), void *data) {
    _cleanup_(names_end) Names names = {0};
    int r = 0;

    names.n = scandir(path, &names.entries, visible, by_name);
    if (names.n < 0)
        return names.n = 0, file_fault(host, key, path, strerrordesc_np(errno));
    for (int i = 0; r == 0 && i < names.n; i++) {
        char file[PATH_MAX];
        struct stat st;

        if ((size_t)snprintf(file, sizeof file, "%s/%s", path, names.entries[i]->d_name) >= sizeof file)
            return file_fault(host, key, path, "the path is too long");
        if (stat(file, &st) < 0)
            return file_fault(host, key, file, strerrordesc_np(errno));
        if (S_ISREG(st.st_mode))
            r = visit(host, key, file, data);
    }
    return r;
}

static int walk_one(const EonayHost *host, const char *key, const char *path,
                    int (*visit)(const EonayHost *, const char *, const char *, void *), void *data) {
    struct stat st;

    if (path[0] != '/')
        return file_fault(host, key, path, "must be an absolute path");
    if (stat(path, &st) < 0)
        return file_fault(host, key, path, strerrordesc_np(errno));
    return S_ISDIR(st.st_mode) ? walk_folder(host, key, path, visit, data) : visit(host, key, path, data);
}

int file_walk(const EonayHost *host, const char *key, const char *list,
              int (*visit)(const EonayHost *host, const char *key, const char *path, void *data), void *data) {
    int r = 0;

    while (r == 0 && *list) {
        size_t length = strcspn(list, ";");
        char path[PATH_MAX];

        if (length >= sizeof path)
            return file_fault(host, key, list, "the path is too long");
        (void)snprintf(path, sizeof path, "%.*s", (int)length, list);
        if (length > 0)
            r = walk_one(host, key, path, visit, data);
        list += length + (list[length] == ';');
    }
    return r;
}
