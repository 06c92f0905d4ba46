/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting: for a PIN in a pipe, and for a token's turn. And the table of a consent's states. */
#include "consent-private.h"
#include "harness.h"
#include "pinpipe.h"
#include "token.h"
#include "util.h"

#include <eonay/plugin.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------- the pipe -- */

static sd_event *event;
static int reader, writer;

static void set_up_pipe(void) {
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    reader = ends[0];
    writer = ends[1];
    ck_assert_int_ge(sd_event_new(&event), 0);
}

static void tear_down_pipe(void) {
    reader = safe_close(reader);
    writer = safe_close(writer);
    event = sd_event_unref(event);
}

typedef struct Delivery {
    unsigned times;
    int r;
} Delivery;

static void delivered(int r, void *userdata) {
    Delivery *d = userdata;
    *d = (Delivery){d->times + 1, r};
}

static void run_loop(unsigned msec) {
    ck_assert_int_ge(sd_event_run(event, msec * USEC_PER_MSEC), 0);
}

START_TEST(delivered_when_the_writer_has_closed) {
    Delivery d = {0};
    PinPipe *p = NULL;
    char byte;
    ck_assert_int_eq(pinpipe_wait(event, reader, 5 * USEC_PER_SEC, delivered, &d, &p), 0);
    run_loop(0);
    ck_assert_int_eq(write(writer, "1234", 4), 4);
    run_loop(50);
    ck_assert_uint_eq(d.times, 0); /* bytes alone are no delivery */
    ck_assert(pinpipe_is_full(p));
    writer = safe_close(writer);
    run_loop(1000);
    ck_assert_uint_eq(d.times, 1);
    ck_assert_int_eq(d.r, 0);
    run_loop(0);
    ck_assert_uint_eq(d.times, 1);
    ck_assert_int_eq(read(pinpipe_fd(p), &byte, 1), 1); /* nothing was taken out */
    ck_assert_int_eq(byte, '1');
    ck_assert_int_ne(fcntl(pinpipe_fd(p), F_GETFD) & FD_CLOEXEC, 0);
    pinpipe_free(p);
    ck_assert_ptr_null(pinpipe_free(NULL));
}
END_TEST

START_TEST(not_in_time) {
    Delivery d = {0};
    PinPipe *p = NULL;
    ck_assert_int_eq(write(writer, "1234", 4), 4);
    ck_assert_int_eq(pinpipe_wait(event, reader, 20 * USEC_PER_MSEC, delivered, &d, &p), 0);
    run_loop(1000);
    ck_assert_uint_eq(d.times, 1);
    ck_assert_int_eq(d.r, EONAY_ERROR_TIMED_OUT);
    pinpipe_free(p);
}
END_TEST

START_TEST(nobody_waits_any_more) {
    Delivery d = {0};
    PinPipe *p = NULL;
    ck_assert_int_eq(pinpipe_wait(event, reader, 5 * USEC_PER_SEC, delivered, &d, &p), 0);
    pinpipe_free(p);
    writer = safe_close(writer);
    run_loop(20);
    ck_assert_uint_eq(d.times, 0);
    ck_assert_int_ge(fcntl(reader, F_GETFD), 0); /* the caller's own stays his */
}
END_TEST

START_TEST(only_the_read_end_of_a_pipe) {
    _cleanup_close_ int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int wrong[] = {writer, file, null, -1};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        PinPipe *p = NULL;
        ck_assert_int_eq(pinpipe_check(wrong[i]), EONAY_ERROR_DESCRIPTOR_INVALID);
        ck_assert_int_eq(pinpipe_wait(event, wrong[i], 1, delivered, NULL, &p), EONAY_ERROR_DESCRIPTOR_INVALID);
        ck_assert_ptr_null(p);
    }
    ck_assert_int_eq(pinpipe_check(reader), 0);
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- turns -- */

static Config config = {.queue_length = 6, .queue_wait = 600000};
static Manager manager = {.config = &config};
static Token token;
static User users[3];
static GString *order;
static const char *const names[] = {"a1", "a2", "a3", "b1", "b2", "c1"};

static void set_up_token(void) {
    ck_assert_int_ge(sd_event_new(&event), 0);
    manager.event = event;
    token = (Token){.manager = &manager};
    g_queue_init(&token.turns);
    memset(users, 0, sizeof(users));
    order = g_string_new(NULL);
}

static void tear_down_token(void) {
    ck_assert_ptr_null(token.turn);
    ck_assert(g_queue_is_empty(&token.turns));
    g_string_free(order, TRUE);
    event = sd_event_unref(event);
}

static void granted(void *userdata) {
    g_string_append_printf(order, "%s ", (const char *)userdata);
}

static TokenTurn *wait_as(const char *name, Client *client) {
    TokenTurn *turn = NULL;
    ck_assert_int_eq(token_wait(&token, &users[name[0] - 'a'], client, granted, (void *)name, &turn), 0);
    ck_assert_ptr_nonnull(turn);
    return turn;
}

static TokenTurn *wait_for_turn(const char *name) {
    return wait_as(name, NULL);
}

