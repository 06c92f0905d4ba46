/* SPDX-License-Identifier: Apache-2.0 */
/* The authority methods of the protocol, between a real host and the fake authority. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "util.h"

static HostUnderTest host;
static Outcome outcome;
static char value[4096];

static void setup(void) {
    host_start(&host);
}

static void open_with(const char *const *config) {
    host_open_fake(&host, "ca", config, 0);
}

static void ends_well(void) {
    ck_assert_int_eq(host_stop(&host), 0);
}

static int call_strings(const char *method, const char *argument, sd_bus_message **ret_reply) {
    sd_bus_message *m = host_message(&host, method);
    if (argument)
        ck_assert_int_ge(sd_bus_message_append(m, "s", argument), 0);
    return host_call(&host, m, &outcome, ret_reply);
}

static int get_code(const char *key, const char *option, sd_bus_message **ret_reply) {
    sd_bus_message *m = host_message(&host, HOST_METHOD_GET_CODE);
    ck_assert_int_ge(key ? sd_bus_message_append(m, "a{ss}", 1, key, option) : sd_bus_message_append(m, "a{ss}", 0), 0);
    return host_call(&host, m, &outcome, ret_reply);
}

static int submit(unsigned n, sd_bus_message **ret_reply) {
    sd_bus_message *m = host_message(&host, HOST_METHOD_SUBMIT);
    ck_assert_int_ge(sd_bus_message_append(m, "ss", "transaction", "key-1"), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "ay"), 0);
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_ge(sd_bus_message_append_array(m, 'y', "cms", 3), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    return host_call(&host, m, &outcome, ret_reply);
}

static void expect_string(sd_bus_message *reply, const char *key, const char *expected) {
    host_dictionary_string(reply, key, value, sizeof(value));
    ck_assert_str_eq(value, expected);
}

START_TEST(capabilities) {
    sd_bus_message *reply;
    open_with(STRINGS("Name", "Deneme Sertifika Hizmet Sağlayıcısı", "Capabilities", "get-code,status"));
    ck_assert_int_eq(call_strings(HOST_METHOD_CAPABILITIES, NULL, &reply), 0);
    const char *name, *words;
    uint32_t flags, length, life;
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "{sv}{sv}{sv}{sv}", &name, "s", &words, &name, "u", &flags, &name, "u",
                                         &length, &name, "u", &life),
                     0);
    ck_assert_str_eq(words, "Deneme Sertifika Hizmet Sağlayıcısı");
    ck_assert_uint_eq(flags, EONAY_CA_GET_CODE | EONAY_CA_STATUS);
    ck_assert_uint_eq(length, 15);
    ck_assert_uint_eq(life, 300);
    sd_bus_message_unref(reply);
    ends_well();
}
END_TEST

START_TEST(get_code_gives_a_code) {
    sd_bus_message *reply;
    open_with(STRINGS("Code", "168857414351237"));
    ck_assert_int_eq(get_code("language", "tr", &reply), 0);
    expect_string(reply, "Code", "168857414351237");
    expect_string(reply, "Purpose", "e-onay.nes-application");
    expect_string(reply, "Handle", "");
    sd_bus_message_unref(reply);
    ck_assert_int_lt(get_code("colour", "blue", NULL), 0);
    ends_well();
}
END_TEST

START_TEST(a_pending_code_is_polled_for) {
    sd_bus_message *reply;
    open_with(STRINGS("PendingPolls", "2"));
    ck_assert_int_eq(get_code(NULL, NULL, &reply), 0);
    expect_string(reply, "Code", "");
    expect_string(reply, "Handle", "fake-handle");
    expect_string(reply, "UserCode", "FAKE-CODE");
    sd_bus_message_unref(reply);
    ck_assert_int_eq(call_strings(HOST_METHOD_POLL_CODE, "another", NULL), EONAY_ERROR_NOT_FOUND);
    ck_assert_int_eq(call_strings(HOST_METHOD_POLL_CODE, "fake-handle", NULL), EONAY_ERROR_CODE_PENDING);
    ck_assert_int_eq(call_strings(HOST_METHOD_POLL_CODE, "fake-handle", &reply), 0);
    expect_string(reply, "Code", "200000000000001");
    sd_bus_message_unref(reply);
    ends_well();
}
END_TEST

/* The text must arrive byte for byte, whatever is in it: judging is the daemon's. */
START_TEST(redeem_gives_the_texts_unchanged) {
    static const char bytes[] = "\xff\xfe Ã \xe2\x80\xae \0 end";
    const size_t size = sizeof(bytes) - 1;
    _cleanup_close_ int file = memfd_create("text", MFD_CLOEXEC);
    ck_assert_int_eq(write(file, bytes, size), (ssize_t)size);
    const OpenArguments a = {.kind = "ca",
                             .plugin = "fake-ca",
                             .library = test_path("FAKE_CA"),
                             .config = STRINGS("TextFile", "passed", "Texts", "2", "Requester",
                                               "Kurum\x1b[2J\xe2\x80\xae", "Subject", "10000000146"),
                             .file_key = "TextFile",
                             .file = file};
    ck_assert_int_eq(host_open(&host, &a, &outcome), 0);
    sd_bus_message *reply;
    ck_assert_int_eq(call_strings(HOST_METHOD_REDEEM, "168857414351237", &reply), 0);
    expect_string(reply, "Requester", "Kurum\xef\xbf\xbd[2J\xef\xbf\xbd");
    expect_string(reply, "Subject", "10000000146");
    expect_string(reply, "Level", "B-B");
    const char *title, *type;
    const void *text;
    size_t text_size;
    ck_assert_int_ge(sd_bus_message_rewind(reply, 1), 0);
    ck_assert_int_gt(sd_bus_message_skip(reply, HOST_OUTCOME "a{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(ssay)"), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "ssay"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "ss", &title, &type), 0);
        ck_assert_int_gt(sd_bus_message_read_array(reply, 'y', &text, &text_size), 0);
        ck_assert_str_eq(type, "text/plain;charset=utf-8");
        ck_assert_uint_eq(text_size, size);
        ck_assert_mem_eq(text, bytes, size);
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
    }
    sd_bus_message_unref(reply);
    ends_well();
}
END_TEST

