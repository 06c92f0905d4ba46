/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a plugin can go wrong, and that it costs no more than this one process. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "harness.h"
#include "util.h"

#define SHORT 200 /* milliseconds: a deadline to be overrun */

static HostUnderTest host;
static Outcome outcome;
static unsigned signatures;

static void setup(void) {
    host_start(&host);
}

static void open_token(const char *script, uint32_t deadline) {
    host_open_fake(&host, "token", STRINGS("Script", script), deadline);
}

static int list(sd_bus_message **ret_reply) {
    sd_bus_message *m = host_message(&host, HOST_METHOD_LIST);
    ck_assert_int_ge(sd_bus_message_append(m, "ah", 0), 0);
    return host_call(&host, m, &outcome, ret_reply);
}

/* --------------------------------------------------------------------------------------------- hangs and crashes -- */

/* Calls the operation that the script is about; the connection must break in it. logout() runs within Sign, and there
 * the signature is sent before it. */
static void call_operation(const char *operation) {
    int r = 0;
    if (strcmp(operation, "logout") == 0) {
        ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
        ck_assert_int_eq(host_sign(&host, 1, "fake-0", &outcome, &signatures), 0);
        ck_assert_uint_eq(signatures, 1);
        return;
    }
    if (strcmp(operation, "list") == 0)
        r = list(NULL);
    else if (strcmp(operation, "sign") != 0 || host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome) == 0)
        r = strcmp(operation, "sign") == 0 ? host_sign(&host, 1, "fake-0", &outcome, &signatures)
                                           : host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome);
    ck_assert_msg(r < 0, "%s came back with %d", operation, r);
}

static const char *const operations[] = {"list", "inspect", "login", "sign", "logout"};
#define N_OPERATIONS 5

static void run_ending(const char *operation, const char *action, uint32_t deadline, int *ret_status) {
    char script[64];
    snprintf(script, sizeof(script), "%s %s", operation, action);
    open_token(script, deadline);
    call_operation(strcmp(operation, "inspect") == 0 ? "login" : operation); /* the one runs within the other */
    *ret_status = host_wait(&host);
}

