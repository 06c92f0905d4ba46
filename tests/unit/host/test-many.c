/* SPDX-License-Identifier: Apache-2.0 */
/* Many calls at once into one authority: they run together, each gets its own answer, and one that hangs ends them all.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness.h"
#include "workers.h"

#define MANY 40u

static HostUnderTest host;

typedef struct Expected {
    char code[32];
    int outcome; /* -1: none, the host has ended */
    bool answered;
} Expected;

static unsigned answered;

static void setup(void) {
    Outcome o;
    const OpenArguments a = {.kind = "ca", .plugin = "meeting", .library = test_path("MEETING"), .deadline = 5000};
    answered = 0;
    host_start(&host);
    ck_assert_int_eq(host_open(&host, &a, &o), 0);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    Expected *e = userdata;
    int32_t code = -1, tries;
    uint64_t number = 0;
    const char *text = "";
    char transaction[64];
    e->answered = true;
    answered++;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        ck_assert_int_eq(e->outcome, -1);
        return 0;
    }
    ck_assert_int_ge(sd_bus_message_read(reply, HOST_OUTCOME, &code, &tries, &number, &text), 0);
    ck_assert_int_eq(code, e->outcome);
    if (code == 0) {
        host_dictionary_string(reply, "Transaction", transaction, sizeof(transaction));
        ck_assert_str_eq(transaction, e->code);
    } else { /* details of this call and of no other */
        ck_assert_str_eq(text, e->code);
        ck_assert_uint_eq(number, strtoul(e->code + 5, NULL, 10));
    }
    return 0;
}

static void ask(Expected *e, int outcome, const char *code, unsigned n) {
    sd_bus_message *m = host_message(&host, HOST_METHOD_REDEEM);
    (void)snprintf(e->code, sizeof(e->code), n > 0 ? "%s %u" : "%s", code, n);
    e->outcome = outcome;
    ck_assert_int_ge(sd_bus_message_append(m, "s", e->code), 0);
    ck_assert_int_ge(sd_bus_call_async(host.bus, NULL, m, on_answer, e, HARNESS_TIMEOUT), 0);
    sd_bus_message_unref(m);
}

static void until_answered(unsigned n) {
    while (answered < n) {
        int r = sd_bus_process(host.bus, NULL);
        if (r == 0)
            r = sd_bus_wait(host.bus, HARNESS_TIMEOUT);
        /* a broken connection answers one call after the other; the test's own time limit ends what never ends */
        ck_assert_msg(r >= 0, "%u of %u answers, then %d", answered, n, r);
    }
}

START_TEST(as_many_as_there_are_threads) {
    Expected e[WORKERS_MAX] = {{.code = ""}};
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        ask(&e[i], 0, "meet", WORKERS_MAX);
    until_answered(WORKERS_MAX);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(more_than_there_are_threads) {
    Expected e[MANY] = {{.code = ""}};
    for (unsigned i = 0; i < MANY; i++)
        ask(&e[i], i % 3 == 0 ? EONAY_ERROR_RATE_LIMITED : 0, i % 3 == 0 ? "fail" : "meet", i % 3 == 0 ? i + 1 : 2);
    until_answered(MANY);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(one_that_hangs_ends_them_all) {
    Expected e[3] = {{.code = ""}};
    ask(&e[0], 0, "meet", 1);
    until_answered(1);
    ask(&e[1], -1, "hang", 0);
    ask(&e[2], -1, "meet", 99);
    until_answered(3);
    ck_assert_int_eq(WTERMSIG(host_wait(&host)), SIGKILL);
}
END_TEST

START_TEST(closed_while_calls_are_running) {
    Expected e = {.code = ""};
    ask(&e, -1, "meet", 99);
    ck_assert_int_ge(sd_bus_flush(host.bus), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("host-many");
    TCase *t = tcase_create("many");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, as_many_as_there_are_threads);
    tcase_add_test(t, more_than_there_are_threads);
    tcase_add_test(t, one_that_hangs_ends_them_all);
    tcase_add_test(t, closed_while_calls_are_running);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
