/* SPDX-License-Identifier: Apache-2.0 */
/* D-Bus values as JSON, files and memfds, and the PIN's way from where it comes to the pipe. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "json.h"
#include "pin.h"
#include "util.h"

/* The address sanitizer makes mlock() do nothing. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static char folder[64];

static void make_folder(void) {
    strcpy(folder, "/tmp/eonayctl-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void) {
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        unlink(path);
    }
    rmdir(folder);
}

/* A message that was never sent can be read once it is sealed. */
static sd_bus_message *new_message(sd_bus **ret_bus) {
    sd_bus_message *m = NULL;
    ck_assert_int_ge(sd_bus_new(ret_bus), 0);
    ck_assert_int_ge(sd_bus_set_address(*ret_bus, "unix:path=/nonexistent"), 0);
    sd_bus_start(*ret_bus);
    int r = sd_bus_message_new(*ret_bus, &m, SD_BUS_MESSAGE_METHOD_CALL);
    ck_assert_int_ge(r, 0);
    return m;
}

START_TEST(every_type_becomes_json) {
    sd_bus *bus = NULL;
    sd_bus_message *m = new_message(&bus);
    ck_assert_int_ge(sd_bus_message_append(m, "a{sv}", 9, "b", "b", 1, "y", "y", 7, "t", "t", UINT64_MAX, "x", "x",
                                           (int64_t)-5, "d", "d", 0.5, "o", "o", "/p", "as", "as", 2, "ı", "\"\n", "v",
                                           "v", "a{sv}", 1, "in", "i", -1, "r", "(su)", "s", 4294967295u),
                     0);
    ck_assert_int_ge(sd_bus_message_append(m, "a{us}", 1, 5u, "x"), 0);
    ck_assert_int_ge(sd_bus_message_append_array(m, 'y', "\x00\xff", 2), 0);
    ck_assert_int_ge(sd_bus_message_append(m, "h", 0), 0);
    ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
    ck_assert_int_ge(sd_bus_message_rewind(m, true), 0);
    json_t *value = NULL;
    ck_assert_int_eq(json_read(m, &value), 0);
    json_t *wanted =
        json_pack("{s:b s:i s:I s:i s:f s:s s:[ss] s:{s:i} s:[sI]}", "b", 1, "y", 7, "t", (json_int_t)INT64_MAX, "x",
                  -5, "d", 0.5, "o", "/p", "as", "ı", "\"\n", "v", "in", -1, "r", "s", (json_int_t)4294967295);
    ck_assert_ptr_nonnull(wanted);
    ck_assert(json_equal(value, wanted));
    ck_assert_int_eq(json_get_integer(value, "t", 0), INT64_MAX);
    ck_assert_int_eq(json_get_integer(value, "o", 3), 3); /* another type */
    ck_assert_str_eq(json_get_string(value, "missing", "f"), "f");
    ck_assert(json_get_bool(value, "b", false));
    json_decref(value);
    json_decref(wanted);
    ck_assert_int_eq(json_read(m, &value), 0); /* keys that are no strings are left out */
    json_decref(value);
    ck_assert_int_eq(json_read(m, &value), 0);
    ck_assert_str_eq(json_string_value(value), "AP8=");
    json_decref(value);
    ck_assert_int_eq(json_read(m, &value), 0);
    ck_assert(json_is_null(value));
    ck_assert_int_eq(json_read(m, &value), -ENODATA);
    sd_bus_message_unref(m);
    sd_bus_unref(bus);
}
END_TEST

