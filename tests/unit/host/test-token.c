/* SPDX-License-Identifier: Apache-2.0 */
/* The token methods of the protocol, between a real host and the fake token. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "util.h"

static HostUnderTest host;
static Outcome outcome;
static unsigned signatures;

static void setup(void) {
    host_start(&host);
}

static void open_with(const char *const *config) {
    host_open_fake(&host, "token", config, 0);
}

static void ends_well(void) {
    ck_assert_int_eq(host_stop(&host), 0);
}

static int list(sd_bus_message **ret_reply) {
    sd_bus_message *m = host_message(&host, HOST_METHOD_LIST);
    ck_assert_int_ge(sd_bus_message_append(m, "ah", 0), 0);
    return host_call(&host, m, &outcome, ret_reply);
}

static unsigned count_entries(sd_bus_message *reply) {
    unsigned n = 0;
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(a{sv}a(aya{sv}))"), 0);
    while (sd_bus_message_skip(reply, "(a{sv}a(aya{sv}))") > 0)
        n++;
    sd_bus_message_unref(reply);
    return n;
}

/* The log of a host whose fake token was told to say something at logout. */
static bool logged(const char *words) {
    char *log = host_log(&host);
    bool found = strstr(log, words) != NULL;
    free(log);
    return found;
}

START_TEST(open_names_the_plugin) {
    sd_bus_message *m = host_message(&host, HOST_METHOD_OPEN), *reply;
    const char *name, *version;
    ck_assert_int_ge(sd_bus_message_append(m, HOST_OPEN_IN, "token", "fake-token", test_path("FAKE_TOKEN"), "unit", 0,
                                           0, 0, 0, 0, 0, 0, 0, 0, ""),
                     0);
    ck_assert_int_eq(host_call(&host, m, &outcome, &reply), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "ss", &name, &version), 0);
    ck_assert_str_eq(name, "fake-token");
    ck_assert_str_eq(version, EONAY_VERSION);
    sd_bus_message_unref(reply);
    ends_well();
}
END_TEST

START_TEST(open_is_called_once) {
    open_with(NULL);
    const OpenArguments again = {.kind = "token", .plugin = "fake-token", .library = test_path("FAKE_TOKEN")};
    ck_assert_int_lt(host_open(&host, &again, &outcome), 0);
    ck_assert_int_eq(list(NULL), 0);
    ends_well();
}
END_TEST

START_TEST(nothing_is_served_before_open) {
    ck_assert_int_lt(list(NULL), 0);
    ck_assert_int_lt(host_simple(&host, HOST_METHOD_CAPABILITIES, &outcome, ""), 0);
    open_with(NULL);
    ck_assert_int_lt(host_simple(&host, HOST_METHOD_CAPABILITIES, &outcome, ""), 0);
    ck_assert_int_lt(host_simple(&host, HOST_METHOD_LIST, &outcome, "s", "not a list of pipes"), 0);
    ends_well();
}
END_TEST

START_TEST(a_wrong_open_ends_the_host) {
    const OpenArguments a = {.kind = "reader", .plugin = "fake-token", .library = test_path("FAKE_TOKEN")};
    ck_assert_int_lt(host_open(&host, &a, &outcome), 0);
    ck_assert_int_ne(host_wait(&host), 0);
}
END_TEST

START_TEST(list_gives_tokens_with_their_data) {
    open_with(STRINGS("Tokens", "3", "Label", "Kart İĞŞ", "Reader", "Reader 1"));
    sd_bus_message *reply;
    ck_assert_int_eq(list(&reply), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(a{sv}a(aya{sv}))"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "a{sv}a(aya{sv})"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    const char *const expected[][2] = {
        {"Key", "fake-0"}, {"Label", "Kart İĞŞ"},  {"Serial", "00000000"}, {"Manufacturer", "eonay"},
        {"Model", "fake"}, {"Reader", "Reader 1"}, {"State", ""}};
    const char *name, *value;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        ck_assert_int_gt(sd_bus_message_read(reply, "{sv}", &name, "s", &value), 0);
        ck_assert_str_eq(name, expected[i][0]);
        ck_assert_str_eq(value, expected[i][1]);
    }
    const char *const numbers[] = {"Flags", "PinMin", "PinMax", "Mechanisms"};
    const uint32_t values[] = {0, 4, 12, 0x1FF};
    uint32_t number;
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_gt(sd_bus_message_read(reply, "{sv}", &name, "u", &number), 0);
        ck_assert_str_eq(name, numbers[i]);
        ck_assert_uint_eq(number, values[i]);
    }
    ck_assert_int_ge(sd_bus_message_rewind(reply, 1), 0);
    ck_assert_int_ge(sd_bus_message_skip(reply, HOST_OUTCOME), 0);
    ck_assert_uint_eq(count_entries(reply), 3);
    ends_well();
}
END_TEST

