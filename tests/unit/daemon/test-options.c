/* SPDX-License-Identifier: Apache-2.0 */
/* Option dictionaries, and memfds, as callers fill them. */
#include "bus-util.h"
#include "harness.h"
#include "util.h"

#include <eonay/plugin.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"

static sd_bus *bus;
static int peer;

/* Messages belong to a bus; this one talks to nobody. */
static void set_up(void) {
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    peer = pair[1];
    ck_assert_int_ge(sd_bus_new(&bus), 0);
    ck_assert_int_ge(sd_bus_set_fd(bus, pair[0], pair[0]), 0);
    ck_assert_int_ge(sd_bus_set_anonymous(bus, true), 0);
    ck_assert_int_ge(sd_bus_start(bus), 0);
}

static void tear_down(void) {
    sd_bus_close(bus);
    bus = sd_bus_unref(bus);
    peer = safe_close(peer);
}

static sd_bus_message *new_message(void) {
    sd_bus_message *m = NULL;
    ck_assert_int_ge(sd_bus_message_new_signal(bus, &m, "/x", "x.y", "Z"), 0);
    return m;
}

static void turn_over(sd_bus_message *m) {
    ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
    ck_assert_int_ge(sd_bus_message_rewind(m, true), 0);
}

typedef struct Values {
    const char *text, *path;
    bool flag;
    int32_t number;
    uint32_t count;
    uint64_t moment;
    char **list;
} Values;

static int read_values(sd_bus_message *m, Values *v, sd_bus_error *error, bool dict) {
    const BusOption table[] = {{"text", "s", &v->text},     {"path", "o", &v->path},   {"flag", "b", &v->flag},
                               {"number", "i", &v->number}, {"count", "u", &v->count}, {"moment", "t", &v->moment},
                               {"list", "as", &v->list},    {NULL, NULL, NULL}};
    return dict ? bus_read_dict(m, table) : bus_read_options(m, table, error);
}

START_TEST(all_types_there_and_back) {
    char *const list[] = {(char *)"a", (char *)"ğ", NULL};
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
    ck_assert_int_ge(bus_append_string(m, "text", "İ"), 0);
    ck_assert_int_ge(bus_append_path(m, "path", "/a/b"), 0);
    ck_assert_int_ge(bus_append_bool(m, "flag", true), 0);
    ck_assert_int_ge(bus_append_i32(m, "number", -5), 0);
    ck_assert_int_ge(bus_append_u32(m, "count", UINT32_MAX), 0);
    ck_assert_int_ge(bus_append_u64(m, "moment", UINT64_MAX), 0);
    ck_assert_int_ge(bus_append_strv(m, "list", list), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    turn_over(m);
    Values v = {0};
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    ck_assert_int_ge(read_values(m, &v, &error, false), 0);
    ck_assert_str_eq(v.text, "İ");
    ck_assert_str_eq(v.path, "/a/b");
    ck_assert(v.flag);
    ck_assert_int_eq(v.number, -5);
    ck_assert_uint_eq(v.count, UINT32_MAX);
    ck_assert_uint_eq(v.moment, UINT64_MAX);
    ck_assert_uint_eq(g_strv_length(v.list), 2);
    ck_assert_str_eq(v.list[1], "ğ");
    g_strfreev(v.list);
}
END_TEST

START_TEST(what_is_null_is_sent_empty) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
    ck_assert_int_ge(bus_append_string(m, "text", NULL), 0);
    ck_assert_int_ge(bus_append_strv(m, "list", NULL), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    turn_over(m);
    Values v = {.flag = true};
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    ck_assert_int_ge(read_values(m, &v, &error, false), 0);
    ck_assert_str_eq(v.text, "");
    ck_assert_ptr_null(v.list); /* sd-bus reads an empty array so */
    ck_assert(v.flag);          /* what was not given stays */
}
END_TEST

static int refused(sd_bus_message *m, const char *named) {
    Values v = {0};
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    turn_over(m);
    int r = read_values(m, &v, &error, false);
    g_strfreev(v.list);
    ck_assert_str_eq(error.name, INVALID_ARGS);
    ck_assert_msg(strstr(error.message, named) != NULL, "'%s' does not name %s", error.message, named);
    return r;
}

START_TEST(faults_name_the_key) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *unknown = new_message();
    ck_assert_int_ge(sd_bus_message_append(unknown, "a{sv}", 1, "colour", "s", "red"), 0);
    ck_assert_int_lt(refused(unknown, "colour"), 0);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *type = new_message();
    ck_assert_int_ge(sd_bus_message_append(type, "a{sv}", 1, "count", "i", 5), 0);
    ck_assert_int_lt(refused(type, "count"), 0);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *twice = new_message();
    ck_assert_int_ge(sd_bus_message_append(twice, "a{sv}", 2, "list", "as", 1, "x", "list", "as", 1, "y"), 0);
    ck_assert_int_lt(refused(twice, "list"), 0);
    g_autofree char *key = g_strnfill(5000, 'k');
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *huge = new_message();
    ck_assert_int_ge(sd_bus_message_append(huge, "a{sv}", 1, key, "b", 1), 0);
    ck_assert_int_lt(refused(huge, "kkkk"), 0);
}
END_TEST

