/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock by its raw system calls: libc has no wrappers, and the headers may be older than the kernel that runs. What
 * a kernel's version does not know is left out of the request; the versions and what each added are in
 * handled_rights().
 */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "messages.h"
#include "system-paths.h"
#include "util.h"

/* The kernel's numbers (Documentation/userspace-api/landlock.rst), up to version 7. */
#define CREATE_VERSION  (1u << 0)
#define RULE_PATH       1
#define FS_EXECUTE      (1ull << 0)
#define FS_WRITE_FILE   (1ull << 1)
#define FS_READ_FILE    (1ull << 2)
#define FS_READ_DIR     (1ull << 3)
#define FS_MAKE_REG     (1ull << 8)
#define FS_REMOVE_DIR   (1ull << 4)
#define FS_REMOVE_FILE  (1ull << 5)
#define FS_MAKE_DIR     (1ull << 7)
#define FS_VERSION_1    ((1ull << 13) - 1)
#define FS_REFER        (1ull << 13) /* version 2 */
#define FS_TRUNCATE     (1ull << 14) /* version 3 */
#define FS_IOCTL_DEV    (1ull << 15) /* version 5 */
#define NET_BIND_TCP    (1ull << 0)  /* version 4 */
#define NET_CONNECT_TCP (1ull << 1)
#define SCOPE_ABSTRACT  (1ull << 0) /* version 6 */
#define SCOPE_SIGNAL    (1ull << 1)

#define RIGHTS_READ (FS_READ_FILE | FS_READ_DIR)
#define RIGHTS_WRITE                                                                                                   \
    (RIGHTS_READ | FS_WRITE_FILE | FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER | FS_TRUNCATE)
#define RIGHTS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

typedef struct Ruleset {
    uint64_t fs;
    uint64_t net;
    uint64_t scope;
} Ruleset;

typedef struct __attribute__((packed)) PathRule {
    uint64_t rights;
    int32_t fd;
} PathRule;

static const char *const null_device[] = {"/dev/null", NULL};

static Ruleset handled_rights(long version, unsigned needs) {
    Ruleset handled = {.fs = FS_VERSION_1};
    if (version >= 2)
        handled.fs |= FS_REFER;
    if (version >= 3)
        handled.fs |= FS_TRUNCATE;
    if (version >= 4 && !(needs & NEED_NETWORK))
        handled.net = NET_BIND_TCP | NET_CONNECT_TCP;
    if (version >= 5)
        handled.fs |= FS_IOCTL_DEV;
    if (version >= 6)
        handled.scope = SCOPE_ABSTRACT | SCOPE_SIGNAL;
    return handled;
}

static int allow_path(int ruleset, const char *path, uint64_t rights) {
    _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    PathRule rule = {.rights = S_ISDIR(st.st_mode) ? rights : rights & RIGHTS_OF_FILES, .fd = fd};
    return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) < 0 ? -errno : 0;
}

/* `configured`: somebody named these paths, so that one which is not there is worth a line. */
static int allow_paths(int ruleset, const char *const *paths, uint64_t rights, bool configured) {
    for (size_t i = 0; paths && paths[i]; i++) {
        int r = allow_path(ruleset, paths[i], rights);
        if (r == -ENOMEM || r == -EINVAL)
            return r;
        if (r < 0 && configured)
            log_event(LOG_WARNING, MESSAGE_CONFINEMENT_WEAK, NULL, "the plugin will not see %s: %s", paths[i],
                      strerror(-r));
    }
    return 0;
}

static int allow_all(int ruleset, uint64_t handled, const Confinement *c) {
    uint64_t reads = RIGHTS_READ & handled, writes = RIGHTS_WRITE & handled;
    int r = allow_paths(ruleset, system_paths, reads, false);
    if (r == 0 && (c->needs & NEED_CARD))
        r = allow_paths(ruleset, card_paths, reads, false);
    if (r == 0 && (c->needs & NEED_NETWORK))
        r = allow_paths(ruleset, network_paths, reads, false);
    if (r == 0 && (c->needs & NEED_NETWORK))
        r = allow_paths(ruleset, (const char *const[]){getenv(CONFINE_CREDENTIALS), NULL}, reads, true);
    if (r == 0)
        r = allow_paths(ruleset, null_device, reads | FS_WRITE_FILE, false);
    if (r == 0)
        r = allow_paths(ruleset, (const char *const *)c->module_folders, reads, true);
    if (r == 0)
        r = allow_paths(ruleset, (const char *const *)c->read_paths, reads, true);
    return r == 0 ? allow_paths(ruleset, (const char *const *)c->write_paths, writes, true) : r;
}

int landlock_confine(const Confinement *c) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
        log_event(LOG_WARNING, MESSAGE_CONFINEMENT_WEAK, NULL,
                  "this kernel has no Landlock: the plugin sees every file of its user");
        return 0;
    }
    if (version < 0)
        return -errno;
    Ruleset handled = handled_rights(version, c->needs); /* fields that an old kernel does not know are zero: allowed */
    _cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    if (ruleset < 0)
        return -errno;
    int r = allow_all(ruleset, handled.fs, c);
    if (r < 0)
        return r;
    return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
