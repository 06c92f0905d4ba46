/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constructors of a shared object are code too, so all walls stand before dlopen(). Under systemd the unit has drawn
 * most of them already; here they are drawn again, because the same program also runs where no unit guards it. What the
 * kernel or an outer sandbox does not let us have is logged when others stand behind it (namespaces, Landlock), and
 * fatal when not (system calls).
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock.h"
#include "log.h"
#include "private-root.h"
#include "syscall-filter.h"
#include "usage.h"
#include "util.h"

int confine_needs_from_names(char **names, unsigned *ret) {
    static const char *const known[] = {"network", "card", "files", "jit"};
    unsigned needs = 0;
    for (size_t i = 0; names[i]; i++) {
        size_t k = 0;
        while (k < G_N_ELEMENTS(known) && strcmp(known[k], names[i]) != 0)
            k++;
        if (k == G_N_ELEMENTS(known))
            return -EINVAL;
        needs |= 1u << k;
    }
    *ret = needs;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- start -- */

static int null_stream(int stream) {
    _cleanup_close_ int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fd == stream)
        return fcntl(TAKE_FD(fd), F_SETFD, 0) < 0 ? -errno : 0;
    return dup2(fd, stream) < 0 ? -errno : 0;
}

static int close_all_but(unsigned fd) {
    if (fd > 3 && close_range(3, fd - 1, 0) < 0)
        return -errno;
    return close_range(fd + 1, ~0u, 0) < 0 ? -errno : 0;
}

int confine_start(int fd) {
    if (fcntl(STDERR_FILENO, F_GETFD) < 0 && null_stream(STDERR_FILENO) < 0)
        return -errno;
    int r = null_stream(STDIN_FILENO);
    if (r == 0)
        r = null_stream(STDOUT_FILENO);
    if (r == 0)
        r = close_all_but((unsigned)fd);
    if (r < 0)
        return r;
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    umask(077);
    return usage_limit();
}

/* ----------------------------------------------------------------------------------------------- namespaces -- */

static int write_map(const char *path, const char *map) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return write(fd, map, strlen(map)) < 0 ? -errno : 0;
}

/* A user namespace is what lets an ordinary user have the others; within it he stays who he is. */
static int enter_user_namespace(int flags) {
    char uid_map[64], gid_map[64];
    snprintf(uid_map, sizeof(uid_map), "%u %u 1", geteuid(), geteuid());
    snprintf(gid_map, sizeof(gid_map), "%u %u 1", getegid(), getegid());
    if (unshare(CLONE_NEWUSER | flags) < 0)
        return -errno;
    int r = write_map("/proc/self/setgroups", "deny");
    if (r == 0)
        r = write_map("/proc/self/uid_map", uid_map);
    return r < 0 ? r : write_map("/proc/self/gid_map", gid_map);
}

static int enter_namespaces(int flags) {
    if (unshare(flags) == 0)
        return 0;
    return errno == EPERM ? enter_user_namespace(flags) : -errno;
}

static void leave_network(const Confinement *c) {
    if (c->in_unit || (c->needs & NEED_NETWORK))
        return;
    int r = enter_namespaces(CLONE_NEWNET | (c->needs & NEED_CARD ? CLONE_NEWNS : 0));
    if (r < 0) {
        log_info("no network namespace of its own (%s); the filter of system calls still refuses sockets",
                 strerror(-r));
        return;
    }
    if (c->needs & NEED_CARD)
        r = private_root_enter(c);
    if (r < 0)
        log_info("the sockets of others stay visible (%s)", strerror(-r));
}

/* ------------------------------------------------------------------------------------------------- privilege -- */

static int drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, now) == 0 && memcmp(now, none, sizeof(none)) == 0)
        return 0; /* a unit may have taken capset() away too */
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &header, none) < 0)
        return -errno;
    return 0;
}

/* ----------------------------------------------------------------------------------------------- environment -- */

static bool variable_is_kept(const char *variable) {
    static const char *const kept[] = {"PATH=", "LANG=", "LC_", "TZ="};
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
        if (g_str_has_prefix(variable, kept[i]))
            return true;
    return false;
}

static int set_variables(char **variables, bool (*wanted)(const char *)) {
    for (size_t i = 0; variables && variables[i]; i++) {
        const char *value = strchr(variables[i], '=');
        if (!value || value == variables[i])
            return -EINVAL;
        g_autofree char *name = g_strndup(variables[i], (gsize)(value - variables[i]));
        if ((!wanted || wanted(variables[i])) && setenv(name, value + 1, 1) < 0)
            return -errno;
    }
    return 0;
}

/* The service manager's credentials are keys to an authority; nothing that signs has any business with them. */
static int keep_credentials(char **before) {
    const char *folder = g_environ_getenv(before, CONFINE_CREDENTIALS);
    return folder && setenv(CONFINE_CREDENTIALS, folder, 1) < 0 ? -errno : 0;
}

static int replace_environment(char **environment, unsigned needs) {
    g_auto(GStrv) before = g_strdupv(environ);
    /* libraries that look for files of the user find none, and do not ask the user database, which they may not read */
    if (clearenv() != 0 || setenv("HOME", "/nonexistent", 1) < 0)
        return -ENOMEM;
    int r = set_variables(before, variable_is_kept);
    if (r == 0 && (needs & NEED_NETWORK))
        r = keep_credentials(before);
    return r < 0 ? r : set_variables(environment, NULL);
}

/* ------------------------------------------------------------------------------------------------------ all -- */

int confine_process(const Confinement *c) {
    int r = replace_environment(c->environment, c->needs);
    if (r < 0)
        return r;
    leave_network(c); /* before PR_SET_DUMPABLE: without it /proc/self/uid_map is root's */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    r = drop_capabilities();
    if (r < 0)
        return r;
    r = landlock_confine(c);
    if (r < 0)
        return r;
    return syscall_filter_load(c->needs);
}