START_TEST(a_hang_is_killed) {
    int status;
    run_ending(operations[_i], "hang", SHORT, &status);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

START_TEST(a_hang_with_signals_blocked_is_killed) {
    int status;
    run_ending(operations[_i], "hang-signals-blocked", SHORT, &status);
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

START_TEST(a_busy_loop_is_killed) {
    int status;
    run_ending(operations[_i], "spin", SHORT, &status);
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

/* The daemon cannot send signals to a process of another user. */
static int open_on_leash(const char *script) {
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
    const OpenArguments a = {.kind = "token",
                             .plugin = "fake-token",
                             .library = test_path("FAKE_TOKEN"),
                             .config = STRINGS("Script", script),
                             .leash = pair[1]};
    ck_assert_int_eq(host_open(&host, &a, &outcome), 0);
    close(pair[1]);
    return pair[0];
}

START_TEST(a_leash_ends_a_hang) {
    int leash = open_on_leash("list hang-signals-blocked");
    sd_bus_message *m = host_message(&host, HOST_METHOD_LIST);
    ck_assert_int_ge(sd_bus_message_append(m, "ah", 0), 0);
    ck_assert_int_ge(sd_bus_send(host.bus, m, NULL), 0);
    sd_bus_message_unref(m);
    ck_assert_int_eq(send(leash, "", 1, 0), 1);
    int status = host_wait(&host);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    close(leash);
}
END_TEST

START_TEST(a_leash_let_go_ends_nothing) {
    close(open_on_leash(""));
    ck_assert_int_eq(list(NULL), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_crash_ends_the_host_alone) {
    int status;
    run_ending(operations[_i], "crash", 0, &status);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_assert(!WCOREDUMP(status));
}
END_TEST

START_TEST(an_abort_ends_the_host_alone) {
    int status;
    run_ending(operations[_i], "abort", 0, &status);
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

START_TEST(an_exit_ends_the_host_alone) {
    int status;
    run_ending(operations[_i], "exit 3", 0, &status);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 3);
}
END_TEST

static int open_while_loading(const char *variable, uint32_t deadline) {
    const OpenArguments a = {.kind = "token",
                             .plugin = "fake-token",
                             .library = test_path("FAKE_TOKEN"),
                             .environment = STRINGS(variable),
                             .deadline = deadline};
    return host_open(&host, &a, &outcome);
}

START_TEST(a_constructor_is_under_the_deadline) {
    ck_assert_int_lt(open_while_loading("EONAY_FAKE_LOAD=hang-signals-blocked", SHORT), 0);
    ck_assert_int_eq(WTERMSIG(host_wait(&host)), SIGKILL);
}
END_TEST

START_TEST(a_constructor_may_crash) {
    ck_assert_int_lt(open_while_loading("EONAY_FAKE_LOAD=crash", 0), 0);
    ck_assert_int_eq(WTERMSIG(host_wait(&host)), SIGSEGV);
}
END_TEST

START_TEST(a_hanging_close_does_not_stay) {
    open_token("close hang-signals-blocked", 0);
    ck_assert_int_eq(WTERMSIG(host_stop(&host)), SIGKILL);
}
END_TEST

START_TEST(a_slow_call_within_its_deadline_is_right) {
    open_token("* slow 30", 5000);
    ck_assert_int_eq(list(NULL), 0);
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 1, "fake-0", &outcome, &signatures), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

/* A deadline is for one call: idle time between two does not count. */
START_TEST(idle_time_is_nobodys_fault) {
    open_token("", SHORT);
    usleep(2 * SHORT * 1000);
    ck_assert_int_eq(list(NULL), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(no_child_is_left) {
    open_token("sign fork; sign stdout", 0);
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 1, "fake-0", &outcome, &signatures), 0);
    ck_assert_int_eq(host_stop(&host), 0);
    char *log = host_log(&host);
    ck_assert_ptr_nonnull(strstr(log, "unit: fork was refused"));
    ck_assert_ptr_null(strstr(log, "a plugin that talks"));
    free(log);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ numbers -- */

START_TEST(every_condition_comes_through) {
    char script[128];
    if (!eonay_error_short_name(_i))
        return;
    snprintf(script, sizeof(script), "sign error %s,1,77", eonay_error_short_name(_i));
    open_token(script, 0);
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 1, "fake-0", &outcome, &signatures), _i);
    ck_assert_int_eq(outcome.tries_left, 1);
    ck_assert_uint_eq(outcome.native_code, 77);
    ck_assert_uint_eq(signatures, 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_number_that_is_no_condition) {
    open_token("list code 4711", 0);
    ck_assert_int_eq(list(NULL), EONAY_ERROR_PLUGIN_FAILED);
    ck_assert_uint_eq(outcome.native_code, 4711);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_negative_number_ends_the_host) {
    open_token("list errno 5", 0);
    ck_assert_int_eq(list(NULL), -EIO);
    int status = host_wait(&host);
    ck_assert(WIFEXITED(status));
    ck_assert_int_ne(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(a_fault_of_an_earlier_call_is_forgotten) {
    open_token("list:1 error RateLimited,-1,60; list:2 code 30", 0);
    ck_assert_int_eq(list(NULL), EONAY_ERROR_RATE_LIMITED);
    ck_assert_uint_eq(outcome.native_code, 60);
    ck_assert_int_eq(list(NULL), EONAY_ERROR_TIMED_OUT);
    ck_assert_uint_eq(outcome.native_code, 0);
    ck_assert_str_eq(outcome.text, "");
    ck_assert_int_eq(list(NULL), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(open_may_fail) {
    const OpenArguments a = {.kind = "token",
                             .plugin = "fake-token",
                             .library = test_path("FAKE_TOKEN"),
                             .config = STRINGS("Script", "open error ModuleMissing")};
    ck_assert_int_eq(host_open(&host, &a, &outcome), EONAY_ERROR_MODULE_MISSING);
    ck_assert_int_lt(list(NULL), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ rubbish -- */

/* Lists with a script; returns the number of tokens and the label of the first. */
static unsigned list_rubbish(const char *kind, const char *tokens, char *label, size_t size) {
    char script[64];
    sd_bus_message *reply;
    unsigned n = 0;
    const char *name, *value;
    snprintf(script, sizeof(script), "list garbage %s", kind);
    host_open_fake(&host, "token", STRINGS("Script", script, "Tokens", tokens), 0);
    ck_assert_int_eq(list(&reply), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(a{sv}a(aya{sv}))"), 0);
    while (sd_bus_message_enter_container(reply, 'r', "a{sv}a(aya{sv})") > 0) {
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
        ck_assert_int_gt(sd_bus_message_skip(reply, "{sv}"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "{sv}", &name, "s", &value), 0);
        if (n++ == 0)
            snprintf(label, size, "%s", value);
        while (sd_bus_message_skip(reply, "{sv}") > 0)
            ;
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
        ck_assert_int_ge(sd_bus_message_skip(reply, "a(aya{sv})"), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
    }
    sd_bus_message_unref(reply);
    ck_assert_int_eq(host_stop(&host), 0);
    return n;
}

START_TEST(rubbish_in_a_listing) {
    static char huge[1025];
    memset(huge, 'A', sizeof(huge) - 1);
    const struct {
        const char *kind, *tokens;
        unsigned expected;
        const char *label;
    } rows[] = {{"utf8", "1", 1, "bad \xef\xbf\xbd\xef\xbf\xbd label"},
                {"control", "1", 1, "red \xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd label"},
                {"huge", "1", 1, huge},
                {"null", "2", 2, ""},
                {"key", "1", 0, ""},
                {"size", "1", 0, ""},
                {"no-token", "1", 0, ""},
                {"nothing", "5", 0, ""},
                {"many", "1000", 64, "Fake token"},
                {"der-huge", "1", 1, "Fake token"},
                {"der-null", "1", 1, "Fake token"},
                {"der-empty", "1", 1, "Fake token"}};
    char label[2048] = "";
    ck_assert_uint_eq(list_rubbish(rows[_i].kind, rows[_i].tokens, label, sizeof(label)), rows[_i].expected);
    ck_assert_str_eq(label, rows[_i].label);
}
END_TEST

START_TEST(rubbish_for_a_signature) {
    static const char *const kinds[] = {"null", "zero", "size"};
    char script[64];
    snprintf(script, sizeof(script), "sign garbage %s", kinds[_i]);
    open_token(script, 0);
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 1, "fake-0", &outcome, &signatures), EONAY_ERROR_PLUGIN_FAILED);
    ck_assert_uint_eq(signatures, 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_signature_too_large_for_any_key) {
    host_open_fake(&host, "token", STRINGS("SignatureSize", "100000"), 0);
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 1, "fake-0", &outcome, &signatures), EONAY_ERROR_PLUGIN_FAILED);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(memory_of_somebody_else_ends_the_host) {
    open_token("sign garbage foreign", 0);
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_lt(host_sign(&host, 1, "fake-0", &outcome, &signatures), 0);
    ck_assert_int_eq(WTERMSIG(host_wait(&host)), SIGABRT);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- cancellation -- */

static int take_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    int *code = userdata;
    (void)error;
    ck_assert(!sd_bus_message_is_method_error(reply, NULL));
    ck_assert_int_gt(sd_bus_message_read(reply, "i", code), 0);
    return 1;
}

START_TEST(abort_cancels_the_running_call) {
    int login = -1, aborted = -1;
    _cleanup_close_ int pin = pipe_with(TEST_PIN, strlen(TEST_PIN));
    open_token("login until-cancelled", 10000);
    ck_assert_int_ge(sd_bus_call_method_async(host.bus, NULL, NULL, HOST_PATH, HOST_INTERFACE, HOST_METHOD_LOGIN,
                                              take_reply, &login, "tsahu", (uint64_t)5, "fake-0", 1, pin, 0),
                     0);
    ck_assert_int_ge(sd_bus_flush(host.bus), 0);
    usleep(50000);
    ck_assert_int_ge(sd_bus_call_method_async(host.bus, NULL, NULL, HOST_PATH, HOST_INTERFACE, HOST_METHOD_ABORT,
                                              take_reply, &aborted, "t", (uint64_t)5),
                     0);
    while (aborted < 0)
        if (sd_bus_process(host.bus, NULL) == 0)
            ck_assert_int_gt(sd_bus_wait(host.bus, HARNESS_TIMEOUT), 0);
    ck_assert_int_eq(login, EONAY_ERROR_CANCELLED);
    ck_assert_int_eq(aborted, 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

/* Another message that waits is no reason to give up: Sign is sent right behind Login. */
START_TEST(a_waiting_sign_cancels_nothing) {
    int login = -1;
    _cleanup_close_ int pin = pipe_with(TEST_PIN, strlen(TEST_PIN));
    open_token("login slow 100", 0);
    ck_assert_int_ge(sd_bus_call_method_async(host.bus, NULL, NULL, HOST_PATH, HOST_INTERFACE, HOST_METHOD_LOGIN,
                                              take_reply, &login, "tsahu", (uint64_t)5, "fake-0", 1, pin, 0),
                     0);
    ck_assert_int_eq(host_sign(&host, 5, "fake-0", &outcome, &signatures), 0);
    ck_assert_uint_eq(signatures, 1);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_closed_connection_cancels_the_running_call) {
    open_token("list until-cancelled", 10000);
    sd_bus_message *m = host_message(&host, HOST_METHOD_LIST);
    ck_assert_int_ge(sd_bus_message_append(m, "ah", 0), 0);
    ck_assert_int_ge(sd_bus_send(host.bus, m, NULL), 0);
    sd_bus_message_unref(m);
    int status = host_stop(&host);
    ck_assert_msg(WIFEXITED(status), "the plugin did not notice, the deadline did");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("host-faults");
    TCase *t = tcase_create("faults");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, a_hang_is_killed, 0, N_OPERATIONS);
    tcase_add_loop_test(t, a_hang_with_signals_blocked_is_killed, 0, N_OPERATIONS);
    tcase_add_loop_test(t, a_busy_loop_is_killed, 0, N_OPERATIONS);
    tcase_add_loop_test(t, a_crash_ends_the_host_alone, 0, N_OPERATIONS);
    tcase_add_loop_test(t, an_abort_ends_the_host_alone, 0, N_OPERATIONS);
    tcase_add_loop_test(t, an_exit_ends_the_host_alone, 0, N_OPERATIONS);
    tcase_add_test(t, a_constructor_is_under_the_deadline);
    tcase_add_test(t, a_constructor_may_crash);
    tcase_add_test(t, a_hanging_close_does_not_stay);
    tcase_add_test(t, a_leash_ends_a_hang);
    tcase_add_test(t, a_leash_let_go_ends_nothing);
    tcase_add_test(t, a_slow_call_within_its_deadline_is_right);
    tcase_add_test(t, idle_time_is_nobodys_fault);
    tcase_add_test(t, no_child_is_left);
    tcase_add_loop_test(t, every_condition_comes_through, 1, 64);
    tcase_add_test(t, a_number_that_is_no_condition);
    tcase_add_test(t, a_negative_number_ends_the_host);
    tcase_add_test(t, a_fault_of_an_earlier_call_is_forgotten);
    tcase_add_test(t, open_may_fail);
    tcase_add_loop_test(t, rubbish_in_a_listing, 0, 12);
    tcase_add_loop_test(t, rubbish_for_a_signature, 0, 3);
    tcase_add_test(t, a_signature_too_large_for_any_key);
    tcase_add_test(t, memory_of_somebody_else_ends_the_host);
    tcase_add_test(t, abort_cancels_the_running_call);
    tcase_add_test(t, a_waiting_sign_cancels_nothing);
    tcase_add_test(t, a_closed_connection_cancels_the_running_call);
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
