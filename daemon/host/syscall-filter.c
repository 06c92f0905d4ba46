/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of what is refused, not of what is allowed: vendors' modules are built years from now with libraries nobody
 * here has seen, and one that dies of a harmless call is a card that cannot sign. Refused is what reaches other
 * processes, the kernel's inside, other programs, other sockets, and what would undo the other walls. A refused call
 * fails; it does not kill.
 */
#include "syscall-filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine.h"

#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

#define HAS_BITS(argument, bits) SCMP_CMP64((argument), SCMP_CMP_MASKED_EQ, (bits), (bits))
#define LOW_WORD_IS(argument, v) SCMP_CMP64((argument), SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, (uint32_t)(v))

/* Always refused with EPERM, by name, so that the list can be longer than the headers at hand are new. */
static const char *const refused[] = {
    /* other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_open",
    "pidfd_getfd", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "tkill", "fork", "vfork",
    "migrate_pages", "move_pages",
    /* the kernel */
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "kexec_load",
    "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module", "keyctl", "add_key",
    "request_key", "syslog", "acct", "quotactl", "quotactl_fd", "reboot", "swapon", "swapoff", "iopl", "ioperm",
    "modify_ldt", "lookup_dcookie", "nfsservctl", "fanotify_init", "settimeofday", "clock_settime", "adjtimex",
    "clock_adjtime", "stime", "sethostname", "setdomainname", "vhangup", "uselib", "_sysctl",
    /* namespaces and mounts */
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree",
    "open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "name_to_handle_at",
    "open_by_handle_at",
    /* what Landlock does not see: owner, mode and attributes by path; length, before its version 3 */
    "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "chown32", "lchown32", "setxattr", "lsetxattr",
    "setxattrat", "removexattr", "lremovexattr", "removexattrat", "file_setattr", "utime", "utimes", "futimesat",
    "truncate", "truncate64"};

/* Without any socket nothing can be done to one; with a socket pair of datagrams, something could be sent elsewhere. */
static const char *const socket_calls[] = {"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"};

static int refuse(scmp_filter_ctx filter, const char *name, int error) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0; /* this libseccomp does not know it, this architecture never had it */
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)error), number, 0);
}

static int refuse_names(scmp_filter_ctx filter, const char *const *names, size_t n, int error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = refuse(filter, names[i], error);
    return r;
}

static int refuse_when(scmp_filter_ctx filter, int number, int error, struct scmp_arg_cmp when) {
    return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint16_t)error), number, 1, &when);
}

static int refuse_programs(scmp_filter_ctx filter) {
    int r = refuse(filter, "execve", EACCES);
    if (r == 0)
        r = refuse(filter, "execveat", EACCES);
    /* Its flags lie in memory where no filter can look; ENOSYS lets libc fall back to clone(). */
    if (r == 0)
        r = refuse(filter, "clone3", ENOSYS);
    /* A thread is fine. A child is not: it would hold the daemon's socket and a copy of everything. */
    return r < 0 ? r
                 : refuse_when(filter, SCMP_SYS(clone), EPERM,
                               SCMP_CMP64(CLONE_FLAGS, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

/* Signals to ourselves are abort() and the like. */
static int refuse_signals(scmp_filter_ctx filter) {
    struct scmp_arg_cmp others = SCMP_CMP64(0, SCMP_CMP_NE, (uint64_t)getpid());
    int r = refuse_when(filter, SCMP_SYS(kill), EPERM, others);
    return r < 0 ? r : refuse_when(filter, SCMP_SYS(tgkill), EPERM, others);
}

static int refuse_undoing(scmp_filter_ctx filter) {
    int r = refuse_when(filter, SCMP_SYS(prctl), EPERM, LOW_WORD_IS(0, PR_SET_DUMPABLE));
    if (r == 0)
        r = refuse_when(filter, SCMP_SYS(prctl), EPERM, LOW_WORD_IS(0, PR_SET_PTRACER));
    if (r == 0)
        r = refuse_when(filter, SCMP_SYS(ioctl), EPERM, LOW_WORD_IS(1, TIOCSTI)); /* typing for the user */
    if (r == 0)
        r = refuse_when(filter, SCMP_SYS(ioctl), EPERM, LOW_WORD_IS(1, TIOCLINUX));
    /* READ_IMPLIES_EXEC and the like; 0xFFFFFFFF only asks. */
    return r < 0 ? r : refuse_when(filter, SCMP_SYS(personality), EPERM, SCMP_CMP64(0, SCMP_CMP_NE, 0xFFFFFFFFu));
}

/* The loader maps code readable and executable at once; only making written memory executable is refused. */
static int refuse_made_code(scmp_filter_ctx filter) {
    int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mmap), 1, HAS_BITS(2, PROT_WRITE | PROT_EXEC));
    if (r == 0)
        r = refuse_when(filter, SCMP_SYS(mprotect), EPERM, HAS_BITS(2, PROT_EXEC));
    if (r == 0)
        r = refuse_when(filter, SCMP_SYS(pkey_mprotect), EPERM, HAS_BITS(2, PROT_EXEC));
    return r;
}

static int refuse_family(scmp_filter_ctx filter, int number, enum scmp_compare how, int family) {
    return refuse_when(filter, number, EAFNOSUPPORT, SCMP_CMP64(0, how, (uint64_t)family));
}

/* The name service needs no UNIX socket: without one, libc asks the servers of /etc/resolv.conf itself. */
static int refuse_all_but_internet(scmp_filter_ctx filter) {
    int r = refuse_family(filter, SCMP_SYS(socket), SCMP_CMP_LT, AF_INET);
    for (int family = AF_INET + 1; r == 0 && family < AF_INET6; family++)
        r = refuse_family(filter, SCMP_SYS(socket), SCMP_CMP_EQ, family);
    return r < 0 ? r : refuse_family(filter, SCMP_SYS(socket), SCMP_CMP_GT, AF_INET6);
}

static int refuse_sockets(scmp_filter_ctx filter, unsigned needs) {
    if ((needs & (NEED_CARD | NEED_NETWORK)) == 0)
        return refuse_names(filter, socket_calls, sizeof(socket_calls) / sizeof(socket_calls[0]), EACCES);
    int r = refuse_family(filter, SCMP_SYS(socketpair), SCMP_CMP_NE, AF_UNIX);
    if (r < 0)
        return r;
    if (needs & NEED_CARD)
        return refuse_family(filter, SCMP_SYS(socket), SCMP_CMP_NE, AF_UNIX);
    return refuse_all_but_internet(filter);
}

static int fill(scmp_filter_ctx filter, unsigned needs) {
    int r = refuse_names(filter, refused, sizeof(refused) / sizeof(refused[0]), EPERM);
    if (r == 0)
        r = refuse_programs(filter);
    if (r == 0)
        r = refuse_signals(filter);
    if (r == 0)
        r = refuse_undoing(filter);
    if (r == 0 && !(needs & NEED_JIT))
        r = refuse_made_code(filter);
    return r < 0 ? r : refuse_sockets(filter, needs);
}

int syscall_filter_load(unsigned needs) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return -ENOMEM;
    int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (r == 0)
        r = fill(filter, needs);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}
