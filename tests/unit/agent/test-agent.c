/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the agent that need no display: the code as it is pasted, the PIN's page, and the network that is gone.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "code-entry.h"
#include "confine.h"
#include "pin-buffer.h"

static void assert_digits(const char *typed, const char *expected, guint count) {
    guint n = 99;
    g_autofree char *digits = code_entry_digits(typed, &n);
    ck_assert_pstr_eq(digits, expected);
    ck_assert_uint_eq(n, count);
}

START_TEST(codes_as_they_are_pasted) {
    assert_digits("168857414351237", "168857414351237", 15);
    assert_digits(" 168 857\t414\r\n351-237 ", "168857414351237", 15);
    assert_digits("168\u00a0857\u2009414\u202f351\u2013237\u3000", "168857414351237",
                  15); /* and dashes that are none of ASCII */
    assert_digits("", "", 0);
    assert_digits("16885741435123x", NULL, 14);
    assert_digits("\u0661\u0662\u0663", NULL, 0); /* digits of other scripts are none */
    assert_digits("1688574143512377", "1688574143512377", 16);
}
END_TEST

/* What listeners are told of. */
static void on_inserted(GtkEntryBuffer *buffer, guint position, const char *chars, guint n, gpointer data) {
    (void)buffer;
    (void)position;
    g_string_append_len(data, chars, (gssize)strlen(chars));
    ck_assert_int_eq(g_utf8_strlen(chars, -1), n);
}

static void type(EonayPinBuffer *b, guint position, const char *text) {
    gtk_entry_buffer_insert_text(GTK_ENTRY_BUFFER(b), position, text, (int)g_utf8_strlen(text, -1));
}

static char *take(EonayPinBuffer *b) {
    char content[512];
    int fd = -1;
    ck_assert_int_eq(pin_buffer_to_pipe(b, &fd), 0);
    ssize_t n = read(fd, content, sizeof(content));
    ck_assert_int_ge(n, 0);
    ck_assert_int_eq(read(fd, content + n, 1), 0); /* it is closed: nobody waits for more */
    close(fd);
    return g_strndup(content, (gsize)n);
}

START_TEST(a_pin_goes_into_a_pipe_and_is_gone) {
    EonayPinBuffer *b = pin_buffer_new();
    g_autoptr(GString) told = g_string_new(NULL);
    const char *page = gtk_entry_buffer_get_text(GTK_ENTRY_BUFFER(b));
    g_signal_connect(b, "inserted-text", G_CALLBACK(on_inserted), told);
    type(b, 0, "19ş4");
    type(b, 1, "88");
    gtk_entry_buffer_delete_text(GTK_ENTRY_BUFFER(b), 1, 1);
    ck_assert_str_eq(page, "189ş4");
    ck_assert_uint_eq(gtk_entry_buffer_get_length(GTK_ENTRY_BUFFER(b)), 5);
    ck_assert_ptr_null(strpbrk(told->str, "0123456789"));
    g_autofree char *pin = take(b);
    ck_assert_str_eq(pin, "189ş4");
    ck_assert_uint_eq(pin_buffer_size(b), 0);
    for (int i = 0; i < 256; i++)
        ck_assert_int_eq(page[i], 0);
    g_object_unref(b);
}
END_TEST

START_TEST(what_is_deleted_is_erased) {
    EonayPinBuffer *b = pin_buffer_new();
    const char *page = gtk_entry_buffer_get_text(GTK_ENTRY_BUFFER(b));
    type(b, 0, "12345678");
    gtk_entry_buffer_delete_text(GTK_ENTRY_BUFFER(b), 2, 4);
    ck_assert_str_eq(page, "1278");
    for (int i = 4; i < 16; i++)
        ck_assert_int_eq(page[i], 0);
    gtk_entry_buffer_delete_text(GTK_ENTRY_BUFFER(b), 9, 4); /* beyond the end */
    ck_assert_str_eq(page, "1278");
    g_object_unref(b);
}
END_TEST

START_TEST(a_pin_has_a_limit) {
    EonayPinBuffer *b = pin_buffer_new();
    g_autofree char *many = g_strnfill(256, '7');
    type(b, 0, many);
    ck_assert_uint_eq(pin_buffer_size(b), 256);
    ck_assert_uint_eq(gtk_entry_buffer_insert_text(GTK_ENTRY_BUFFER(b), 0, "8", 1), 0);
    ck_assert_str_eq(gtk_entry_buffer_get_text(GTK_ENTRY_BUFFER(b)), many);
    g_object_unref(b);
}
END_TEST

START_TEST(no_network_no_core_no_tracing) {
    struct rlimit cores;
    ck_assert_int_eq(confine(), 0);
    const int families[] = {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK, 44 /* AF_XDP */};
    for (gsize i = 0; i < G_N_ELEMENTS(families); i++) {
        errno = 0;
        ck_assert_int_eq(socket(families[i], SOCK_STREAM | SOCK_CLOEXEC, 0), -1);
        ck_assert_int_eq(errno, EAFNOSUPPORT);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(syscall(SYS_io_uring_setup, 1, NULL), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &cores), 0);
    ck_assert_int_eq((int)cores.rlim_max, 0);
    _exit(EXIT_SUCCESS); /* a leak checker could not look at this process any more */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("agent");
    TCase *all = tcase_create("all");
    tcase_add_test(all, codes_as_they_are_pasted);
    tcase_add_test(all, a_pin_goes_into_a_pipe_and_is_gone);
    tcase_add_test(all, what_is_deleted_is_erased);
    tcase_add_test(all, a_pin_has_a_limit);
    tcase_add_test(all, no_network_no_core_no_tracing);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