static int certificate_file(void) {
    int fd = memfd_create("certificate", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, "DER", 3), 3);
    return fd;
}

START_TEST(certificates_are_listed_byte_for_byte) {
    _cleanup_close_ int fd = certificate_file();
    const OpenArguments a = {.kind = "token",
                             .plugin = "fake-token",
                             .library = test_path("FAKE_TOKEN"),
                             .config = STRINGS("Certificate", "passed"),
                             .file_key = "Certificate",
                             .file = fd};
    ck_assert_int_eq(host_open(&host, &a, &outcome), 0);
    sd_bus_message *reply;
    ck_assert_int_eq(list(&reply), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(a{sv}a(aya{sv}))"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "a{sv}a(aya{sv})"), 0);
    ck_assert_int_gt(sd_bus_message_skip(reply, "a{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(aya{sv})"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "aya{sv}"), 0);
    const void *der, *id;
    size_t size;
    const char *name, *label;
    uint32_t flags;
    ck_assert_int_gt(sd_bus_message_read_array(reply, 'y', &der, &size), 0);
    ck_assert_mem_eq(der, "DER", 3);
    ck_assert_uint_eq(size, 3);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "{sv}", &name, "s", &label), 0);
    ck_assert_str_eq(label, "Fake certificate");
    ck_assert_int_gt(sd_bus_message_read(reply, "{sv}", &name, "u", &flags), 0);
    ck_assert_uint_eq(flags, EONAY_CERT_HAS_KEY);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'e', "sv"), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "s", &name), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'v', "ay"), 0);
    ck_assert_int_gt(sd_bus_message_read_array(reply, 'y', &id, &size), 0);
    ck_assert_mem_eq(id, "\x01", 1);
    sd_bus_message_unref(reply);
    ends_well();
}
END_TEST

START_TEST(login_and_sign) {
    open_with(NULL);
    ck_assert_int_eq(host_login(&host, 7, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 7, "fake-0", &outcome, &signatures), 0);
    ck_assert_uint_eq(signatures, 1);
    ends_well();
}
END_TEST

START_TEST(a_login_serves_one_sign) {
    open_with(NULL);
    ck_assert_int_eq(host_login(&host, 7, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 7, "fake-0", &outcome, &signatures), 0);
    ck_assert_int_eq(host_sign(&host, 7, "fake-0", &outcome, &signatures), EONAY_ERROR_CANCELLED);
    ck_assert_uint_eq(signatures, 0);
    ends_well();
}
END_TEST

START_TEST(sign_needs_the_login_of_its_request_and_token) {
    open_with(STRINGS("Tokens", "2"));
    ck_assert_int_eq(host_sign(&host, 1, "fake-0", &outcome, &signatures), EONAY_ERROR_CANCELLED);
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 2, "fake-0", &outcome, &signatures), EONAY_ERROR_CANCELLED);
    ck_assert_int_eq(host_login(&host, 3, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 3, "fake-1", &outcome, &signatures), EONAY_ERROR_CANCELLED);
    ck_assert_int_eq(host_login(&host, 4, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_simple(&host, HOST_METHOD_ABORT, &outcome, "t", (uint64_t)4), 0);
    ck_assert_int_eq(host_sign(&host, 4, "fake-0", &outcome, &signatures), EONAY_ERROR_CANCELLED);
    ends_well();
}
END_TEST

START_TEST(a_failed_login_cancels_the_sign_behind_it) {
    open_with(STRINGS("Script", "login error PinIncorrect,2,0xA0"));
    ck_assert_int_eq(host_login(&host, 9, "fake-0", TEST_PIN, 0, &outcome), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(outcome.tries_left, 2);
    ck_assert_uint_eq(outcome.native_code, 0xA0);
    ck_assert_str_eq(outcome.text, "as the script says");
    ck_assert_int_eq(host_sign(&host, 9, "fake-0", &outcome, &signatures), EONAY_ERROR_CANCELLED);
    ck_assert_int_eq(outcome.tries_left, -1);
    ends_well();
}
END_TEST

/* Every way out of a login must lead through logout(): the fake says so when it is called. */
START_TEST(logout_follows_every_login) {
    static const char *const scripts[] = {"logout:1 fork", "logout:1 fork; sign error TokenRemoved",
                                          "logout:1 fork; login error PinIncorrect"};
    open_with(STRINGS("Script", scripts[_i]));
    host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome);
    host_sign(&host, 1, "fake-0", &outcome, &signatures);
    ends_well();
    ck_assert(logged("fork was refused"));
}
END_TEST

