/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is trusted when nobody but root (or the one uid we were told) could change it or put another in its place: it
 * and every folder and symbolic link on the way must belong to such a user, and must not be writable by group or
 * others. A sticky folder such as /tmp is the exception: others may add entries there, but cannot take away those that
 * belong to the trusted.
 */
#include "trust.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eonay/plugin.h"
#include "util.h"

#define LINKS_MAX           40 /* as many as the kernel follows */
#define PROGRAM_HEADERS_MAX 128
#define OVERFLOW_UID        65534 /* how the kernel shows an owner whom a user namespace does not know */

/* Our own first bytes, placed by the linker: the class, byte order and machine that a module must share. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static int refuse(int code, char **ret_reason, const char *path, const char *reason) {
    *ret_reason = g_strdup_printf("%s: %s", path, reason);
    return code;
}

static int refuse_errno(char **ret_reason, const char *path) {
    bool absent = errno == ENOENT || errno == ENOTDIR;
    return refuse(EONAY_ERROR_MODULE_MISSING, ret_reason, path, absent ? "there is no such file" : g_strerror(errno));
}

/* --------------------------------------------------------------------------------------------------- the way -- */

static int check_entry(const Trust *trust, const char *path, const struct stat *st, char **ret_reason) {
    if (st->st_uid != 0 && !(trust->own && (st->st_uid == trust->uid || st->st_uid == trust->hidden)))
        return refuse(EONAY_ERROR_MODULE_UNTRUSTED, ret_reason, path, "it does not belong to root");
    if (S_ISLNK(st->st_mode) || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
        return 0;
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return refuse(EONAY_ERROR_MODULE_UNTRUSTED, ret_reason, path, "others than its owner may write to it");
    return 0;
}

/* What remains to be walked when `at` is a symbolic link: its target, then the rest; absolute or relative to its
 * folder. */
static char *follow_link(const char *folder, const char *at, const char *rest) {
    char target[PATH_MAX];
    ssize_t n = readlink(at, target, sizeof(target) - 1);
    if (n < 0)
        return NULL;
    target[n] = '\0';
    return target[0] == '/' ? g_strdup_printf("%s/%s", target, rest)
                            : g_strdup_printf("%s/%s/%s", folder, target, rest);
}

static char *path_step(const char *folder, const char *name) {
    if (strcmp(name, "..") == 0)
        return g_path_get_dirname(folder); /* folder holds no link any more, so this is its parent */
    return g_build_filename(folder, name, NULL);
}

/* One walk from the root. Returns 0 with the place reached, -ELOOP with *path replaced where a link was met, or a
 * condition. */
static int walk_once(const Trust *trust, char **path, char **ret_place, char **ret_reason) {
    g_auto(GStrv) names = g_strsplit(*path, "/", -1);
    g_autofree char *place = g_strdup("/");
    for (size_t i = 0; names[i]; i++) {
        if (names[i][0] == '\0' || strcmp(names[i], ".") == 0)
            continue;
        g_autofree char *next = path_step(place, names[i]);
        struct stat st;
        if (lstat(next, &st) < 0)
            return refuse_errno(ret_reason, next);
        int r = check_entry(trust, next, &st, ret_reason);
        if (r != 0)
            return r;
        if (S_ISLNK(st.st_mode)) {
            g_autofree char *rest = g_strjoinv("/", names + i + 1);
            char *followed = follow_link(place, next, rest);
            g_free(*path);
            *path = followed;
            return followed ? -ELOOP : refuse_errno(ret_reason, next);
        }
        g_free(place);
        place = TAKE_PTR(next);
    }
    *ret_place = TAKE_PTR(place);
    return 0;
}

static int check_way(const Trust *trust, const char *path, char **ret_place, char **ret_reason) {
    struct stat root;
    if (lstat("/", &root) < 0)
        return refuse_errno(ret_reason, "/");
    int r = check_entry(trust, "/", &root, ret_reason);
    if (r != 0)
        return r;
    g_autofree char *way = g_strdup(path);
    for (int links = 0; links <= LINKS_MAX; links++) {
        r = walk_once(trust, &way, ret_place, ret_reason);
        if (r != -ELOOP)
            return r;
    }
    return refuse(EONAY_ERROR_MODULE_INVALID, ret_reason, path, "too many symbolic links");
}

/* --------------------------------------------------------------------------------------------------- the file -- */

static bool header_is_ours(const ElfW(Ehdr) * header) {
    const ElfW(Ehdr) *own = &__ehdr_start;
    return memcmp(header->e_ident, own->e_ident, EI_VERSION + 1) == 0 && header->e_machine == own->e_machine;
}

static const char *machine_name(const ElfW(Ehdr) * header) {
    switch (header->e_machine) {
    case EM_386:
        return "i386, 32 bit";
    case EM_X86_64:
        return header->e_ident[EI_CLASS] == ELFCLASS32 ? "x32" : "x86_64";
    case EM_ARM:
        return "arm, 32 bit";
    case EM_AARCH64:
        return "aarch64";
    case EM_RISCV:
        return "riscv";
    case EM_PPC64:
        return "powerpc64";
    case EM_S390:
        return "s390x";
    case EM_MIPS:
        return "mips";
    default:
        return "an unknown one";
    }
}

/* e_machine stands at the same place in headers of 32 and 64 bits; in the other byte order it is not looked at. */
static int refuse_architecture(char **ret_reason, const char *path, const ElfW(Ehdr) * header) {
    bool readable = header->e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA];
    *ret_reason =
        g_strdup_printf("%s: it was built for another architecture: %s; this program is for %s", path,
                        readable ? machine_name(header) : "one of the other byte order", machine_name(&__ehdr_start));
    return EONAY_ERROR_MODULE_INVALID;
}

