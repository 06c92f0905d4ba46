/* SPDX-License-Identifier: Apache-2.0 */
/* Each action is a function. An action that tries the walls of a confined process (probe-…) answers with the errno it
 * met as CKR_VENDOR_DEFINED + errno, so that the caller can tell "refused" from "went through" (+ 0). */
#include "fault.h"

#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILD_LIFE_SECONDS = 120 };

static unsigned long argument_number(const FaultScript *fault) {
    return strtoul(fault->argument, NULL, 0);
}

void fault_delay(unsigned milliseconds) {
    struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static CK_RV action_return(const FaultScript *fault) {
    unsigned long value = CKR_GENERAL_ERROR;
    (void)name_value(return_values, fault->argument, &value);
    return value;
}

_Noreturn static void wait_for_ever(void) {
    for (;;)
        pause();
}

static CK_RV action_hang(const FaultScript *fault) {
    (void)fault;
    wait_for_ever();
}

static CK_RV action_hang_blocked(const FaultScript *fault) {
    sigset_t all;
    sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    return action_hang(fault);
}

static CK_RV action_spin(const FaultScript *fault) {
    (void)fault;
    volatile bool on = true;
    while (on)
        ;
    return CKR_OK;
}

static CK_RV action_slow(const FaultScript *fault) {
    fault_delay((unsigned)argument_number(fault));
    return CKR_OK;
}

/* By the kernel's hand, so that no sanitizer turns it into an exit. */
static CK_RV action_segfault(const FaultScript *fault) {
    (void)fault;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return CKR_GENERAL_ERROR;
}

static CK_RV action_abort(const FaultScript *fault) {
    (void)fault;
    abort();
}

static CK_RV action_exit(const FaultScript *fault) {
    exit((int)argument_number(fault));
}

static CK_RV action_quick_exit(const FaultScript *fault) {
    _exit((int)argument_number(fault));
}

static CK_RV action_leak(const FaultScript *fault) {
    size_t size = argument_number(fault) * 1024;
    /* Touched, or the kernel would not count it; kept from the optimiser by the volatile. */
    volatile unsigned char *lost = malloc(size ? size : 1);
    for (size_t i = 0; lost && i < size; i += 512)
        lost[i] = (unsigned char)i;
    return CKR_OK;
}

static CK_RV action_leak_descriptor(const FaultScript *fault) {
    (void)fault;
    (void)!dup(STDERR_FILENO);
    return CKR_OK;
}

static CK_RV vendor_errno(int error) {
    return CKR_VENDOR_DEFINED + (unsigned long)error;
}

/* The child outlives the call and keeps every descriptor of its parent, as a careless module's does. */
static CK_RV action_fork(const FaultScript *fault) {
    (void)fault;
    pid_t child = fork();
    if (child == 0) {
        sleep(CHILD_LIFE_SECONDS);
        _exit(0);
    }
    return child < 0 ? vendor_errno(errno) : CKR_OK;
}

static void *thread_wait(void *unused) {
    (void)unused;
    wait_for_ever();
}

/* A notifier thread nobody stops. */
static CK_RV action_thread(const FaultScript *fault) {
    pthread_t thread;
    (void)fault;
    int error = pthread_create(&thread, NULL, thread_wait, NULL);
    if (error == 0)
        pthread_detach(thread);
    return error ? vendor_errno(error) : CKR_OK;
}

static CK_RV action_print(const FaultScript *fault) {
    printf("%s\n", fault->argument);
    fflush(stdout);
    return CKR_OK;
}

static CK_RV probe_connect(int family, const struct sockaddr *address, socklen_t size) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return vendor_errno(errno);
    int error = connect(fd, address, size) < 0 && errno != EINPROGRESS ? errno : 0;
    close(fd);
    return vendor_errno(error);
}

/* A path, or @name for an abstract socket. */
static CK_RV action_probe_unix(const FaultScript *fault) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(fault->argument);
    if (length == 0 || length >= sizeof(address.sun_path))
        return CKR_ARGUMENTS_BAD;
    memcpy(address.sun_path, fault->argument, length);
    if (address.sun_path[0] == '@')
        address.sun_path[0] = '\0';
    return probe_connect(AF_UNIX, (struct sockaddr *)&address,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

/* A port of the loopback. */
static CK_RV action_probe_tcp(const FaultScript *fault) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)argument_number(fault))};
    return probe_connect(AF_INET, (struct sockaddr *)&address, sizeof(address));
}

static CK_RV probe_open(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        return vendor_errno(errno);
    close(fd);
    return vendor_errno(0);
}

static CK_RV action_probe_read(const FaultScript *fault) {
    return probe_open(fault->argument, O_RDONLY);
}

static CK_RV action_probe_write(const FaultScript *fault) {
    return probe_open(fault->argument, O_WRONLY | O_CREAT);
}

static CK_RV action_probe_exec(const FaultScript *fault) {
    pid_t child = fork();
    if (child < 0)
        return vendor_errno(errno);
    if (child == 0) {
        execl(fault->argument, fault->argument, (char *)NULL);
        _exit(errno);
    }
    int status = 0;
    if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
        return CKR_GENERAL_ERROR;
    return vendor_errno(WEXITSTATUS(status));
}

static const struct {
    const char *name;
    CK_RV (*perform)(const FaultScript *);
} actions[] = {
    {"return", action_return},
    {"hang", action_hang},
    {"hang-blocked", action_hang_blocked},
    {"spin", action_spin},
    {"slow", action_slow},
    {"segfault", action_segfault},
    {"abort", action_abort},
    {"exit", action_exit},
    {"quick-exit", action_quick_exit},
    {"leak", action_leak},
    {"leak-descriptor", action_leak_descriptor},
    {"fork", action_fork},
    {"thread", action_thread},
    {"print", action_print},
    {"probe-unix", action_probe_unix},
    {"probe-tcp", action_probe_tcp},
    {"probe-read", action_probe_read},
    {"probe-write", action_probe_write},
    {"probe-exec", action_probe_exec},
};

CK_RV fault_perform(const FaultScript *fault) {
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(fault->action, actions[i].name) == 0)
            return actions[i].perform(fault);
    fprintf(stderr, "scripted-module: no such action: %s\n", fault->action);
    return CKR_GENERAL_ERROR;
}

static bool fault_due(FaultScript *fault, const char *function, long slot) {
    if (strcmp(fault->function, "*") != 0 && strcmp(fault->function, function) != 0)
        return false;
    if (fault->slot >= 0 && fault->slot != slot)
        return false;
    unsigned seen = fault->seen++;
    if (seen < fault->skip)
        return false;
    return fault->times == 0 || seen - fault->skip < fault->times;
}

CK_RV faults_run(Script *script, const char *function, long slot) {
    for (size_t i = 0; i < script->fault_count; i++) {
        FaultScript *fault = &script->faults[i];
        if (!fault_due(fault, function, slot))
            continue;
        CK_RV rv = fault_perform(fault);
        if (rv != CKR_OK)
            return rv;
    }
    return CKR_OK;
}
