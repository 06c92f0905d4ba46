/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every block carries its size and a mark made from its own address. So a returned pointer that never came from here is
 * noticed before it is used, a string cannot run past its block, and codes and texts are erased when they are released.
 */
#include "services.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "call.h"
#include "log.h"
#include "messages.h"
#include "names.h"
#include "text.h"
#include "util.h"

#define BLOCK_MARK 0x656f6e6179626c6bULL
#define BLOCK_MAX  (64u << 20)
#define PEEK_MAX   4096

typedef struct Block {
    uint64_t mark;
    size_t size;
} Block;

_Static_assert(sizeof(Block) % _Alignof(max_align_t) == 0, "what follows a Block is aligned for everything");

/* ---------------------------------------------------------------------------------------------------- memory -- */

static uint64_t block_mark(const Block *b) {
    return BLOCK_MARK ^ (uint64_t)(uintptr_t)b;
}

static Block *block_of(const void *memory) {
    Block *b = (Block *)((uintptr_t)memory - sizeof(Block));
    if (b->mark != block_mark(b)) {
        log_event(LOG_ERR, MESSAGE_PLUGIN_MEMORY, NULL, "the plugin returned memory that it did not get from the host");
        abort();
    }
    return b;
}

static void *service_alloc(const EonayHost *host, size_t size) {
    (void)host;
    Block *b = size <= BLOCK_MAX ? calloc(1, sizeof(*b) + size) : NULL;
    if (!b) {
        log_event(LOG_ERR, MESSAGE_PLUGIN_MEMORY, NULL, "no memory for %zu bytes that the plugin asked for", size);
        abort();
    }
    b->mark = block_mark(b);
    b->size = size;
    return b + 1;
}

size_t block_size(const void *memory) {
    return block_of(memory)->size;
}

void block_release(void *memory) {
    if (!memory)
        return;
    Block *b = block_of(memory);
    explicit_bzero(b, sizeof(*b) + b->size);
    free(b);
}

static void service_release(const EonayHost *host, void *memory) {
    (void)host;
    block_release(memory);
}

const char *block_string(const char *s, size_t limit) {
    if (!s || !memchr(s, 0, block_size(s)) || !text_is_clean(s, limit))
        return NULL;
    return s;
}

/* ----------------------------------------------------------------------------------------------------- calls -- */

static int service_fault(const EonayHost *host, EonayError code, int tries_left, uint64_t native_code,
                         const char *text) {
    (void)host;
    return call_fault((int)code, tries_left, native_code, text);
}

/*
 * An Abort that waits behind the running call can be seen without taking it: the bytes of its header field "member"
 * (D-Bus Specification, Message Protocol), in our byte order. Should the body of another message ever hold the same
 * bytes, a call is given up that can be repeated.
 */
static bool abort_is_waiting(int socket) {
    struct __attribute__((packed)) {
        uint8_t code, signature_size;
        char signature[2];
        uint32_t size;
        char member[6];
    } field = {3, 1, "s", 5, "Abort"};
    char waiting[PEEK_MAX];
    ssize_t n = recv(socket, waiting, sizeof(waiting), MSG_PEEK | MSG_DONTWAIT);
    return n > 0 && memmem(waiting, (size_t)n, &field, sizeof(field));
}

static bool service_cancelled(const EonayHost *host) {
    const Services *s = (const Services *)host;
    struct pollfd socket = {.fd = s->socket, .events = POLLIN | POLLRDHUP};
    if (poll(&socket, 1, 0) <= 0)
        return false;
    return (socket.revents & (POLLHUP | POLLRDHUP | POLLERR)) || abort_is_waiting(s->socket);
}

static void service_log(const EonayHost *host, EonayLogLevel level, const char *text) {
    const Services *s = (const Services *)host;
    g_autofree char *clean = text_clean(text, EONAY_STRING_MAX);
    int priority =
        level == EONAY_LOG_ERROR || level == EONAY_LOG_WARNING || level == EONAY_LOG_DEBUG ? (int)level : LOG_INFO;
    log_event(priority, MESSAGE_PLUGIN_SAYS, NULL, "%s: %s", s->instance ? s->instance : "plugin", clean);
}

/* ------------------------------------------------------------------------------------------- configuration -- */

static const char *service_config(const EonayHost *host, const char *key) {
    return key ? g_hash_table_lookup(((const Services *)host)->config, key) : NULL;
}

/* A description of its own, so that two readers do not share one position; a shared one where the file cannot be
 * reopened. */
static int reopen(int fd) {
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (again >= 0)
        return again;
    int access = fcntl(fd, F_GETFL);
    if (access < 0 || (access & O_ACCMODE) != O_RDONLY)
        return -EACCES;
    again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (again < 0)
        return -errno;
    lseek(again, 0, SEEK_SET);
    return again;
}

static int open_path(const char *path) {
    struct stat st;
    if (!path)
        return -ENOENT;
    if (path[0] != '/')
        return -EINVAL;
    /* O_NONBLOCK: a FIFO would wait for its writer */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

static int service_open_file(const EonayHost *host, const char *key) {
    const Services *s = (const Services *)host;
    int passed = key ? GPOINTER_TO_INT(g_hash_table_lookup(s->files, key)) - 1 : -1;
    return passed >= 0 ? reopen(passed) : open_path(service_config(host, key));
}

/* ------------------------------------------------------------------------------------------------------ make -- */

void services_init(Services *s, int socket) {
    *s = (Services){.host = {.struct_size = sizeof(EonayHost),
                             .abi_major = EONAY_PLUGIN_ABI_MAJOR,
                             .abi_minor = EONAY_PLUGIN_ABI_MINOR,
                             .alloc = service_alloc,
                             .release = service_release,
                             .fault = service_fault,
                             .cancelled = service_cancelled,
                             .log = service_log,
                             .config = service_config,
                             .open_file = service_open_file},
                    .config = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                    .files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                    .socket = socket};
}

void services_add_config(Services *s, const char *key, const char *value) {
    g_hash_table_insert(s->config, g_strdup(key), g_strdup(value));
}

void services_add_file(Services *s, const char *key, int fd) {
    g_hash_table_insert(s->files, g_strdup(key), GINT_TO_POINTER(fd + 1));
}
