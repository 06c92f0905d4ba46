/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin asks clock_gettime() for the time. This program defines that function itself and exports it, so that the
 * plugin, loaded later, is bound to it: time passes as the test wants and nothing in the plugin knows of tests.
 */
#include "fixture.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int64_t fixture_clock_offset;

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ts) {
    int r = (int)syscall(SYS_clock_gettime, clock, ts);

    if (r == 0 && clock == CLOCK_REALTIME) {
        int64_t usec = (int64_t)ts->tv_sec * 1000000 + ts->tv_nsec / 1000 + fixture_clock_offset;
        ts->tv_sec = usec / 1000000;
        ts->tv_nsec = usec % 1000000 * 1000;
    }
    return r;
}

int64_t fixture_now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void *host_alloc(const EonayHost *host, size_t size) {
    (void)host;
    return malloc(size > 0 ? size : 1);
}

static void host_release(const EonayHost *host, void *memory) {
    (void)host;
    free(memory);
}

static int host_fault(const EonayHost *host, EonayError code, int tries_left, uint64_t native, const char *text) {
    Fixture *f = (Fixture *)(uintptr_t)host;

    ck_assert_int_eq(tries_left, -1);
    f->fault = code;
    f->native = native;
    snprintf(f->reason, sizeof f->reason, "%s", text ? text : "");
    return (int)code;
}

static bool host_cancelled(const EonayHost *host) {
    (void)host;
    return false;
}

static void host_log(const EonayHost *host, EonayLogLevel level, const char *text) {
    (void)host;
    (void)level;
    (void)text;
}

static const char *host_config(const EonayHost *host, const char *key) {
    const Fixture *f = (const Fixture *)host;

    for (size_t i = 0; i < sizeof f->config / sizeof f->config[0]; i++)
        if (strcmp(f->config[i].key, key) == 0)
            return f->config[i].value;
    return NULL;
}

static int host_open_file(const EonayHost *host, const char *key) {
    (void)host;
    (void)key;
    return -ENOSYS;
}

void fixture_set(Fixture *f, const char *key, const char *value) {
    size_t free_slot = SIZE_MAX;

    for (size_t i = 0; i < sizeof f->config / sizeof f->config[0]; i++) {
        if (strcmp(f->config[i].key, key) == 0)
            f->config[i].key[0] = '\0';
        if (f->config[i].key[0] == '\0' && free_slot == SIZE_MAX)
            free_slot = i;
    }
    if (!value)
        return;
    ck_assert_uint_ne(free_slot, SIZE_MAX);
    snprintf(f->config[free_slot].key, sizeof f->config[0].key, "%s", key);
    snprintf(f->config[free_slot].value, sizeof f->config[0].value, "%s", value);
}