START_TEST(turns_go_round_by_user) {
    TokenTurn *turns[6];
    for (size_t i = 0; i < G_N_ELEMENTS(turns); i++)
        turns[i] = wait_for_turn(names[i]); /* a1 a2 a3 b1 b2 c1 */
    ck_assert_str_eq(order->str, "a1 ");    /* at once, and nobody else */
    const size_t served[] = {0, 3, 5, 1, 4, 2};
    for (size_t i = 0; i < G_N_ELEMENTS(served); i++)
        token_release(turns[served[i]]);
    ck_assert_str_eq(order->str, "a1 b1 c1 a2 b2 a3 ");
}
END_TEST

START_TEST(and_by_connection) {
    Client x = {0}, y = {0};
    TokenTurn *a1 = wait_as("a1", &x), *a2 = wait_as("a2", &x), *a3 = wait_as("a3", &y), *b1 = wait_as("b1", NULL);
    token_release(a1);
    token_release(b1);
    token_release(a3);
    token_release(a2);
    ck_assert_str_eq(order->str, "a1 b1 a3 a2 ");
}
END_TEST

START_TEST(the_queue_has_an_end) {
    TokenTurn *turns[7], *none = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(turns); i++)
        turns[i] = wait_for_turn("a1");
    ck_assert_int_eq(token_wait(&token, &users[0], NULL, granted, NULL, &none), EONAY_ERROR_BUSY);
    ck_assert_ptr_null(none);
    token_release(wait_for_turn("b1")); /* whoever fills it keeps nobody else out */
    token_release(turns[6]);            /* who gives up makes room */
    turns[6] = wait_for_turn("a1");
    for (size_t i = 0; i < G_N_ELEMENTS(turns); i++)
        token_release(turns[i]);
}
END_TEST

START_TEST(giving_up_a_place) {
    TokenTurn *a1 = wait_for_turn("a1"), *a2 = wait_for_turn("a2"), *b1 = wait_for_turn("b1");
    token_release(b1);
    ck_assert_str_eq(order->str, "a1 ");
    ck_assert_ptr_null(token_release(a1));
    token_release(a2);
    ck_assert_str_eq(order->str, "a1 a2 ");
    ck_assert_ptr_null(token_release(NULL));
}
END_TEST

/* Who has said all lets the next one speak, but only one: the third waits until the first has his answer. */
START_TEST(passing_on) {
    TokenTurn *a1 = wait_for_turn("a1"), *b1 = wait_for_turn("b1"), *c1 = wait_for_turn("c1");
    token_pass(a1);
    ck_assert_str_eq(order->str, "a1 b1 ");
    token_pass(b1);
    ck_assert_str_eq(order->str, "a1 b1 ");
    token_release(a1);
    ck_assert_str_eq(order->str, "a1 b1 c1 ");
    token_release(b1);
    token_release(c1);
}
END_TEST

/* Waiting has an end, and who gave up is in nobody's way. */
START_TEST(patience_ends) {
    config.queue_wait = 10;
    TokenTurn *a1 = wait_for_turn("a1"), *b1 = wait_for_turn("b1");
    config.queue_wait = 600000;
    TokenTurn *c1 = wait_for_turn("c1");
    while (g_queue_get_length(&token.turns) == 2)
        run_loop(1000);
    ck_assert_str_eq(order->str, "a1 b1 ");
    Fault overdue = token_overdue(b1);
    ck_assert_int_eq(overdue.code, EONAY_ERROR_BUSY);
    fault_clear(&overdue);
    token_release(a1);
    token_release(b1);
    ck_assert_str_eq(order->str, "a1 b1 c1 ");
    ck_assert_int_eq(token_overdue(c1).code, 0);
    ck_assert_int_eq(token_overdue(NULL).code, 0);
    token_release(c1);
}
END_TEST

START_TEST(who_may_try_a_pin) {
    Journal *journal = NULL;
    char *folder = harness_folder();
    sd_event *loop = NULL;
    Module module = {0};
    ck_assert_int_ge(sd_event_new(&loop), 0);
    ck_assert_int_eq(journal_new(loop, folder, &journal), 0);
    manager.journal = journal;
    token.module = &module;
    token.wrong_pins = g_hash_table_new(NULL, NULL);
    users[0].uid = 1000;
    users[1].uid = 1001;
    ck_assert_int_eq(token_may_try(&token, &users[0], "f", false), 0);
    token_wrong_pin(&token, &users[0]);
    ck_assert_int_eq(token_may_try(&token, &users[0], "f", false), EONAY_ERROR_PIN_FEW_TRIES_LEFT);
    ck_assert_int_eq(token_may_try(&token, &users[1], "f", false), 0); /* each for himself */
    manager.private_bus = true;
    ck_assert_int_eq(token_may_try(&token, &users[0], "f", false), 0);
    manager.private_bus = false;
    token.flags = EONAY_TOKEN_PIN_FINAL_TRY;
    ck_assert_int_eq(token_may_try(&token, &users[1], "f", false), EONAY_ERROR_PIN_FINAL_TRY);
    ck_assert_int_eq(token_may_try(&token, &users[1], "f", true), 0);
    token.flags |= EONAY_TOKEN_PIN_LOCKED;
    ck_assert_int_eq(token_may_try(&token, &users[1], "f", true), EONAY_ERROR_PIN_LOCKED);
    token.flags = 0;
    token_right_pin(&token, &users[0]);
    ck_assert_int_eq(token_may_try(&token, &users[0], "f", false), 0);
    g_hash_table_unref(token.wrong_pins);
    journal_free(journal);
    sd_event_unref(loop);
    harness_remove(folder);
}
END_TEST