START_TEST(abort_and_close_log_out) {
    open_with(STRINGS("Script", "logout:1 fork"));
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    if (_i == 0)
        ck_assert_int_eq(host_simple(&host, HOST_METHOD_ABORT, &outcome, "t", (uint64_t)1), 0);
    ends_well();
    ck_assert(logged("fork was refused"));
}
END_TEST

START_TEST(login_conditions_of_the_token) {
    static const struct {
        const char *flags, *pin;
        uint32_t login;
        int expected;
    } rows[] = {{"locked", TEST_PIN, 0, EONAY_ERROR_PIN_LOCKED},
                {"pinpad", TEST_PIN, 0, EONAY_ERROR_PIN_PAD_REQUIRED},
                {"pinpad", NULL, 0, 0},
                {"", NULL, 0, EONAY_ERROR_PIN_REQUIRED},
                {"", "123", 0, EONAY_ERROR_PIN_FORMAT},
                {"final", TEST_PIN, 0, EONAY_ERROR_PIN_FINAL_TRY},
                {"final", TEST_PIN, EONAY_LOGIN_ALLOW_FINAL_TRY, 0},
                {"low", TEST_PIN, 0, 0}};
    open_with(STRINGS("Flags", rows[_i].flags));
    ck_assert_int_eq(host_login(&host, 1, "fake-0", rows[_i].pin, rows[_i].login, &outcome), rows[_i].expected);
    ends_well();
}
END_TEST