START_TEST(submit_gives_the_receipt) {
    sd_bus_message *reply;
    open_with(NULL);
    ck_assert_int_eq(submit(1, &reply), 0);
    expect_string(reply, "ReceiptId", "FAKE-key-1");
    sd_bus_message_unref(reply);
    ck_assert_int_lt(submit(0, NULL), 0);
    ck_assert_int_lt(submit(17, NULL), 0);
    ends_well();
}
END_TEST

START_TEST(status_approval_and_cancel) {
    sd_bus_message *reply;
    const char *name;
    uint32_t state;
    int approved;
    open_with(STRINGS("State", "1", "Approved", "1"));
    ck_assert_int_eq(call_strings(HOST_METHOD_STATUS, "transaction", &reply), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "{sv}", &name, "u", &state), 0);
    ck_assert_uint_eq(state, EONAY_TRANSACTION_DONE);
    expect_string(reply, "ReceiptId", "FAKE-transaction");
    sd_bus_message_unref(reply);
    ck_assert_int_eq(call_strings(HOST_METHOD_APPROVAL, "10000000146", &reply), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "{sv}", &name, "b", &approved), 0);
    ck_assert_int_eq(approved, 1);
    expect_string(reply, "TextVersion", "fake-1");
    sd_bus_message_unref(reply);
    ck_assert_int_eq(call_strings(HOST_METHOD_CANCEL, "transaction", NULL), 0);
    ends_well();
}
END_TEST

static int call_named(const char *operation) {
    static const char *const names[][2] = {{"capabilities", HOST_METHOD_CAPABILITIES},
                                           {"poll-code", HOST_METHOD_POLL_CODE},
                                           {"redeem", HOST_METHOD_REDEEM},
                                           {"status", HOST_METHOD_STATUS},
                                           {"approval", HOST_METHOD_APPROVAL},
                                           {"cancel", HOST_METHOD_CANCEL}};
    if (strcmp(operation, "get-code") == 0)
        return get_code(NULL, NULL, NULL);
    if (strcmp(operation, "submit") == 0)
        return submit(1, NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i][0], operation) == 0)
            return call_strings(names[i][1], i == 0 ? NULL : "fake-handle", NULL);
    return -1;
}

static const char *const operations[] = {"capabilities", "get-code", "poll-code", "redeem",
                                         "submit",       "status",   "approval",  "cancel"};
#define N_OPERATIONS 8

