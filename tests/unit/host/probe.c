/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token plugin that tries to get out. list() makes every attempt and reports each as a token: the key is what it
 * tried, the label what came of it ("done", or the name of the error). It also looks for a PIN in its own memory, which
 * only code within the process can do, whoever runs the tests.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eonay/plugin.h"

#define PIN_MAX_SIZE 64
#define REGION_MAX   (256ul << 20) /* the shadow of a sanitizer is larger and holds no PIN */

typedef struct Probe {
    const EonayHost *host;
    char *kept; /* a copy of the PIN, when the configuration wants a leak */
} Probe;

typedef int (*Attempt)(const Probe *p); /* as a system call: negative and errno when refused */

static const char *key(const Probe *p, const char *name) {
    const char *value = p->host->config(p->host, name);
    return value ? value : "/nowhere";
}

/* ------------------------------------------------------------------------------------------------------ sockets -- */

static int try_inet(const Probe *p) {
    (void)p;
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int try_inet6(const Probe *p) {
    (void)p;
    return socket(AF_INET6, SOCK_DGRAM, 0);
}

static int try_unix(const Probe *p) {
    (void)p;
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int try_netlink(const Probe *p) {
    (void)p;
    return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int try_packet(const Probe *p) {
    (void)p;
    return socket(AF_PACKET, SOCK_RAW, 0);
}

static int try_pair(const Probe *p) {
    int pair[2];
    (void)p;
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}

static int connect_unix(const char *path, bool abstract) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    memcpy(address.sun_path + (abstract ? 1 : 0), path, n);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    return connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1));
}

static int try_bus(const Probe *p) {
    return connect_unix(key(p, "Bus"), false);
}

static int try_abstract(const Probe *p) {
    return connect_unix(key(p, "Abstract"), true);
}

static int try_tcp(const Probe *p) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)strtoul(key(p, "Port"), NULL, 10))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? fd : connect(fd, (struct sockaddr *)&address, sizeof(address));
}

/* -------------------------------------------------------------------------------------------------------- files -- */

static int read_a_byte(const char *path) {
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fd;
    int r = (int)read(fd, &byte, 1);
    close(fd);
    return r;
}

static int try_read_outside(const Probe *p) {
    return read_a_byte(key(p, "Outside"));
}

static int try_read_passwd(const Probe *p) {
    (void)p;
    return read_a_byte("/etc/passwd");
}

static int try_read_inside(const Probe *p) {
    return read_a_byte(key(p, "Inside"));
}

static int try_write_inside(const Probe *p) {
    return open(key(p, "Inside"), O_WRONLY | O_CLOEXEC);
}

static int make_file(const char *folder) {
    char path[512];
    snprintf(path, sizeof(path), "%s/made-by-probe", folder);
    return open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
}

static int try_make_in_read_path(const Probe *p) {
    return make_file(key(p, "ReadFolder"));
}

static int try_make_in_write_path(const Probe *p) {
    return make_file(key(p, "WriteFolder"));
}

static int try_truncate_outside(const Probe *p) {
    return truncate(key(p, "Outside"), 0);
}

static int try_chmod_outside(const Probe *p) {
    return chmod(key(p, "Outside"), 0666);
}

/* A /run of its own is another file system than that of the test. */
static int run_is_private(const Probe *p) {
    struct stat st;
    errno = EEXIST;
    if (stat("/run", &st) < 0)
        return errno == ENOENT ? 0 : -1; /* outside it is there */
    return st.st_dev != strtoul(key(p, "RunDevice"), NULL, 10) ? 0 : -1;
}

static int network_is_private(const Probe *p) {
    char name[64] = "";
    ssize_t n = readlink("/proc/self/ns/net", name, sizeof(name) - 1);
    errno = EEXIST;
    return n > 0 && strcmp(name, key(p, "Network")) != 0 ? 0 : -1;
}

static int try_reader_of_random(const Probe *p) {
    (void)p;
    return read_a_byte("/dev/urandom");
}

/* ---------------------------------------------------------------------------------------------------- processes -- */

static int try_execve(const Probe *p) {
    char name[] = "true", *const argv[] = {name, NULL}, *const none[] = {NULL};
    (void)p;
    return execve("/bin/true", argv, none);
}

static int try_execveat(const Probe *p) {
    char name[] = "true", *const argv[] = {name, NULL}, *const none[] = {NULL};
    (void)p;
    return (int)syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, none, 0);
}

static int try_fork(const Probe *p) {
    (void)p;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child;
}

