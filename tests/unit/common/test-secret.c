/* SPDX-License-Identifier: Apache-2.0 */
/* A PIN from a pipe: every shape of pipe and content, and that nothing of it stays. */
#include "secret.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eonay/plugin.h"
#include "names.h"
#include "util.h"

static Secret *secret;

static void setup(void) {
    ck_assert_int_eq(secret_new(&secret), 0);
}

static void teardown(void) {
    secret = secret_free(secret);
    ck_assert_ptr_null(secret);
}

static int read_bytes(const void *bytes, size_t size) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], bytes, size), (ssize_t)size);
    close(ends[1]);
    int r = secret_read_pipe(secret, ends[0]);
    close(ends[0]);
    return r;
}

static void expect_erased(void) {
    static const uint8_t zeros[4096];
    ck_assert_uint_eq(secret_size(secret), 0);
    ck_assert_mem_eq(secret_bytes(secret), zeros, sizeof(zeros));
}

START_TEST(a_pin_is_read) {
    ck_assert_int_eq(read_bytes("123456", 6), 0);
    ck_assert_uint_eq(secret_size(secret), 6);
    ck_assert_mem_eq(secret_bytes(secret), "123456", 6);
    secret_erase(secret);
    expect_erased();
}
END_TEST

START_TEST(one_line_end_is_dropped) {
    ck_assert_int_eq(read_bytes("1234\n", 5), 0);
    ck_assert_uint_eq(secret_size(secret), 4);
    ck_assert_int_eq(read_bytes("1234\n\n", 6), 0);
    ck_assert_uint_eq(secret_size(secret), 5);
    ck_assert_int_eq(read_bytes("\n", 1), EONAY_ERROR_PIN_FORMAT);
    expect_erased();
}
END_TEST

START_TEST(bytes_are_bytes) {
    ck_assert_int_eq(read_bytes("\xff\xc5\x9e i", 5), 0);
    ck_assert_mem_eq(secret_bytes(secret), "\xff\xc5\x9e i", 5);
}
END_TEST

START_TEST(nothing_is_no_pin) {
    ck_assert_int_eq(read_bytes("", 0), EONAY_ERROR_PIN_FORMAT);
    expect_erased();
}
END_TEST

START_TEST(nul_is_in_no_pin) {
    ck_assert_int_eq(read_bytes("12\0", 3), EONAY_ERROR_PIN_FORMAT);
    expect_erased();
    ck_assert_int_eq(read_bytes("\0", 1), EONAY_ERROR_PIN_FORMAT);
    expect_erased();
}
END_TEST

START_TEST(the_limit_and_what_is_beyond) {
    static char bytes[65536];
    static const size_t beyond[] = {EONAY_SECRET_MAX + 1, EONAY_SECRET_MAX + 2, EONAY_SECRET_MAX + 3, 4096, 65536};
    memset(bytes, '7', sizeof(bytes));
    ck_assert_int_eq(read_bytes(bytes, EONAY_SECRET_MAX), 0);
    ck_assert_uint_eq(secret_size(secret), EONAY_SECRET_MAX);
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        ck_assert_int_eq(read_bytes(bytes, beyond[i]), EONAY_ERROR_PIN_FORMAT);
        expect_erased();
    }
    bytes[EONAY_SECRET_MAX] = '\n';
    ck_assert_int_eq(read_bytes(bytes, EONAY_SECRET_MAX + 1), 0);
    ck_assert_uint_eq(secret_size(secret), EONAY_SECRET_MAX);
    bytes[EONAY_SECRET_MAX + 1] = '\n';
    ck_assert_int_eq(read_bytes(bytes, EONAY_SECRET_MAX + 2), EONAY_ERROR_PIN_FORMAT);
}
END_TEST

START_TEST(a_second_pin_replaces_the_first) {
    static const uint8_t zeros[4];
    ck_assert_int_eq(read_bytes("12345678", 8), 0);
    ck_assert_int_eq(read_bytes("4321", 4), 0);
    ck_assert_uint_eq(secret_size(secret), 4);
    ck_assert_mem_eq(secret_bytes(secret) + 4, zeros, 4);
}
END_TEST

/* A blocking pipe whose writer stays: what is there counts, and nobody waits. The test's own time limit is the watch.
 */
