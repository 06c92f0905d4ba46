/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Neither seccomp nor Landlock (up to its version 8) can tell one UNIX socket from another, and a host that talks to
 * pcscd needs UNIX sockets. Sockets may lie anywhere, so it is not enough to empty the folders where they usually do:
 * the host gets a root of its own, and what it works with is bound to its old place there. Each such path is opened
 * before, while it can still be seen. What is not in the new root has no name any more.
 */
#include "private-root.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system-paths.h"
#include "util.h"

#define PLACE        "/run" /* is there on every Linux; covered by the new root until that is entered */
#define ROOT_FLAGS   (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define ROOT_OPTIONS "mode=0755,size=1m"

static const char *const always[] = {"/run/pcscd", "/proc", "/dev/null", NULL};

typedef struct Kept {
    char *path;
    int fd;
} Kept;

static void kept_free(Kept *k) {
    safe_close(k->fd);
    g_free(k->path);
    g_free(k);
}

/* What is not there needs no keeping. */
static void keep(GPtrArray *kept, const char *path) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return;
    Kept *k = g_new(Kept, 1);
    *k = (Kept){.path = g_strdup(path), .fd = fd};
    g_ptr_array_add(kept, k);
}

/* Where it is said to be and, when links lead elsewhere, where it is. Of /proc there is one for all. */
static void keep_both(GPtrArray *kept, const char *path) {
    if (g_str_has_prefix(path, "/proc/"))
        return;
    char *real = realpath(path, NULL);
    keep(kept, path);
    if (real && strcmp(real, path) != 0)
        keep(kept, real);
    free(real);
}

/* A folder comes before what lies in it, so that it does not cover that. */
static int by_path(const void *a, const void *b) {
    const Kept *const *one = a, *const *other = b;
    return strcmp((*one)->path, (*other)->path);
}

static GPtrArray *kept_of(const Confinement *c) {
    GPtrArray *kept = g_ptr_array_new_with_free_func((GDestroyNotify)kept_free);
    const char *const *lists[] = {system_paths, card_paths, (const char *const *)c->module_folders,
                                  (const char *const *)c->read_paths, (const char *const *)c->write_paths};
    for (const char *const *path = always; *path; path++)
        keep(kept, *path);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (const char *const *path = lists[i]; path && *path; path++)
            keep_both(kept, *path);
    g_ptr_array_sort(kept, by_path);
    return kept;
}

/* Something to mount it on, unless a folder around it was bound and it is there already. */
static int make_place(const Kept *k, const char *place) {
    struct stat st;
    g_autofree char *folder = g_path_get_dirname(place);
    if (fstat(k->fd, &st) < 0)
        return -errno;
    if (access(place, F_OK) == 0)
        return 0;
    if (g_mkdir_with_parents(S_ISDIR(st.st_mode) ? place : folder, 0755) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return 0;
    _cleanup_close_ int fd = open(place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : 0;
}

/* With what is mounted below it: a user namespace may not take that apart. */
static int put_back(const Kept *k) {
    char source[32];
    g_autofree char *place = g_strconcat(PLACE, k->path, NULL);
    int r = make_place(k, place);
    if (r < 0)
        return r;
    snprintf(source, sizeof(source), "/proc/self/fd/%d", k->fd);
    return mount(source, place, NULL, MS_BIND | MS_REC, NULL) < 0 ? -errno : 0;
}

/* Twice the same folder: the old root comes to lie upon the new one, and is taken away (pivot_root(2)). */
static int enter(void) {
    unsigned long read_only = MS_BIND | MS_REMOUNT | MS_RDONLY | ROOT_FLAGS;
    if (mount(NULL, PLACE, NULL, read_only, NULL) < 0 || chdir(PLACE) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
        umount2(".", MNT_DETACH) < 0)
        return -errno;
    return chdir("/") < 0 ? -errno : 0; /* the old folder would still lead to all the others */
}

int private_root_enter(const Confinement *c) {
    g_autoptr(GPtrArray) kept = kept_of(c);
    if (kept->len > 0 && strcmp(((const Kept *)kept->pdata[0])->path, "/") == 0)
        return -EXDEV; /* an administrator who gives away everything has given away its sockets */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
        mount("tmpfs", PLACE, "tmpfs", ROOT_FLAGS, ROOT_OPTIONS) < 0)
        return -errno;
    for (guint i = 0; i < kept->len; i++) {
        int r = put_back(kept->pdata[i]);
        if (r < 0)
            return r;
    }
    return enter();
}