START_TEST(answers_of_hosts_may_hold_more) {
    Values v = {0};
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *more = new_message();
    ck_assert_int_ge(sd_bus_message_append(more, "a{sv}", 2, "colour", "as", 1, "red", "count", "u", 7), 0);
    turn_over(more);
    ck_assert_int_ge(read_values(more, &v, NULL, true), 0);
    ck_assert_uint_eq(v.count, 7);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *type = new_message();
    ck_assert_int_ge(sd_bus_message_append(type, "a{sv}", 1, "count", "s", "7"), 0);
    turn_over(type);
    ck_assert_int_eq(read_values(type, &v, NULL, true), -EBADMSG);
}
END_TEST

START_TEST(no_options_means_none) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *none = new_message();
    ck_assert_int_ge(sd_bus_message_append(none, "a{sv}", 0), 0);
    turn_over(none);
    ck_assert_int_ge(bus_read_no_options(none, &error), 0);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *one = new_message();
    ck_assert_int_ge(sd_bus_message_append(one, "a{sv}", 1, "x", "b", 1), 0);
    turn_over(one);
    ck_assert_int_lt(bus_read_no_options(one, &error), 0);
    ck_assert_str_eq(error.name, INVALID_ARGS);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ memfds -- */

static int new_memfd(const char *content, int seals) {
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

START_TEST(memfd_there_and_back) {
    g_autoptr(GBytes) bytes = g_bytes_new("abc", 3), got = NULL, empty = g_bytes_new("", 0), nothing = NULL;
    _cleanup_close_ int fd = memfd_write("test", bytes);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(memfd_read(fd, 3, &got), 0);
    ck_assert(g_bytes_equal(got, bytes));
    ck_assert_int_lt(write(fd, "x", 1), 0); /* nobody changes it any more */
    ck_assert_int_lt(ftruncate(fd, 0), 0);
    _cleanup_close_ int none = memfd_write("test", empty);
    ck_assert_int_eq(memfd_read(none, 3, &nothing), 0);
    ck_assert_uint_eq(g_bytes_get_size(nothing), 0);
}
END_TEST

START_TEST(other_descriptors_are_refused) {
    const int all = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    GBytes *got = NULL;
    _cleanup_close_ int large = new_memfd("abcd", all);
    ck_assert_int_eq(memfd_read(large, 3, &got), EONAY_ERROR_FILE_INVALID);
    const int missing[] = {F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW};
    for (size_t i = 0; i < G_N_ELEMENTS(missing); i++) {
        _cleanup_close_ int fd = new_memfd("abc", all & ~missing[i]);
        ck_assert_int_eq(memfd_read(fd, 3, &got), EONAY_ERROR_DESCRIPTOR_INVALID);
    }
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    _cleanup_close_ int reader = ends[0];
    _cleanup_close_ int writer = ends[1];
    _cleanup_close_ int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    const int wrong[] = {reader, writer, file, zero, peer, -1};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        ck_assert_int_eq(memfd_read(wrong[i], 100, &got), EONAY_ERROR_DESCRIPTOR_INVALID);
    ck_assert_ptr_null(got);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("options");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, all_types_there_and_back);
    tcase_add_test(tcase, what_is_null_is_sent_empty);
    tcase_add_test(tcase, faults_name_the_key);
    tcase_add_test(tcase, answers_of_hosts_may_hold_more);
    tcase_add_test(tcase, no_options_means_none);
    tcase_add_test(tcase, memfd_there_and_back);
    tcase_add_test(tcase, other_descriptors_are_refused);
    suite_add_tcase(suite, tcase);
    return harness_run(suite);
}