START_TEST(each_operation_may_fail) {
    char script[64];
    snprintf(script, sizeof(script), "%s:1 error BackendUnreachable,-1,503", operations[_i]);
    open_with(STRINGS("Script", script));
    ck_assert_int_eq(call_named(operations[_i]), EONAY_ERROR_BACKEND_UNREACHABLE);
    ck_assert_uint_eq(outcome.native_code, 503);
    ck_assert_int_eq(call_named(operations[_i]), 0);
    ends_well();
}
END_TEST

START_TEST(each_operation_is_under_the_deadline) {
    char script[64];
    snprintf(script, sizeof(script), "%s hang-signals-blocked", operations[_i]);
    host_open_fake(&host, "ca", STRINGS("Script", script), 200);
    ck_assert_int_lt(call_named(operations[_i]), 0);
    ck_assert_int_eq(WTERMSIG(host_wait(&host)), SIGKILL);
}
END_TEST

START_TEST(rubbish_is_no_answer) {
    static const struct {
        const char *operation, *kind;
    } rows[] = {{"get-code", "null"},       {"get-code", "utf8"},    {"get-code", "huge"}, {"get-code", "unterminated"},
                {"redeem", "null"},         {"redeem", "utf8"},      {"redeem", "huge"},   {"redeem", "unterminated"},
                {"redeem", "count"},        {"redeem", "text-size"}, {"submit", "null"},   {"submit", "utf8"},
                {"submit", "unterminated"}, {"status", "state"},     {"approval", "utf8"}, {"approval", "huge"}};
    char script[64];
    snprintf(script, sizeof(script), "%s garbage %s", rows[_i].operation, rows[_i].kind);
    open_with(STRINGS("Script", script, "Approved", "1"));
    ck_assert_int_eq(call_named(rows[_i].operation), EONAY_ERROR_BACKEND_PROTOCOL);
    ck_assert_int_eq(call_named("cancel"), 0);
    ends_well();
}
END_TEST

START_TEST(a_name_of_rubbish_is_shown_as_rubbish) {
    sd_bus_message *reply;
    open_with(STRINGS("Script", "capabilities garbage unterminated"));
    ck_assert_int_eq(call_strings(HOST_METHOD_CAPABILITIES, NULL, &reply), 0);
    host_dictionary_string(reply, "Name", value, sizeof(value));
    ck_assert_ptr_nonnull(strstr(value, "\xef\xbf\xbd"));
    sd_bus_message_unref(reply);
    ends_well();
}
END_TEST

START_TEST(memory_of_somebody_else_ends_the_host) {
    open_with(STRINGS("Script", "redeem garbage foreign"));
    ck_assert_int_lt(call_named("redeem"), 0);
    ck_assert_int_eq(WTERMSIG(host_wait(&host)), SIGABRT);
}
END_TEST

START_TEST(texts_beyond_the_limit) {
    open_with(STRINGS("Texts", "17"));
    ck_assert_int_eq(call_named("redeem"), EONAY_ERROR_BACKEND_PROTOCOL);
    ends_well();
}
END_TEST

START_TEST(no_text_is_no_consent) {
    open_with(STRINGS("Text", ""));
    ck_assert_int_eq(call_named("redeem"), EONAY_ERROR_BACKEND_PROTOCOL);
    ends_well();
}
END_TEST

/* The path in the configuration is not one that the plugin may read, and nobody passed a descriptor. */
START_TEST(a_file_that_was_not_granted) {
    open_with(STRINGS("TextFile", "/etc/passwd"));
    ck_assert_int_eq(call_named("redeem"), EONAY_ERROR_FILE_INVALID);
    ends_well();
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("host-ca");
    TCase *t = tcase_create("ca");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, capabilities);
    tcase_add_test(t, get_code_gives_a_code);
    tcase_add_test(t, a_pending_code_is_polled_for);
    tcase_add_test(t, redeem_gives_the_texts_unchanged);
    tcase_add_test(t, submit_gives_the_receipt);
    tcase_add_test(t, status_approval_and_cancel);
    tcase_add_loop_test(t, each_operation_may_fail, 0, N_OPERATIONS);
    tcase_add_loop_test(t, each_operation_is_under_the_deadline, 0, N_OPERATIONS);
    tcase_add_loop_test(t, rubbish_is_no_answer, 0, 16);
    tcase_add_test(t, a_name_of_rubbish_is_shown_as_rubbish);
    tcase_add_test(t, memory_of_somebody_else_ends_the_host);
    tcase_add_test(t, texts_beyond_the_limit);
    tcase_add_test(t, no_text_is_no_consent);
    tcase_add_test(t, a_file_that_was_not_granted);
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