START_TEST(a_writer_that_stays_blocks_nobody) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(secret_read_pipe(secret, ends[0]), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(write(ends[1], "1234", 4), 4);
    ck_assert_int_eq(secret_read_pipe(secret, ends[0]), 0);
    ck_assert_uint_eq(secret_size(secret), 4);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(pieces_make_one_pin) {
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_DIRECT), 0); /* each write is a packet of its own */
    ck_assert_int_eq(write(ends[1], "12", 2), 2);
    ck_assert_int_eq(write(ends[1], "34", 2), 2);
    close(ends[1]);
    ck_assert_int_eq(secret_read_pipe(secret, ends[0]), 0);
    ck_assert_mem_eq(secret_bytes(secret), "1234", 4);
    close(ends[0]);
}
END_TEST

static void expect_no_pipe(int fd) {
    ck_assert_int_eq(secret_read_pipe(secret, fd), EONAY_ERROR_DESCRIPTOR_INVALID);
    expect_erased();
}

START_TEST(what_is_no_pipe) {
    int pair[2], ends[2];
    int memory = memfd_create("no pipe", 0), folder = open("/", O_RDONLY | O_DIRECTORY),
        zero = open("/dev/zero", O_RDONLY);
    ck_assert_int_eq(write(memory, "1234", 4), 4);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(pipe(ends), 0);
    expect_no_pipe(memory);
    expect_no_pipe(folder);
    expect_no_pipe(zero);
    expect_no_pipe(pair[0]);
    expect_no_pipe(ends[1]); /* the wrong end */
    expect_no_pipe(-1);
    expect_no_pipe(1023);
    for (int *fd = (int[]){memory, folder, zero, pair[0], pair[1], ends[0], ends[1], -1}; *fd >= 0; fd++)
        close(*fd);
}
END_TEST

/* Opened with O_PATH it is a FIFO to fstat(), and cannot be read. */
START_TEST(a_fifo_that_is_only_a_name) {
    char folder[] = "/tmp/eonay-secret-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int fd = open(path, O_PATH);
    expect_no_pipe(fd);
    close(fd);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(the_descriptor_stays_open) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "1234", 4), 4);
    ck_assert_int_eq(secret_read_pipe(secret, ends[0]), 0);
    ck_assert_int_ge(fcntl(ends[0], F_GETFD), 0);
    ck_assert_int_eq(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0); /* it is somebody else's, so are its flags */
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_child_does_not_inherit_it) {
    int status;
    ck_assert_int_eq(read_bytes("123456", 6), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(memcmp(secret_bytes(secret), "\0\0\0\0\0\0", 6) == 0 ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_mem_eq(secret_bytes(secret), "123456", 6);
}
END_TEST

/* What the kernel says of the page: locked, and left out of dumps. */
START_TEST(the_page_is_locked) {
    char line[512];
    unsigned long from, to, wanted = (unsigned long)(uintptr_t)secret_bytes(secret);
    bool within = false, seen = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx", &from, &to) == 2)
            within = wanted >= from && wanted < to;
        if (within && strncmp(line, "VmFlags:", 8) == 0) {
#ifndef __SANITIZE_ADDRESS__ /* which makes mlock() do nothing */
            ck_assert_ptr_nonnull(strstr(line, " lo"));
#endif
            ck_assert_ptr_nonnull(strstr(line, " dd"));
            seen = true;
        }
    }
    fclose(maps);
    ck_assert(seen);
}
END_TEST

START_TEST(nothing_is_freed_twice) {
    ck_assert_ptr_null(secret_free(NULL));
}
END_TEST

int main(void) {
    Suite *s = suite_create("secret");
    TCase *t = tcase_create("pipe");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_pin_is_read);
    tcase_add_test(t, one_line_end_is_dropped);
    tcase_add_test(t, bytes_are_bytes);
    tcase_add_test(t, nothing_is_no_pin);
    tcase_add_test(t, nul_is_in_no_pin);
    tcase_add_test(t, the_limit_and_what_is_beyond);
    tcase_add_test(t, a_second_pin_replaces_the_first);
    tcase_add_test(t, a_writer_that_stays_blocks_nobody);
    tcase_add_test(t, pieces_make_one_pin);
    tcase_add_test(t, what_is_no_pipe);
    tcase_add_test(t, a_fifo_that_is_only_a_name);
    tcase_add_test(t, the_descriptor_stays_open);
    tcase_add_test(t, a_child_does_not_inherit_it);
    tcase_add_test(t, the_page_is_locked);
    tcase_add_test(t, nothing_is_freed_twice);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