static int try_ptrace(const Probe *p) {
    (void)p;
    return (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static int try_read_parent(const Probe *p) {
    char byte;
    struct iovec own = {&byte, 1}, theirs = {(void *)&key, 1};
    (void)p;
    return (int)process_vm_readv(getppid(), &own, 1, &theirs, 1, 0);
}

static int try_signal_parent(const Probe *p) {
    (void)p;
    return kill(getppid(), 0);
}

static int try_signal_self(const Probe *p) {
    (void)p;
    return kill(getpid(), 0);
}

static void *thread_main(void *argument) {
    return argument;
}

static int try_thread(const Probe *p) {
    pthread_t thread;
    void *result = NULL;
    errno = pthread_create(&thread, NULL, thread_main, (void *)p);
    if (errno != 0)
        return -1;
    pthread_join(thread, &result);
    return result == (const void *)p ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------------------- kernel -- */

static int try_unshare(const Probe *p) {
    (void)p;
    return unshare(CLONE_NEWUSER);
}

static int try_mount(const Probe *p) {
    (void)p;
    return mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
}

static int try_bpf(const Probe *p) {
    (void)p;
    return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int try_io_uring(const Probe *p) {
    char parameters[256] = {0};
    (void)p;
    return (int)syscall(SYS_io_uring_setup, 1, parameters);
}

static int try_keyctl(const Probe *p) {
    (void)p;
    return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static int try_personality(const Probe *p) {
    (void)p;
    return personality(ADDR_NO_RANDOMIZE);
}

static int try_dumpable(const Probe *p) {
    (void)p;
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int is_undumpable(const Probe *p) {
    struct rlimit core;
    (void)p;
    getrlimit(RLIMIT_CORE, &core);
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && core.rlim_max == 0 ? 0 : -1;
}

static int try_map_made_code(const Probe *p) {
    (void)p;
    void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return m == MAP_FAILED ? -1 : 0;
}

static int try_protect_made_code(const Probe *p) {
    (void)p;
    void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(m, 4096, PROT_READ | PROT_EXEC);
}

/* No capability in any set: all five lines of /proc/self/status but the bounding set's are zero. */
static int has_no_capabilities(const Probe *p) {
    char line[256];
    unsigned long long set;
    int found = 0;
    (void)p;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof(line), status))
        if (sscanf(line, "CapInh: %llx", &set) == 1 || sscanf(line, "CapPrm: %llx", &set) == 1 ||
            sscanf(line, "CapEff: %llx", &set) == 1 || sscanf(line, "CapAmb: %llx", &set) == 1)
            found += set == 0;
    if (status)
        fclose(status);
    errno = EPERM;
    return found == 4 ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------------------ process -- */

/* Descriptors other than the streams and the socket: none is inherited. */
static int has_only_its_own_descriptors(const Probe *p) {
    int open_ones = 0;
    (void)p;
    for (int fd = 3; fd < 1024; fd++)
        open_ones += fcntl(fd, F_GETFD) >= 0;
    errno = EMFILE;
    return open_ones == 1 ? 0 : -1; /* the connection */
}

static int environment_is_replaced(const Probe *p) {
    const char *given = getenv("PROBE_GIVEN");
    (void)p;
    errno = EINVAL;
    return given && strcmp(given, "a=b") == 0 && !getenv("PROBE_INHERITED") && getenv("PATH") ? 0 : -1;
}

static int streams_are_null(const Probe *p) {
    struct stat null, in, out;
    (void)p;
    return stat("/dev/null", &null) == 0 && fstat(0, &in) == 0 && fstat(1, &out) == 0 && in.st_rdev == null.st_rdev &&
                   out.st_rdev == null.st_rdev
               ? 0
               : -1;
}

/* ------------------------------------------------------------------------------------------------------- memory -- */

/* The pattern is configured inverted, so that the search does not find itself. */
static size_t read_pattern(const Probe *p, uint8_t *pattern) {
    const char *hex = key(p, "InvertedPin");
    size_t n = 0;
    unsigned byte;
    while (n < PIN_MAX_SIZE && sscanf(hex + 2 * n, "%2x", &byte) == 1)
        pattern[n++] = (uint8_t)byte;
    return n;
}

/* Beyond the redzones of a sanitizer too. */
__attribute__((no_sanitize("address"))) static bool region_has(const uint8_t *from, const uint8_t *to,
                                                               const uint8_t *inverted, size_t n) {
    for (const uint8_t *at = from; at + n <= to; at++) {
        size_t i = 0;
        while (i < n && (at[i] ^ inverted[i]) == 0xFF)
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* Heap, stack, data, and every other page that can be written. Fails with EEXIST when the PIN is somewhere. */
static int memory_is_clean(const Probe *p) {
    uint8_t inverted[PIN_MAX_SIZE];
    char line[512], mode[8];
    unsigned long from, to;
    size_t n = read_pattern(p, inverted);
    bool found = false;
    int regions = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && n > 0 && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || strcmp(mode, "rw-p") != 0 || to - from > REGION_MAX)
            continue;
        regions++;
        found = found || region_has((const uint8_t *)from, (const uint8_t *)to, inverted, n);
    }
    if (maps)
        fclose(maps);
    errno = regions < 3 ? ENODATA : EEXIST;
    return regions >= 3 && !found ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------------------- plugin -- */

static const struct {
    const char *name;
    Attempt attempt;
} attempts[] = {{"descriptors", has_only_its_own_descriptors}, /* before those that leave some open */
                {"socket-inet", try_inet},
                {"socket-inet6", try_inet6},
                {"socket-unix", try_unix},
                {"socket-netlink", try_netlink},
                {"socket-packet", try_packet},
                {"socketpair", try_pair},
                {"connect-bus", try_bus},
                {"connect-abstract", try_abstract},
                {"connect-tcp", try_tcp},
                {"read-outside", try_read_outside},
                {"read-passwd", try_read_passwd},
                {"read-inside", try_read_inside},
                {"write-inside", try_write_inside},
                {"make-in-read-path", try_make_in_read_path},
                {"make-in-write-path", try_make_in_write_path},
                {"truncate-outside", try_truncate_outside},
                {"chmod-outside", try_chmod_outside},
                {"private-run", run_is_private},
                {"private-network", network_is_private},
                {"read-urandom", try_reader_of_random},
                {"execve", try_execve},
                {"execveat", try_execveat},
                {"fork", try_fork},
                {"ptrace", try_ptrace},
                {"read-parent", try_read_parent},
                {"signal-parent", try_signal_parent},
                {"signal-self", try_signal_self},
                {"thread", try_thread},
                {"unshare", try_unshare},
                {"mount", try_mount},
                {"bpf", try_bpf},
                {"io-uring", try_io_uring},
                {"keyctl", try_keyctl},
                {"personality", try_personality},
                {"set-dumpable", try_dumpable},
                {"undumpable", is_undumpable},
                {"map-made-code", try_map_made_code},
                {"protect-made-code", try_protect_made_code},
                {"no-capabilities", has_no_capabilities},
                {"environment", environment_is_replaced},
                {"streams", streams_are_null},
                {"memory", memory_is_clean}};

static int probe_open(const EonayHost *host, void **ret_context) {
    Probe *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->host = host;
    *ret_context = p;
    return 0;
}

static void probe_close(void *context) {
    Probe *p = context;
    free(p->kept);
    free(p);
}

static int probe_visit(const EonayTokenVisitor *visitor, const char *name, const char *result) {
    const EonayTokenInfo info = {.struct_size = sizeof(info), .key = name, .label = result, .serial = name};
    return visitor->token(visitor, &info);
}

static int probe_list(void *context, const EonaySecret *secret, const EonayTokenVisitor *visitor) {
    (void)secret;
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        int r = attempts[i].attempt(context);
        int visited = probe_visit(visitor, attempts[i].name, r < 0 ? strerrorname_np(errno) : "done");
        if (visited != 0)
            return visited;
    }
    return 0;
}

static int probe_inspect(void *context, const char *token, const EonayTokenVisitor *visitor) {
    (void)context;
    return probe_visit(visitor, token, "probe");
}

static int probe_login(void *context, const EonayLogin *login) {
    Probe *p = context;
    if (strcmp(key(p, "Leak"), "1") == 0 && login->secret) {
        p->kept = malloc(login->secret->size);
        memcpy(p->kept, login->secret->bytes, login->secret->size);
    }
    return 0;
}

static int probe_sign(void *context, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size) {
    Probe *p = context;
    /* The host must still hold the PIN now: a signature fails without it. */
    if (!request->secret || request->secret->size == 0)
        return p->host->fault(p->host, EONAY_ERROR_PIN_REQUIRED, -1, 0, "no secret");
    *ret_signature = p->host->alloc(p->host, 1);
    *ret_size = 1;
    return 0;
}

static void probe_logout(void *context) {
    (void)context;
}

static const EonayTokenOps probe_token = {.struct_size = sizeof(probe_token),
                                          .open = probe_open,
                                          .close = probe_close,
                                          .list = probe_list,
                                          .inspect = probe_inspect,
                                          .login = probe_login,
                                          .sign = probe_sign,
                                          .logout = probe_logout};

const EonayPlugin eonay_plugin = {.abi_major = EONAY_PLUGIN_ABI_MAJOR,
                                  .abi_minor = EONAY_PLUGIN_ABI_MINOR,
                                  .struct_size = sizeof(eonay_plugin),
                                  .kind = EONAY_PLUGIN_TOKEN,
                                  .name = "probe",
                                  .version = "1",
                                  .token = &probe_token};