/* The loader maps what the headers promise and dies of SIGBUS where the file is shorter. */
static bool file_is_whole(int fd, const ElfW(Ehdr) * header, off_t size) {
    ElfW(Phdr) programs[PROGRAM_HEADERS_MAX];
    size_t bytes = header->e_phnum * sizeof(programs[0]);
    if (header->e_phnum == 0 || header->e_phnum > PROGRAM_HEADERS_MAX || header->e_phentsize != sizeof(programs[0]) ||
        pread(fd, programs, bytes, (off_t)header->e_phoff) != (ssize_t)bytes)
        return false;
    for (size_t i = 0; i < header->e_phnum; i++)
        if (programs[i].p_type == PT_LOAD &&
            (programs[i].p_offset > (uint64_t)size || programs[i].p_filesz > (uint64_t)size - programs[i].p_offset))
            return false;
    return true;
}

static int check_elf(int fd, const char *path, char **ret_reason) {
    struct stat st;
    ElfW(Ehdr) header;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return refuse(EONAY_ERROR_MODULE_INVALID, ret_reason, path, "it is not a regular file");
    if (pread(fd, &header, sizeof(header), 0) != sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(EONAY_ERROR_MODULE_INVALID, ret_reason, path, "it is not an ELF file");
    if (!header_is_ours(&header))
        return refuse_architecture(ret_reason, path, &header);
    if (header.e_type != ET_DYN)
        return refuse(EONAY_ERROR_MODULE_INVALID, ret_reason, path, "it is not a shared object");
    if (!file_is_whole(fd, &header, st.st_size))
        return refuse(EONAY_ERROR_MODULE_INVALID, ret_reason, path, "it is damaged: a part is missing");
    return 0;
}

uid_t trust_hidden_owner(void) {
    g_autofree char *map = NULL;
    if (!g_file_get_contents("/proc/self/uid_map", &map, NULL, NULL))
        return 0;
    g_auto(GStrv) lines = g_strsplit(map, "\n", -1);
    for (size_t i = 0; lines[i]; i++) {
        char *rest; /* first uid inside, first uid outside, how many */
        unsigned long first = strtoul(lines[i], &rest, 10);
        strtoul(rest, &rest, 10);
        unsigned long count = strtoul(rest, NULL, 10);
        if (first <= OVERFLOW_UID && OVERFLOW_UID - first < count)
            return 0;
    }
    return OVERFLOW_UID;
}

int trust_check_module(const Trust *trust, const char *path, char **ret_reason) {
    if (path[0] != '/')
        return refuse(EONAY_ERROR_MODULE_INVALID, ret_reason, path, "it is not an absolute path");
    g_autofree char *place = NULL;
    int r = check_way(trust, path, &place, ret_reason);
    if (r != 0)
        return r;
    /* a FIFO or a device must not be opened for good: O_NONBLOCK, and check_elf() looks at what it is */
    _cleanup_close_ int fd = open(place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_errno(ret_reason, path);
    return check_elf(fd, path, ret_reason);
}