START_TEST(files_go_and_come_as_sealed_memory) {
    g_autofree char *path = g_build_filename(folder, "in", NULL), *out = g_build_filename(folder, "out", NULL);
    g_autoptr(GBytes) bytes = NULL;
    int fd = -1;
    ck_assert_int_eq(file_to_memfd(path, 10, &fd), -ENOENT);
    ck_assert(g_file_set_contents(path, "0123456789", 10, NULL));
    ck_assert_int_eq(file_to_memfd(path, 9, &fd), -EFBIG);
    ck_assert_int_eq(file_to_memfd(path, 10, &fd), 0);
    ck_assert_int_eq(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    ck_assert_int_eq(file_from_memfd(fd, 9, &bytes), -EFBIG);
    ck_assert_int_eq(file_from_memfd(fd, 10, &bytes), 0);
    ck_assert_int_eq(file_store(out, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)), 0);
    struct stat st;
    ck_assert_int_eq(stat(out, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(st.st_size, 10);
    close(fd);
    ck_assert(g_file_set_contents(path, "", 0, NULL));
    ck_assert_int_eq(file_to_memfd(path, 10, &fd), -ENODATA);
}
END_TEST

START_TEST(what_can_still_change_is_not_taken) {
    GBytes *bytes = NULL;
    int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(file_from_memfd(fd, 10, &bytes), -EBADFD);
    close(fd);
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(file_from_memfd(fd, 10, &bytes), -EBADFD);
    close(fd);
    ck_assert_ptr_null(bytes);
}
END_TEST

START_TEST(a_failed_store_leaves_nothing) {
    g_autofree char *path = g_build_filename(folder, "dir", NULL);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_lt(file_store(path, "x", 1), 0); /* a folder is in the way */
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    ck_assert_str_eq(g_dir_read_name(dir), "dir");
    ck_assert_ptr_null(g_dir_read_name(dir));
    rmdir(path);
}
END_TEST

START_TEST(numbers_stand_before_the_suffix) {
    static const char *const pairs[][2] = {
        {"a.p7s", "a-2.p7s"}, {"/x.y/a", "/x.y/a-2"}, {".p7s", ".p7s-2"}, {"a", "a-2"}, {"d/a.b.c", "d/a.b-2.c"}};
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autofree char *numbered = file_numbered(pairs[i][0], 2);
        ck_assert_str_eq(numbered, pairs[i][1]);
    }
}
END_TEST

static int pin_from(const char *bytes, size_t size, Pin *pin) {
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(write(ends[1], bytes, size), (ssize_t)size);
    close(ends[1]);
    int r = pin_read_fd(pin, ends[0], 1000);
    close(ends[0]);
    return r;
}

START_TEST(a_pin_passes_through_a_pipe_without_a_writer) {
    Pin *pin = NULL;
    int fd = -1;
    char got[16] = "";
    ck_assert_int_eq(pin_new(&pin), 0);
    ck_assert_int_eq(pin_from("p\xc4\xb1n 1\r\n", 8, pin), 0);
    ck_assert_uint_eq(pin_size(pin), 6);
    ck_assert_int_eq(pin_pipe(pin, &fd), 0);
    pin_free(pin);
    ck_assert_int_eq(read(fd, got, sizeof(got)), 6);
    ck_assert_mem_eq(got, "p\xc4\xb1n 1", 6);
    ck_assert_int_eq(read(fd, got, sizeof(got)), 0); /* end of file: nobody can write any more */
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    close(fd);
}
END_TEST

START_TEST(a_verification_code_is_known_in_any_form) {
    static const char *const codes[] = {"168857414351237", "168 857 414 351 237", "16885-74143-51237 "};
    static const char *const others[] = {"16885741435123", "1688574143512379", "16885741435123x", "12345678",
                                         "168.857.414.351.237"};
    _cleanup_(pin_freep) Pin *pin = NULL;
    ck_assert_int_eq(pin_new(&pin), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        ck_assert_int_eq(pin_from(codes[i], strlen(codes[i]), pin), 0);
        ck_assert(pin_looks_like_code(pin));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        ck_assert_int_eq(pin_from(others[i], strlen(others[i]), pin), 0);
        ck_assert(!pin_looks_like_code(pin));
    }
}
END_TEST

START_TEST(two_pins_are_equal_or_not) {
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {{"1234", "1234", true}, {"1234", "1235", false}, {"1234", "12345", false}, {"2234", "1234", false}};
    _cleanup_(pin_freep) Pin *a = NULL;
    _cleanup_(pin_freep) Pin *b = NULL;
    ck_assert_int_eq(pin_new(&a), 0);
    ck_assert_int_eq(pin_new(&b), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ck_assert_int_eq(pin_from(rows[i].a, strlen(rows[i].a), a), 0);
        ck_assert_int_eq(pin_from(rows[i].b, strlen(rows[i].b), b), 0);
        ck_assert_int_eq(pin_equal(a, b), rows[i].equal);
        ck_assert_int_eq(pin_equal(b, a), rows[i].equal);
    }
}
END_TEST

START_TEST(what_is_no_pin_leaves_nothing_behind) {
    char longest[300];
    memset(longest, '7', sizeof(longest));
    Pin *pin = NULL;
    ck_assert_int_eq(pin_new(&pin), 0);
    ck_assert_int_eq(pin_from(longest, 256, pin), 0);
    ck_assert_int_eq(pin_from(longest, 257, pin), -EMSGSIZE);
    ck_assert_int_eq(pin_from(longest, 300, pin), -EMSGSIZE);
    ck_assert_uint_eq(pin_size(pin), 0);
    ck_assert_int_eq(pin_text(pin)[0], 0);
    ck_assert_int_eq(pin_from("", 0, pin), -EBADMSG);
    ck_assert_int_eq(pin_from("\n", 1, pin), -EBADMSG);
    ck_assert_int_eq(pin_from("1\0002", 3, pin), -EBADMSG);
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(pin_read_fd(pin, ends[0], 50), -ETIMEDOUT);
    close(ends[0]);
    close(ends[1]);
    pin_free(pin);
    ck_assert_ptr_null(pin_free(NULL));
}
END_TEST

/* The page of a PIN: locked, and in no core dump. */
START_TEST(the_page_is_locked_and_not_dumped) {
    Pin *pin = NULL;
    g_autofree char *maps = NULL;
    ck_assert_int_eq(pin_new(&pin), 0);
    ck_assert(g_file_get_contents("/proc/self/smaps", &maps, NULL, NULL));
    g_autofree char *start = g_strdup_printf("\n%lx-", (unsigned long)(uintptr_t)pin_text(pin));
    const char *own = strstr(maps, start);
    ck_assert_ptr_nonnull(own);
    const char *flags = strstr(own, "VmFlags:");
    g_autofree char *line = g_strndup(flags, strcspn(flags, "\n"));
    ck_assert_msg(strstr(line, " dd"), "%s", line);
    ck_assert_msg(SANITIZED || strstr(line, " lo"), "%s", line);
    pin_free(pin);
}
END_TEST

int main(void) {
    setlocale(LC_ALL, "");
    TCase *tc = tcase_create("data");
    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, every_type_becomes_json);
    tcase_add_test(tc, files_go_and_come_as_sealed_memory);
    tcase_add_test(tc, what_can_still_change_is_not_taken);
    tcase_add_test(tc, a_failed_store_leaves_nothing);
    tcase_add_test(tc, numbers_stand_before_the_suffix);
    tcase_add_test(tc, a_pin_passes_through_a_pipe_without_a_writer);
    tcase_add_test(tc, a_verification_code_is_known_in_any_form);
    tcase_add_test(tc, two_pins_are_equal_or_not);
    tcase_add_test(tc, what_is_no_pin_leaves_nothing_behind);
    tcase_add_test(tc, the_page_is_locked_and_not_dumped);
    Suite *suite = suite_create("ctl-data");
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
