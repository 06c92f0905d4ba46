/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust.h"

#define CURRENT "current"

static char *version_name(uint32_t number) {
    return g_strdup_printf("%06u.store", number);
}

static uint32_t version_number(const char *name) {
    guint64 number = 0;
    g_autofree char *digits = g_str_has_suffix(name, ".store") ? g_strndup(name, strlen(name) - 6) : NULL;
    return digits && g_ascii_string_to_unsigned(digits, 10, 1, UINT32_MAX, &number, NULL) ? (uint32_t)number : 0;
}

uint32_t versions_current(const char *folder) {
    g_autofree char *link = g_build_filename(folder, CURRENT, NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    return target ? version_number(target) : 0;
}

uint32_t versions_highest(const char *folder) {
    uint32_t highest = 0;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        highest = MAX(highest, version_number(name));
    return highest;
}

bool versions_read(const char *folder, uint32_t number, GBytes **ret, GError **error) {
    g_autofree char *name = version_name(number);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *bytes;
    gsize size;
    if (!g_file_get_contents(path, &bytes, &size, error))
        return false;
    *ret = g_bytes_new_take(bytes, size);
    return true;
}

static bool fail(const char *path, GError **error) {
    g_set_error(error, TRUST_ERROR, 0, "%s: %s", path, g_strerror(errno));
    return false;
}

static bool folder_sync(const char *folder, GError **error) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return done ? true : fail(folder, error);
}

/* The link is made beside the old one and put in its place: whoever looks sees the one or the other. */
bool versions_choose(const char *folder, uint32_t number, GError **error) {
    g_autofree char *name = version_name(number);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *link = g_build_filename(folder, CURRENT, NULL);
    g_autofree char *beside = g_build_filename(folder, ".current.new", NULL);
    if (access(path, R_OK) < 0)
        return fail(path, error);
    if ((unlink(beside) < 0 && errno != ENOENT) || symlink(name, beside) < 0 || rename(beside, link) < 0)
        return fail(link, error);
    return folder_sync(folder, error);
}

bool versions_write(const char *folder, uint32_t number, const void *bytes, gsize size, GError **error) {
    g_autofree char *name = version_name(number);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_mkdir_with_parents(folder, 0755) < 0)
        return fail(folder, error);
    if (!g_file_set_contents_full(path, bytes, (gssize)size,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644, error))
        return false;
    return versions_choose(folder, number, error);
}
