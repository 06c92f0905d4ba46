/* SPDX-License-Identifier: Apache-2.0 */
/* Which shared objects are loaded and which are refused, each with its condition, its path and its reason. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "util.h"

#define MODULE_MAX (4u << 20)

static HostUnderTest host;
static Outcome outcome;
static char folder[64];
static char module[128]; /* a copy of the fake token within the folder */

static void copy_file(const char *from, const char *to) {
    static char bytes[MODULE_MAX];
    _cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ssize_t n = read(in, bytes, sizeof(bytes));
    ck_assert_int_gt(n, 0);
    ck_assert_int_lt(n, (ssize_t)sizeof(bytes));
    ck_assert_int_eq(write(out, bytes, (size_t)n), n);
}

static void setup(void) {
    umask(022);
    snprintf(folder, sizeof(folder), "/tmp/eonay-loader-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(module, sizeof(module), "%s/module.so", folder);
    copy_file(test_path("FAKE_TOKEN"), module);
    host_start(&host);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *place) {
    (void)st, (void)kind, (void)place;
    return remove(path);
}

static void teardown(void) {
    char path[160];
    snprintf(path, sizeof(path), "%s/folder", folder);
    chmod(path, 0755);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static int open_library(const char *library) {
    const OpenArguments a = {.kind = "token", .plugin = "fake-token", .library = library};
    return host_open(&host, &a, &outcome);
}

/* The condition, and a text that names what it is about. */
static void expect(int r, int code, const char *words) {
    ck_assert_msg(r == code, "%d (%s) instead of %d", r, outcome.text, code);
    ck_assert_msg(strstr(outcome.text, words) != NULL, "'%s' is not in '%s'", words, outcome.text);
    ck_assert_int_eq(host_stop(&host), 0);
}

static void patch(off_t at, const void *bytes, size_t size) {
    _cleanup_close_ int fd = open(module, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, bytes, size, at), (ssize_t)size);
}

/* --------------------------------------------------------------------------------------------------------- trust -- */

START_TEST(a_file_of_our_own_is_loaded) {
    ck_assert_int_eq(open_library(module), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_missing_file) {
    unlink(module);
    expect(open_library(module), EONAY_ERROR_MODULE_MISSING, module);
}
END_TEST

START_TEST(a_missing_folder) {
    expect(open_library("/nowhere/at/all.so"), EONAY_ERROR_MODULE_MISSING, "/nowhere");
}
END_TEST

START_TEST(a_relative_path) {
    expect(open_library("module.so"), EONAY_ERROR_MODULE_INVALID, "module.so: it is not an absolute path");
}
END_TEST

START_TEST(a_file_that_others_may_write) {
    static const mode_t modes[] = {0664, 0646, 0666};
    ck_assert_int_eq(chmod(module, modes[_i]), 0);
    expect(open_library(module), EONAY_ERROR_MODULE_UNTRUSTED, "module.so: others than its owner");
}
END_TEST

START_TEST(a_folder_that_others_may_write) {
    ck_assert_int_eq(chmod(folder, _i == 0 ? 0775 : 0707), 0);
    expect(open_library(module), EONAY_ERROR_MODULE_UNTRUSTED, folder);
}
END_TEST

/* Sticky, as /tmp: others may add files, but not take ours away. */
START_TEST(a_sticky_folder_keeps_what_is_ours) {
    ck_assert_int_eq(chmod(folder, 01777), 0);
    ck_assert_int_eq(open_library(module), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

/* Somebody else's: of another uid when we are root, else ours, before a host that trusts only root. */
START_TEST(a_file_of_somebody_else) {
    if (geteuid() == 0)
        ck_assert_int_eq(chown(module, 65534, 65534), 0);
    ck_assert_int_eq(host_stop(&host), 0);
    host_start_strict(&host);
    expect(open_library(module), EONAY_ERROR_MODULE_UNTRUSTED, "it does not belong to root");
}
END_TEST

START_TEST(a_link_is_followed_with_the_same_eyes) {
    char link[128], other[128];
    snprintf(link, sizeof(link), "%s/link.so", folder);
    snprintf(other, sizeof(other), "%s/folder", folder);
    ck_assert_int_eq(mkdir(other, 0755), 0);
    ck_assert_int_eq(chmod(other, _i == 0 ? 0755 : 0777), 0);
    snprintf(other, sizeof(other), "%s/folder/module.so", folder);
    ck_assert_int_eq(rename(module, other), 0);
    ck_assert_int_eq(symlink("./folder/../folder/module.so", link), 0);
    if (_i == 1) {
        expect(open_library(link), EONAY_ERROR_MODULE_UNTRUSTED, "/folder: others than its owner");
        return;
    }
    ck_assert_int_eq(open_library(link), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(links_that_lead_nowhere) {
    char link[128];
    snprintf(link, sizeof(link), "%s/link.so", folder);
    ck_assert_int_eq(symlink(_i == 0 ? link : "/nowhere/module.so", link), 0);
    expect(open_library(link), _i == 0 ? EONAY_ERROR_MODULE_INVALID : EONAY_ERROR_MODULE_MISSING,
           _i == 0 ? "too many symbolic links" : "/nowhere");
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------- ELF -- */

START_TEST(what_is_no_file) {
    unlink(module);
    if (_i == 0)
        ck_assert_int_eq(mkdir(module, 0755), 0);
    else
        ck_assert_int_eq(mkfifo(module, 0644), 0);
    expect(open_library(module), EONAY_ERROR_MODULE_INVALID, "module.so: it is not a regular file");
    rmdir(module);
}
END_TEST

START_TEST(what_is_no_module) {
    static const struct {
        off_t at;
        const char *bytes;
        size_t size;
        const char *reason;
    } rows[] = {{0, "#!/bin/sh", 9, "it is not an ELF file"},
                {EI_CLASS, "\x03", 1, "another architecture"},
                {EI_DATA, "\x03", 1, "another architecture"},
                {offsetof(Elf64_Ehdr, e_machine), "\x08\x00", 2, "another architecture"},
                {offsetof(Elf64_Ehdr, e_type), "\x01\x00", 2, "it is not a shared object"},
                {offsetof(Elf64_Ehdr, e_phnum), "\x00\x00", 2, "it is damaged"}};
    patch(rows[_i].at, rows[_i].bytes, rows[_i].size);
    expect(open_library(module), EONAY_ERROR_MODULE_INVALID, rows[_i].reason);
    ck_assert_ptr_nonnull(strstr(outcome.text, module));
}
END_TEST

START_TEST(a_module_cut_short) {
    static const off_t sizes[] = {0, 3, 20, 100, 4096, 9000};
    struct stat st;
    ck_assert_int_eq(stat(module, &st), 0);
    ck_assert_int_gt(st.st_size, sizes[_i]);
    ck_assert_int_eq(truncate(module, sizes[_i]), 0);
    expect(open_library(module), EONAY_ERROR_MODULE_INVALID, module);
}
END_TEST

/* The name of a library it needs, changed in its string table, is a library that is not installed. */
START_TEST(a_library_that_is_not_installed) {
    static char bytes[MODULE_MAX];
    _cleanup_close_ int fd = open(module, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, bytes, sizeof(bytes));
    char *name = memmem(bytes, (size_t)n, "libc.so.6", 9);
    ck_assert_ptr_nonnull(name);
    patch(name - bytes, "libq", 4);
    expect(open_library(module), EONAY_ERROR_MODULE_MISSING, "libq.so.6");
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- plugin -- */

START_TEST(a_plugin_that_is_not_what_it_should_be) {
    static const struct {
        const char *path, *reason;
    } rows[] = {{"BAD_1", "no symbol eonay_plugin"},
                {"BAD_2", "another version"},
                {"BAD_3", "too short"},
                {"BAD_4", "operations are missing"},
                {"BAD_5", "operations are missing"}};
    const OpenArguments a = {.kind = "token", .plugin = "bad", .library = test_path(rows[_i].path)};
    expect(host_open(&host, &a, &outcome), EONAY_ERROR_MODULE_INVALID, rows[_i].reason);
    ck_assert_ptr_nonnull(strstr(outcome.text, test_path(rows[_i].path)));
}
END_TEST

START_TEST(a_plugin_of_another_name_or_kind) {
    const OpenArguments name = {.kind = "token", .plugin = "real-token", .library = module};
    const OpenArguments kind = {.kind = "ca", .plugin = "fake-token", .library = module};
    expect(host_open(&host, _i == 0 ? &name : &kind, &outcome), EONAY_ERROR_MODULE_INVALID,
           _i == 0 ? "another name" : "another kind");
}
END_TEST

START_TEST(libraries_are_judged_too) {
    char library[128];
    snprintf(library, sizeof(library), "%s/link.so", folder);
    if (_i > 0)
        copy_file(module, library);
    if (_i == 1)
        ck_assert_int_eq(chmod(library, 0666), 0);
    if (_i == 2)
        ck_assert_int_eq(truncate(library, 10), 0);
    static const int codes[] = {EONAY_ERROR_MODULE_MISSING, EONAY_ERROR_MODULE_UNTRUSTED, EONAY_ERROR_MODULE_INVALID};
    const OpenArguments a = {.kind = "token", .plugin = "fake-token", .library = module, .libraries = STRINGS(library)};
    expect(host_open(&host, &a, &outcome), codes[_i], library);
}
END_TEST

/* The fake token names its configuration key "Label" as the token's label: so it is seen what the key became. */
static void chosen_library(char *ret, size_t size) {
    sd_bus_message *reply = NULL, *m = host_message(&host, HOST_METHOD_LIST);
    ck_assert_int_ge(sd_bus_message_append(m, "ah", 0), 0);
    ck_assert_int_eq(host_call(&host, m, &outcome, &reply), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(a{sv}a(aya{sv}))"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "a{sv}a(aya{sv})"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    for (const char *key, *value; sd_bus_message_enter_container(reply, 'e', "sv") > 0;) {
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &key), 0);
        if (strcmp(key, "Label") != 0) {
            ck_assert_int_gt(sd_bus_message_skip(reply, "v"), 0);
        } else {
            ck_assert_int_gt(sd_bus_message_read(reply, "v", "s", &value), 0);
            snprintf(ret, size, "%s", value);
        }
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
    }
    sd_bus_message_unref(reply);
}

START_TEST(the_first_good_candidate_is_the_one) {
    char missing[128], damaged[128], good[128], label[256] = "";
    snprintf(missing, sizeof(missing), "%s/missing.so", folder);
    snprintf(damaged, sizeof(damaged), "%s/damaged.so", folder);
    snprintf(good, sizeof(good), "%s/good.so", folder);
    copy_file(module, damaged);
    copy_file(module, good);
    ck_assert_int_eq(truncate(damaged, 10), 0);
    const OpenArguments a = {.kind = "token",
                             .plugin = "fake-token",
                             .library = module,
                             .config = STRINGS("Label", "overwritten"),
                             .library_key = "Label",
                             .libraries = STRINGS(missing, damaged, good, module)};
    ck_assert_int_eq(host_open(&host, &a, &outcome), 0);
    chosen_library(label, sizeof(label));
    ck_assert_str_eq(label, good);
}
END_TEST

START_TEST(every_candidate_is_named_with_its_fault) {
    char missing[128], damaged[128], open[128];
    snprintf(missing, sizeof(missing), "%s/no-folder/missing.so", folder);
    snprintf(damaged, sizeof(damaged), "%s/damaged.so", folder);
    snprintf(open, sizeof(open), "%s/open.so", folder);
    copy_file(module, damaged);
    copy_file(module, open);
    ck_assert_int_eq(truncate(damaged, 10), 0);
    ck_assert_int_eq(chmod(open, 0666), 0);
    const OpenArguments a = {
        .kind = "token", .plugin = "fake-token", .library = module, .libraries = STRINGS(missing, open, damaged)};
    expect(host_open(&host, &a, &outcome), EONAY_ERROR_MODULE_UNTRUSTED, missing);
    ck_assert_ptr_nonnull(strstr(outcome.text, "there is no such file"));
    ck_assert_ptr_nonnull(strstr(outcome.text, open));
    ck_assert_ptr_nonnull(strstr(outcome.text, "others than its owner may write to it"));
    ck_assert_ptr_nonnull(strstr(outcome.text, damaged));
    ck_assert_ptr_nonnull(strstr(outcome.text, "it is not an ELF file"));
}
END_TEST

/* Whether all that it needs is there only the loader can say. */
START_TEST(a_candidate_that_cannot_be_loaded_gives_way) {
    char lacking[128], label[256] = "";
    static char bytes[MODULE_MAX];
    snprintf(lacking, sizeof(lacking), "%s/lacking.so", folder);
    copy_file(module, lacking);
    _cleanup_close_ int fd = open(lacking, O_RDWR | O_CLOEXEC);
    ssize_t n = read(fd, bytes, sizeof(bytes));
    char *name = memmem(bytes, (size_t)n, "libc.so.6", 9);
    ck_assert_ptr_nonnull(name);
    ck_assert_int_eq(pwrite(fd, "libX.so.6", 9, name - bytes), 9);
    const OpenArguments alone = {
        .kind = "token", .plugin = "fake-token", .library = module, .libraries = STRINGS(lacking)};
    const OpenArguments both = {.kind = "token",
                                .plugin = "fake-token",
                                .library = module,
                                .library_key = "Label",
                                .libraries = STRINGS(lacking, module)};
    if (_i == 0) {
        expect(host_open(&host, &alone, &outcome), EONAY_ERROR_MODULE_MISSING, "libX.so.6");
        ck_assert_ptr_nonnull(strstr(outcome.text, lacking));
        return;
    }
    ck_assert_int_eq(host_open(&host, &both, &outcome), 0);
    chosen_library(label, sizeof(label));
    ck_assert_str_eq(label, module);
}
END_TEST

/* Refused means not run: a constructor that would end the process has not had its turn. */
START_TEST(nothing_refused_is_run) {
    ck_assert_int_eq(chmod(module, 0666), 0);
    const OpenArguments a = {
        .kind = "token", .plugin = "fake-token", .library = module, .environment = STRINGS("EONAY_FAKE_LOAD=exit")};
    expect(host_open(&host, &a, &outcome), EONAY_ERROR_MODULE_UNTRUSTED, module);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("host-loader");
    TCase *t = tcase_create("loader");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_file_of_our_own_is_loaded);
    tcase_add_test(t, a_missing_file);
    tcase_add_test(t, a_missing_folder);
    tcase_add_test(t, a_relative_path);
    tcase_add_loop_test(t, a_file_that_others_may_write, 0, 3);
    tcase_add_loop_test(t, a_folder_that_others_may_write, 0, 2);
    tcase_add_test(t, a_sticky_folder_keeps_what_is_ours);
    tcase_add_test(t, a_file_of_somebody_else);
    tcase_add_loop_test(t, a_link_is_followed_with_the_same_eyes, 0, 2);
    tcase_add_loop_test(t, links_that_lead_nowhere, 0, 2);
    tcase_add_loop_test(t, what_is_no_file, 0, 2);
    tcase_add_loop_test(t, what_is_no_module, 0, 6);
    tcase_add_loop_test(t, a_module_cut_short, 0, 6);
    tcase_add_test(t, a_library_that_is_not_installed);
    tcase_add_loop_test(t, a_plugin_that_is_not_what_it_should_be, 0, 5);
    tcase_add_loop_test(t, a_plugin_of_another_name_or_kind, 0, 2);
    tcase_add_loop_test(t, libraries_are_judged_too, 0, 3);
    tcase_add_test(t, the_first_good_candidate_is_the_one);
    tcase_add_test(t, every_candidate_is_named_with_its_fault);
    tcase_add_loop_test(t, a_candidate_that_cannot_be_loaded_gives_way, 0, 2);
    tcase_add_test(t, nothing_refused_is_run);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
