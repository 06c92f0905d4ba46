/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Neither seccomp nor Landlock (up to its version 8) can tell one UNIX socket from another, and a host that talks to
 * pcscd needs UNIX sockets. So the folders in which sockets are made are empty for it: the system bus, the journal, a
 * session's sockets and everybody else's do not exist. What the plugin works with is bound to its old place in them;
 * it is opened before, while it can still be seen.
 */
#include "private-folders.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define EMPTY_FLAGS   (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define EMPTY_OPTIONS "mode=0755,size=1m"

static const char *const emptied[] = {"/run", "/tmp", "/var", "/home", "/root", "/srv", "/mnt", "/media", "/dev/shm"};

typedef struct Kept {
    char *path;
    int fd;
} Kept;

static void kept_free(Kept *k) {
    safe_close(k->fd);
    g_free(k->path);
    g_free(k);
}

static bool lies_in(const char *path, const char *folder) {
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_emptied(const char *path) {
    for (size_t i = 0; i < G_N_ELEMENTS(emptied); i++)
        if (lies_in(path, emptied[i]))
            return true;
    return false;
}

/* What is not there, or not in an emptied folder, needs no keeping. */
static void keep(GPtrArray *kept, const char *path) {
    if (!is_emptied(path))
        return;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return;
    Kept *k = g_new(Kept, 1);
    *k = (Kept){.path = g_strdup(path), .fd = fd};
    g_ptr_array_add(kept, k);
}

/* Where it is said to be and, when links lead elsewhere, where it is. */
static void keep_both(GPtrArray *kept, const char *path) {
    char *real = realpath(path, NULL);
    keep(kept, path);
    if (real && strcmp(real, path) != 0)
        keep(kept, real);
    free(real);
}

static GPtrArray *kept_of(const Confinement *c) {
    GPtrArray *kept = g_ptr_array_new_with_free_func((GDestroyNotify)kept_free);
    char **lists[] = {c->module_folders, c->read_paths, c->write_paths};
    keep(kept, "/run/pcscd");
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (char **path = lists[i]; path && *path; path++)
            keep_both(kept, *path);
    return kept;
}

/* Something to mount it on, unless a folder around it was bound and it is there already. */
static int make_place(const Kept *k) {
    struct stat st;
    g_autofree char *folder = g_path_get_dirname(k->path);
    if (fstat(k->fd, &st) < 0)
        return -errno;
    if (access(k->path, F_OK) == 0)
        return 0;
    if (g_mkdir_with_parents(S_ISDIR(st.st_mode) ? k->path : folder, 0755) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return 0;
    _cleanup_close_ int fd = open(k->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : 0;
}

/* With what is mounted below it: a user namespace may not take that apart. */
static int put_back(const Kept *k) {
    char source[32];
    int r = make_place(k);
    if (r < 0)
        return r;
    snprintf(source, sizeof(source), "/proc/self/fd/%d", k->fd);
    return mount(source, k->path, NULL, MS_BIND | MS_REC, NULL) < 0 ? -errno : 0;
}

/* An administrator who gives away all of /tmp has given away its sockets. */
static bool is_kept_whole(const GPtrArray *kept, const char *folder) {
    for (guint i = 0; i < kept->len; i++)
        if (strcmp(((const Kept *)kept->pdata[i])->path, folder) == 0)
            return true;
    return false;
}

static int empty(const char *folder) {
    return mount("tmpfs", folder, "tmpfs", EMPTY_FLAGS, EMPTY_OPTIONS) < 0 && errno != ENOENT ? -errno : 0;
}

/* This mount only (MS_BIND), not what is mounted. */
static int make_read_only(const char *folder) {
    unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | EMPTY_FLAGS;
    return mount(NULL, folder, NULL, flags, NULL) < 0 && errno != ENOENT ? -errno : 0;
}

static int for_emptied(const GPtrArray *kept, int (*operation)(const char *)) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < G_N_ELEMENTS(emptied); i++)
        if (!is_kept_whole(kept, emptied[i]))
            r = operation(emptied[i]);
    return r;
}

int private_folders_enter(const Confinement *c) {
    g_autoptr(GPtrArray) kept = kept_of(c);
    int r = mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ? -errno : for_emptied(kept, empty);
    for (guint i = 0; r == 0 && i < kept->len; i++)
        r = put_back(kept->pdata[i]);
    if (r == 0)
        r = for_emptied(kept, make_read_only);
    return r == 0 && chdir("/") < 0 ? -errno : r; /* the old folder would still lead to all the others */
}