static const struct {
    uint32_t flags;
    const char *state;
} pin_states[] = {{0, "ok"},
                  {EONAY_TOKEN_PIN_UNKNOWN, "unknown"},
                  {EONAY_TOKEN_PIN_LOW, "low"},
                  {EONAY_TOKEN_PIN_LOW | EONAY_TOKEN_PIN_FINAL_TRY, "final-try"},
                  {EONAY_TOKEN_PIN_FINAL_TRY | EONAY_TOKEN_PIN_LOCKED | EONAY_TOKEN_PIN_UNKNOWN, "locked"}};

START_TEST(pin_state) {
    const Token t = {.flags = pin_states[_i].flags};
    ck_assert_str_eq(token_pin_state(&t), pin_states[_i].state);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- states -- */

static const char *const state_names[N_CONSENT_STATES] = {"reviewing", "authorising", "confirming", "awaiting-pin",
                                                          "signing",   "verifying",   "submitting", "done",
                                                          "failed",    "cancelled",   "expired"};

/* Who may follow whom: "." yes. Rows and columns in the order of the names. */
static const char *const ways[N_CONSENT_STATES] = {
    "o.xxxxxx...", /* reviewing */
    ".o..xxxx...", /* authorising */
    ".xo.xxxx...", /* confirming */
    ".xxo.xxx...", /* awaiting-pin */
    ".xx.o.xx...", /* signing */
    "xxxxxo.x...", /* verifying */
    "xxxxxxo....", /* submitting */
    "xxxxxxxoxxx", /* done */
    "xxxxxxxxoxx", /* failed */
    "xxxxxxxxxox", /* cancelled */
    "xxxxxxxxxxo", /* expired */
};

START_TEST(names_of_states) {
    ConsentState s = (ConsentState)_i;
    ck_assert_str_eq(consent_state_name(s), state_names[s]);
    ck_assert_int_eq(consent_state_is_final(s), s >= CONSENT_DONE);
}
END_TEST

static void move(unsigned pair) {
    Consent c = {.state = (ConsentState)(pair / N_CONSENT_STATES)};
    ConsentState next = (ConsentState)(pair % N_CONSENT_STATES);
    consent_set_state(&c, next);
    ck_assert_int_eq(c.state, next);
}

static bool is_way(unsigned pair) {
    return ways[pair / N_CONSENT_STATES][pair % N_CONSENT_STATES] != 'x';
}

START_TEST(right_ways) {
    if (is_way((unsigned)_i))
        move((unsigned)_i);
}
END_TEST

static void quiet(const char *text) {
    (void)text;
}

START_TEST(wrong_ways) {
    g_set_printerr_handler(quiet); /* of the assertion that is meant to fail */
    g_set_print_handler(quiet);
    if (is_way((unsigned)_i))
        abort(); /* what is expected of the others */
    move((unsigned)_i);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("turns");
    TCase *pipes = tcase_create("pipes"), *turns = tcase_create("turns"), *states = tcase_create("states");
    tcase_add_checked_fixture(pipes, set_up_pipe, tear_down_pipe);
    tcase_add_test(pipes, delivered_when_the_writer_has_closed);
    tcase_add_test(pipes, not_in_time);
    tcase_add_test(pipes, nobody_waits_any_more);
    tcase_add_test(pipes, only_the_read_end_of_a_pipe);
    tcase_add_checked_fixture(turns, set_up_token, tear_down_token);
    tcase_add_test(turns, turns_go_round_by_user);
    tcase_add_test(turns, and_by_connection);
    tcase_add_test(turns, the_queue_has_an_end);
    tcase_add_test(turns, giving_up_a_place);
    tcase_add_test(turns, passing_on);
    tcase_add_test(turns, patience_ends);
    tcase_add_test(turns, who_may_try_a_pin);
    tcase_add_loop_test(states, pin_state, 0, G_N_ELEMENTS(pin_states));
    tcase_add_loop_test(states, names_of_states, 0, N_CONSENT_STATES);
    tcase_add_loop_test(states, right_ways, 0, N_CONSENT_STATES * N_CONSENT_STATES);
    tcase_add_loop_test_raise_signal(states, wrong_ways, SIGABRT, 0, N_CONSENT_STATES * N_CONSENT_STATES);
    suite_add_tcase(suite, pipes);
    suite_add_tcase(suite, turns);
    suite_add_tcase(suite, states);
    return harness_run(suite);
}