START_TEST(login_tells_the_token_as_it_is_afterwards) {
    open_with(STRINGS("Script", "login error PinIncorrect,1", "FlagsAfterLogin", "final"));
    sd_bus_message *m = host_message(&host, HOST_METHOD_LOGIN), *reply;
    _cleanup_close_ int fd = pipe_with(TEST_PIN, strlen(TEST_PIN));
    ck_assert_int_ge(sd_bus_message_append(m, "tsahu", (uint64_t)1, "fake-0", 1, fd, 0), 0);
    ck_assert_int_eq(host_call(&host, m, &outcome, &reply), EONAY_ERROR_PIN_INCORRECT);
    const char *name;
    uint32_t flags = 0;
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    for (int i = 0; i < 7; i++)
        ck_assert_int_gt(sd_bus_message_skip(reply, "{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "{sv}", &name, "u", &flags), 0);
    ck_assert_str_eq(name, "Flags");
    ck_assert_uint_eq(flags, EONAY_TOKEN_PIN_FINAL_TRY);
    sd_bus_message_unref(reply);
    ends_well();
}
END_TEST

/* After a right PIN, and only then, the token is not looked at when nobody asks for it: an inspect() would hang here.
 */
START_TEST(a_quiet_login_looks_at_the_token_after_a_wrong_pin_only) {
    open_with(STRINGS("Script", "login:1 error PinIncorrect,1; inspect:2 crash"));
    for (int right = 0; right < 2; right++) {
        sd_bus_message *m = host_message(&host, HOST_METHOD_LOGIN), *reply;
        _cleanup_close_ int fd = pipe_with(TEST_PIN, strlen(TEST_PIN));
        ck_assert_int_ge(sd_bus_message_append(m, "tsahu", (uint64_t)1, "fake-0", 1, fd, HOST_LOGIN_QUIET), 0);
        ck_assert_int_eq(host_call(&host, m, &outcome, &reply), right ? 0 : EONAY_ERROR_PIN_INCORRECT);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
        ck_assert_int_eq(sd_bus_message_at_end(reply, false), right);
        sd_bus_message_unref(reply);
    }
    ends_well();
}
END_TEST

static int login_with_pipe(const void *bytes, size_t size) {
    _cleanup_close_ int fd = pipe_with(bytes, size);
    return host_simple(&host, HOST_METHOD_LOGIN, &outcome, "tsahu", (uint64_t)1, "fake-0", 1, fd, 0);
}

START_TEST(secrets_of_every_bad_shape) {
    static const char big[4096] = {'1'};
    open_with(NULL);
    ck_assert_int_eq(login_with_pipe("", 0), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(login_with_pipe("12\0"
                                     "34",
                                     5),
                     EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(login_with_pipe(big, sizeof(big)), EONAY_ERROR_PIN_FORMAT);
    _cleanup_close_ int file = certificate_file();
    ck_assert_int_eq(host_simple(&host, HOST_METHOD_LOGIN, &outcome, "tsahu", (uint64_t)1, "fake-0", 1, file, 0),
                     EONAY_ERROR_DESCRIPTOR_INVALID);
    ck_assert_int_lt(host_simple(&host, HOST_METHOD_LOGIN, &outcome, "tsahu", (uint64_t)1, "fake-0", 2, file, file, 0),
                     0);
    ck_assert_int_eq(login_with_pipe("123456\n", 7), 0);
    ends_well();
}
END_TEST

START_TEST(a_pipe_whose_writer_stays_does_not_block) {
    int ends[2];
    open_with(NULL);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(host_simple(&host, HOST_METHOD_LOGIN, &outcome, "tsahu", (uint64_t)1, "fake-0", 1, ends[0], 0),
                     EONAY_ERROR_PIN_FORMAT);
    close(ends[0]);
    close(ends[1]);
    ends_well();
}
END_TEST

static int sign_with(uint32_t mechanism, size_t digest_size, unsigned n_digests) {
    static const uint8_t bytes[64];
    sd_bus_message *m = host_message(&host, HOST_METHOD_SIGN);
    ck_assert_int_ge(sd_bus_message_append(m, "ts", (uint64_t)1, "fake-0"), 0);
    ck_assert_int_ge(sd_bus_message_append_array(m, 'y', "c", 1), 0);
    ck_assert_int_ge(sd_bus_message_append(m, "u", mechanism), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "ay"), 0);
    for (unsigned i = 0; i < n_digests; i++)
        ck_assert_int_ge(sd_bus_message_append_array(m, 'y', bytes, digest_size), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    return host_call(&host, m, &outcome, NULL);
}

START_TEST(sign_requests_that_make_no_sense) {
    open_with(NULL);
    const struct {
        uint32_t mechanism;
        size_t size;
        unsigned n;
    } rows[] = {{EONAY_MECH_RSA_PKCS1_SHA256, 20, 1},
                {EONAY_MECH_ECDSA_SHA512, 32, 1},
                {0, 32, 1},
                {3, 32, 1},
                {1u << 20, 32, 1},
                {EONAY_MECH_RSA_PKCS1_SHA256, 32, 0},
                {EONAY_MECH_RSA_PKCS1_SHA256, 32, 17}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
        ck_assert_int_lt(sign_with(rows[i].mechanism, rows[i].size, rows[i].n), 0);
        ck_assert_int_eq(host_sign(&host, 1, "fake-0", &outcome, &signatures), EONAY_ERROR_CANCELLED);
    }
    ck_assert_int_eq(host_login(&host, 1, "fake-0", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(sign_with(EONAY_MECH_ECDSA_SHA384, 48, 16), 0);
    ends_well();
}
END_TEST

START_TEST(pins_are_changed_and_unblocked) {
    _cleanup_close_ int a = pipe_with("1234", 4), b = pipe_with("5678", 4), c = pipe_with("12345678", 8),
                        d = pipe_with("5678", 4), empty = pipe_with("", 0), e = pipe_with("5678", 4);
    open_with(STRINGS("Script", "change-pin:3 error PinIncorrect,2"));
    ck_assert_int_eq(host_simple(&host, HOST_METHOD_CHANGE_PIN, &outcome, "shh", "fake-0", a, b), 0);
    ck_assert_int_eq(host_simple(&host, HOST_METHOD_UNBLOCK_PIN, &outcome, "shh", "fake-0", c, d), 0);
    ck_assert_int_eq(host_simple(&host, HOST_METHOD_CHANGE_PIN, &outcome, "shh", "fake-0", e, empty),
                     EONAY_ERROR_PIN_FORMAT);
    ends_well();
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("host-token");
    TCase *t = tcase_create("token");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, open_names_the_plugin);
    tcase_add_test(t, open_is_called_once);
    tcase_add_test(t, nothing_is_served_before_open);
    tcase_add_test(t, a_wrong_open_ends_the_host);
    tcase_add_test(t, list_gives_tokens_with_their_data);
    tcase_add_test(t, certificates_are_listed_byte_for_byte);
    tcase_add_test(t, login_and_sign);
    tcase_add_test(t, a_login_serves_one_sign);
    tcase_add_test(t, sign_needs_the_login_of_its_request_and_token);
    tcase_add_test(t, a_failed_login_cancels_the_sign_behind_it);
    tcase_add_loop_test(t, logout_follows_every_login, 0, 3);
    tcase_add_loop_test(t, abort_and_close_log_out, 0, 2);
    tcase_add_loop_test(t, login_conditions_of_the_token, 0, 8);
    tcase_add_test(t, login_tells_the_token_as_it_is_afterwards);
    tcase_add_test(t, a_quiet_login_looks_at_the_token_after_a_wrong_pin_only);
    tcase_add_test(t, secrets_of_every_bad_shape);
    tcase_add_test(t, a_pipe_whose_writer_stays_does_not_block);
    tcase_add_test(t, sign_requests_that_make_no_sense);
    tcase_add_test(t, pins_are_changed_and_unblocked);
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
