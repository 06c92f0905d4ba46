/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Neither seccomp nor Landlock (up to its version 8) can tell one UNIX socket from another, and a host that talks to
 * pcscd needs UNIX sockets. So it gets a /run in which the system bus, the journal and everybody else's sockets do not
 * exist.
 */
#include "private-run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define PCSCD_FOLDER "/run/pcscd"

static int bind_folder(int source, const char *target) {
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", source);
    if (mkdir(target, 0755) < 0)
        return -errno;
    return mount(path, target, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

int private_run_enter(void) {
    _cleanup_close_ int pcscd = open(PCSCD_FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (pcscd < 0 && errno != ENOENT)
        return -errno;
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=64k") < 0)
        return -errno;
    int r = pcscd >= 0 ? bind_folder(pcscd, PCSCD_FOLDER) : 0;
    if (r < 0)
        return r;
    return mount(NULL, "/run", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}
