/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit forbids the network already; a window started from the menu, or a desktop without systemd, has no unit. The
 * bus, the display and the screen reader are all reached through AF_UNIX.
 */
#include "confine.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "util.h"

static const char *const refused[] = {"io_uring_setup",
                                      "io_uring_enter",
                                      "io_uring_register",
                                      "ptrace",
                                      "process_vm_readv",
                                      "process_vm_writev",
                                      "pidfd_getfd",
                                      "bpf",
                                      "perf_event_open",
                                      "userfaultfd",
                                      "keyctl",
                                      "add_key",
                                      "request_key"};

static void filter_release(scmp_filter_ctx *filter) {
    seccomp_release(*filter);
}

static int refuse_calls(scmp_filter_ctx filter) {
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int number = seccomp_syscall_resolve_name(refused[i]);
        int r = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
        if (r < 0)
            return r;
    }
    return 0;
}

static int forbid_network(void) {
    _cleanup_(filter_release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return -ENOMEM;
    int r = refuse_calls(filter);
    if (r == 0) /* the upper half of the register is not looked at by the kernel */
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                             SCMP_CMP64(0, SCMP_CMP_GT, AF_UNIX));
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                             SCMP_CMP64(0, SCMP_CMP_LT, AF_UNIX));
    return r == 0 ? seccomp_load(filter) : r;
}

int confine(void) {
    const struct rlimit none = {0, 0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        setrlimit(RLIMIT_CORE, &none) < 0)
        return -errno;
    return forbid_network();
}