const char *fixture_file(Fixture *f, const char *name, const void *bytes, size_t size) {
    static char path[PATH_MAX];
    FILE *file = NULL;

    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static const EonayCaOps *load(void) {
    static void *library;
    const EonayPlugin *plugin = NULL;

    if (!library)
        library = dlopen(getenv("EONAY_TEST_PLUGIN"), RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library != NULL, "%s", dlerror());
    plugin = dlsym(library, "eonay_plugin");
    ck_assert_ptr_nonnull(plugin);
    ck_assert_str_eq(plugin->name, "ca-local");
    ck_assert_int_eq(plugin->kind, EONAY_PLUGIN_CA);
    ck_assert_int_eq(plugin->abi_major, EONAY_PLUGIN_ABI_MAJOR);
    return plugin->ca;
}

const Pki *fixture_pki(void) {
    static Pki *pki;

    if (!pki)
        pki = pki_new();
    return pki;
}

Fixture *fixture_new(void) {
    Fixture *f = calloc(1, sizeof *f);
    const char *temporary = getenv("TMPDIR");
    Bytes root = pki_root_pem(fixture_pki());

    ck_assert_ptr_nonnull(f);
    fixture_clock_offset = 0;
    f->host = (EonayHost){.struct_size = sizeof f->host,
                          .abi_major = EONAY_PLUGIN_ABI_MAJOR,
                          .abi_minor = EONAY_PLUGIN_ABI_MINOR,
                          .alloc = host_alloc,
                          .release = host_release,
                          .fault = host_fault,
                          .cancelled = host_cancelled,
                          .log = host_log,
                          .config = host_config,
                          .open_file = host_open_file};
    snprintf(f->folder, sizeof f->folder, "%.40s/eonay-ca.XXXXXX", temporary ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->database, sizeof f->database, "%s/ca.db", f->folder);
    fixture_set(f, "Database", f->database);
    fixture_set(f, "TrustAnchors", fixture_file(f, "root.pem", root.bytes, root.size));
    bytes_free(&root);
    f->ca = load();
    return f;
}

static void remove_folder(const char *folder) {
    DIR *dir = opendir(folder);

    for (struct dirent *entry = NULL; dir && (entry = readdir(dir));) {
        char path[PATH_MAX];

        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlink(path) < 0)
            remove_folder(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

Fixture *fixture_free(Fixture *f) {
    if (!f)
        return NULL;
    fixture_close(f);
    remove_folder(f->folder);
    free(f);
    return NULL;
}

int fixture_open(Fixture *f) {
    f->reason[0] = '\0';
    return f->ca->open(&f->host, &f->context);
}

void fixture_close(Fixture *f) {
    if (f->context)
        f->ca->close(f->context);
    f->context = NULL;
}

void fixture_start(Fixture *f) {
    int r = fixture_open(f);

    ck_assert_msg(r == 0, "open: %d: %s", r, f->reason);
}

void fixture_restart(Fixture *f) {
    fixture_close(f);
    fixture_start(f);
}

void get_code(Fixture *f, const char *subject, char digits[16]) {
    const EonayCodeRequest request = {.struct_size = sizeof request, .subject = subject};
    EonayCode code = {.struct_size = sizeof code};
    int r = f->ca->get_code(f->context, &request, &code);

    ck_assert_msg(r == 0, "get_code: %d: %s", r, f->reason);
    ck_assert_uint_eq(strlen(code.code), 15);
    snprintf(digits, 16, "%.15s", code.code);
    free(code.code);
    free(code.purpose);
}

int get_code_error(Fixture *f, EonayCodeRequest request) {
    EonayCode code = {.struct_size = sizeof code};

    request.struct_size = sizeof request;
    int r = f->ca->get_code(f->context, &request, &code);
    if (r != 0)
        ck_assert_ptr_null(code.code);
    free(code.code);
    free(code.purpose);
    return r;
}

void redemption_release(Fixture *f, EonayRedemption *r) {
    (void)f;
    for (size_t i = 0; i < r->n_texts; i++) {
        free(r->texts[i].title);
        free(r->texts[i].media_type);
        free(r->texts[i].bytes);
    }
    free(r->texts);
    free(r->transaction);
    free(r->requester);
    free(r->purpose);
    free(r->level);
    free(r->subject);
    *r = (EonayRedemption){0};
}

int redeem(Fixture *f, const char *digits, EonayRedemption *ret) {
    *ret = (EonayRedemption){.struct_size = sizeof *ret};
    return f->ca->redeem(f->context, digits, ret);
}

int redeem_error(Fixture *f, const char *digits) {
    EonayRedemption r;
    int error = redeem(f, digits, &r);

    if (error != 0)
        ck_assert_ptr_null(r.transaction);
    redemption_release(f, &r);
    return error;
}

void open_consent(Fixture *f, const char *subject, EonayRedemption *ret) {
    char digits[16];

    get_code(f, subject, digits);
    int r = redeem(f, digits, ret);
    ck_assert_msg(r == 0, "redeem: %d: %s", r, f->reason);
}

int submit_many(Fixture *f, const char *transaction, const char *key, const Bytes *signatures, size_t n,
                char ret_receipt[64]) {
    const uint8_t *bytes[4];
    size_t sizes[4];
    EonayReceipt receipt = {.struct_size = sizeof receipt};

    ck_assert_uint_le(n, 4);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = signatures[i].bytes;
        sizes[i] = signatures[i].size;
    }
    const EonaySubmission submission = {.struct_size = sizeof submission,
                                        .transaction = transaction,
                                        .idempotency_key = key,
                                        .signatures = bytes,
                                        .signature_sizes = sizes,
                                        .n_signatures = n};
    int r = f->ca->submit(f->context, &submission, &receipt);
    if (r == 0)
        ck_assert_uint_gt(receipt.submitted_at, 0);
    else
        ck_assert_ptr_null(receipt.receipt_id);
    if (r == 0 && ret_receipt)
        snprintf(ret_receipt, 64, "%s", receipt.receipt_id);
    free(receipt.receipt_id);
    return r;
}

int submit(Fixture *f, const char *transaction, const char *key, const Bytes *signature, char ret_receipt[64]) {
    return submit_many(f, transaction, key, signature, 1, ret_receipt);
}

Bytes sign_consent(const EonayRedemption *r, const Signer *signer) {
    return pki_sign(signer, r->texts[0].bytes, r->texts[0].size, fixture_now() / 1000000);
}

EonayTransactionState state_of(Fixture *f, const char *transaction) {
    EonayTransactionState state = EONAY_TRANSACTION_OPEN;
    EonayReceipt receipt = {.struct_size = sizeof receipt};

    assert_error(f->ca->status(f->context, transaction, &state, &receipt), 0);
    ck_assert((receipt.receipt_id != NULL) == (state == EONAY_TRANSACTION_DONE));
    free(receipt.receipt_id);
    return state;
}
