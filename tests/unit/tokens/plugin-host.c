/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration from a table, faults remembered for the test to look at, memory from malloc(). */
#include "plugin-host.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *host_alloc(const EonayHost *host, size_t size) {
    (void)host;
    void *memory = malloc(size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static void host_release(const EonayHost *host, void *memory) {
    (void)host;
    free(memory);
}

static int host_fault(const EonayHost *host, EonayError code, int tries_left, uint64_t native_code, const char *text) {
    TestHost *t = (TestHost *)(uintptr_t)host;
    t->code = code;
    t->tries_left = tries_left;
    t->native_code = native_code;
    snprintf(t->text, sizeof(t->text), "%s", text ? text : "");
    return code;
}

static bool host_cancelled(const EonayHost *host) {
    (void)host;
    return false;
}

static void host_log(const EonayHost *host, EonayLogLevel level, const char *text) {
    (void)host;
    fprintf(stderr, "<%d>%s\n", level, text);
}

static const char *host_config(const EonayHost *host, const char *key) {
    const TestHost *t = (const TestHost *)host;
    for (size_t i = 0; i < t->n_config; i++)
        if (strcmp(t->config[i].key, key) == 0)
            return t->config[i].value;
    return NULL;
}

static int host_open_file(const EonayHost *host, const char *key) {
    const char *path = host_config(host, key);
    if (!path)
        return -ENOENT;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd >= 0 ? fd : -errno;
}

void test_host_init(TestHost *t) {
    *t = (TestHost){.host = {.struct_size = sizeof(EonayHost),
                             .abi_major = EONAY_PLUGIN_ABI_MAJOR,
                             .alloc = host_alloc,
                             .release = host_release,
                             .fault = host_fault,
                             .cancelled = host_cancelled,
                             .log = host_log,
                             .config = host_config,
                             .open_file = host_open_file}};
}

void test_host_set(TestHost *t, const char *key, const char *value) {
    for (size_t i = 0; i < t->n_config; i++)
        if (strcmp(t->config[i].key, key) == 0) {
            t->config[i].value = value;
            return;
        }
    ck_assert_uint_lt(t->n_config, 16);
    t->config[t->n_config].key = key;
    t->config[t->n_config++].value = value;
}

static void keep(char out[static 256], const char *text) {
    snprintf(out, 256, "%s", text ? text : "");
}

static int visit_token(const EonayTokenVisitor *visitor, const EonayTokenInfo *token) {
    TestListing *listing = (TestListing *)(uintptr_t)visitor;
    if (listing->stop_with != 0)
        return listing->stop_with;
    ck_assert_uint_lt(listing->n_tokens, 64);
    ck_assert_uint_le(strlen(token->key), 255);
    TestToken *to = &listing->tokens[listing->n_tokens++];
    keep(to->key, token->key);
    keep(to->label, token->label);
    keep(to->serial, token->serial);
    keep(to->reader, token->reader);
    keep(to->state, token->state);
    to->flags = token->flags;
    to->pin_min = token->pin_min;
    to->pin_max = token->pin_max;
    to->mechanisms = token->mechanisms;
    return 0;
}

static int visit_certificate(const EonayTokenVisitor *visitor, const EonayCertificateInfo *from) {
    TestListing *listing = (TestListing *)(uintptr_t)visitor;
    ck_assert_uint_lt(listing->n_certificates, 64);
    ck_assert_uint_gt(listing->n_tokens, 0);
    TestCertificate *to = &listing->certificates[listing->n_certificates++];
    *to = (TestCertificate){.flags = from->flags, .token = listing->n_tokens - 1};
    keep(to->label, from->label);
    if (from->id && from->id_size <= sizeof(to->id)) {
        memcpy(to->id, from->id, from->id_size);
        to->id_size = from->id_size;
    }
    to->der = malloc(from->der_size);
    ck_assert_ptr_nonnull(to->der);
    memcpy(to->der, from->der, from->der_size);
    to->der_size = from->der_size;
    return 0;
}

void test_listing_init(TestListing *listing) {
    memset(listing, 0, sizeof(*listing));
    listing->visitor.token = visit_token;
    listing->visitor.certificate = visit_certificate;
}

void test_listing_clear(TestListing *listing) {
    for (size_t i = 0; i < listing->n_certificates; i++)
        free(listing->certificates[i].der);
    listing->n_certificates = listing->n_tokens = 0;
}

const TestCertificate *test_listing_find(const TestListing *listing, const uint8_t *der, size_t size) {
    for (size_t i = 0; i < listing->n_certificates; i++)
        if (listing->certificates[i].der_size == size && memcmp(listing->certificates[i].der, der, size) == 0)
            return &listing->certificates[i];
    return NULL;
}

const EonayPlugin *test_plugin(const char *path) {
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(object != NULL, "%s", dlerror());
    const EonayPlugin *plugin = dlsym(object, "eonay_plugin");
    ck_assert_ptr_nonnull(plugin);
    ck_assert_uint_eq(plugin->abi_major, EONAY_PLUGIN_ABI_MAJOR);
    ck_assert_int_eq(plugin->kind, EONAY_PLUGIN_TOKEN);
    return plugin;
}

/* Reads the region piece by piece into `window` (which is skipped itself) and looks for the bytes. */
static int region_holds(int fd, uintptr_t from, uintptr_t to, const uint8_t *bytes, size_t size, uint8_t *window,
                        size_t window_size) {
    for (uintptr_t at = from; at < to;) {
        size_t wanted = to - at < window_size ? to - at : window_size;
        ssize_t n = pread(fd, window, wanted, (off_t)at);
        if (n < (ssize_t)size)
            return 0;
        const uint8_t *hit = window;
        while ((hit = memmem(hit, (size_t)n - (size_t)(hit - window), bytes, size))) {
            if (at + (size_t)(hit - window) != (uintptr_t)bytes)
                return 1;
            hit++;
        }
        at += (size_t)n < wanted || at + (size_t)n == to ? (size_t)n : (size_t)n - size + 1;
    }
    return 0;
}

int memory_holds(const uint8_t *bytes, size_t size) {
    const size_t window_size = 1 << 20;
    uint8_t *window = mmap(NULL, window_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), found = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512], read;
    unsigned long from, to;

    ck_assert(window != MAP_FAILED && fd >= 0 && maps != NULL);
    madvise(window, window_size, MADV_DONTFORK);
    while (!found && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx %c", &from, &to, &read) != 3 || read != 'r' || strstr(line, "[v"))
            continue;
        /* The window may have been merged with its neighbours: look at what lies on both sides of it. */
        unsigned long w = (unsigned long)window;
        if (w >= from && w < to) {
            found = region_holds(fd, from, w, bytes, size, window, window_size) ||
                    region_holds(fd, w + window_size, to, bytes, size, window, window_size);
            continue;
        }
        found = region_holds(fd, from, to, bytes, size, window, window_size);
    }
    fclose(maps);
    close(fd);
    munmap(window, window_size);
    return found;
}

char *test_folder(void) {
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    ck_assert_int_gt(asprintf(&path, "%s/eonay-tokens-XXXXXX", base ? base : "/tmp"), 0);
    ck_assert_ptr_nonnull(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void test_folder_remove(const char *path) {
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
