/* SPDX-License-Identifier: Apache-2.0 */
/* Codes: what they look like, how long they live, how each of them dies, and what a guesser gets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static Fixture *f;

/* Ten thousand codes wait for no disk here; that they are on it is tested with the records. */
__attribute__((visibility("default"))) int fdatasync(int fd) {
    (void)fd;
    return 0;
}
__attribute__((visibility("default"))) int fsync(int fd) {
    (void)fd;
    return 0;
}

static void setup(void) {
    f = fixture_new();
    fixture_start(f);
}

static void teardown(void) {
    f = fixture_free(f);
}

static int compare_codes(const void *a, const void *b) {
    return memcmp(a, b, 16);
}

START_TEST(codes_are_fifteen_random_digits) {
    enum { N = 10000 };
    static char codes[N][16];
    unsigned counts[15][10] = {0};

    for (size_t i = 0; i < N; i++) {
        get_code(f, NULL, codes[i]);
        for (size_t d = 0; d < 15; d++) {
            ck_assert(codes[i][d] >= '0' && codes[i][d] <= '9');
            counts[d][codes[i][d] - '0']++;
        }
    }
    ck_assert_uint_eq(counts[0][0], 0);
    /* 1000 of each digit are expected (1111 in the first place); eight standard deviations off is no chance. */
    for (size_t d = 0; d < 15; d++)
        for (size_t digit = d == 0; digit < 10; digit++)
            ck_assert_msg(counts[d][digit] > 750 && counts[d][digit] < 1370, "place %zu, digit %zu: %u", d, digit,
                          counts[d][digit]);
    qsort(codes, N, sizeof codes[0], compare_codes);
    for (size_t i = 1; i < N; i++)
        ck_assert_str_ne(codes[i - 1], codes[i]);
}
END_TEST

static void assert_not_in_file(const char *suffix, const char *digits, bool required) {
    char path[PATH_MAX];
    FILE *file = NULL;

    snprintf(path, sizeof path, "%s%s", f->database, suffix);
    file = fopen(path, "re");
    if (!file && !required)
        return;
    ck_assert_msg(file != NULL, "%s", path);

    char *bytes = malloc(8 << 20);
    size_t size = fread(bytes, 1, 8 << 20, file);
    uint64_t number = strtoull(digits, NULL, 10);
    fclose(file);
    ck_assert_ptr_null(memmem(bytes, size, digits, 15));
    ck_assert_ptr_null(memmem(bytes, size, &number, sizeof number));
    number = __builtin_bswap64(number);
    ck_assert_ptr_null(memmem(bytes, size, &number, sizeof number));
    free(bytes);
}

static void assert_not_on_disk(const char *digits) {
    assert_not_in_file("", digits, true);
    assert_not_in_file("-wal", digits, false);
    assert_not_in_file("-shm", digits, false);
    assert_not_in_file(".key", digits, true);
}

START_TEST(a_code_is_never_on_disk) {
    char digits[16];

    for (int i = 0; i < 20; i++) {
        get_code(f, SUBJECT, digits);
        assert_not_on_disk(digits);
        assert_error(redeem_error(f, digits), 0);
        assert_not_on_disk(digits);
    }
    fixture_close(f);
    assert_not_on_disk(digits);
}
END_TEST

START_TEST(a_code_tells_its_life) {
    const EonayCodeRequest request = {.struct_size = sizeof request, .purpose = "e-onay.nes-application"};
    EonayCode code = {.struct_size = sizeof code};
    const int64_t before = fixture_now();

    assert_error(f->ca->get_code(f->context, &request, &code), 0);
    ck_assert(!code.pending);
    ck_assert_str_eq(code.purpose, "e-onay.nes-application");
    ck_assert_int_ge((int64_t)code.created_at, before);
    ck_assert_int_le((int64_t)code.now, fixture_now());
    ck_assert_uint_ge(code.now, code.created_at);
    ck_assert_uint_eq(code.expires_at - code.created_at, 300000000);
    ck_assert_ptr_null(code.handle);
    free(code.code);
    free(code.purpose);
}
END_TEST

START_TEST(capabilities_are_told) {
    EonayCapabilities c = {.struct_size = sizeof c};

    fixture_close(f);
    fixture_set(f, "CodeLifetime", "120");
    fixture_set(f, "RequesterName", "Deneme Kurumu ğüşıöç");
    fixture_start(f);
    assert_error(f->ca->capabilities(f->context, &c), 0);
    ck_assert_uint_eq(c.code_length, 15);
    ck_assert_uint_eq(c.code_lifetime, 120);
    ck_assert_str_eq(c.name, "Deneme Kurumu ğüşıöç");
    ck_assert_uint_eq(c.flags,
                      EONAY_CA_GET_CODE | EONAY_CA_REGENERATE | EONAY_CA_STATUS | EONAY_CA_APPROVAL | EONAY_CA_CANCEL);
    ck_assert_ptr_null(f->ca->poll_code);
}
END_TEST

START_TEST(bad_requests_are_refused) {
    static const char *const subjects[] = {"",
                                           "1",
                                           "10000000147",
                                           "00000000000",
                                           "1000000014",
                                           "100000001460",
                                           "1000000014a",
                                           "٠١٢٣٤٥٦٧٨٩٠",
                                           " 0000000146",
                                           "-0000000146"};

    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        assert_error(get_code_error(f, (EonayCodeRequest){.subject = subjects[i]}), EONAY_ERROR_SUBJECT_INVALID);
    assert_error(get_code_error(f, (EonayCodeRequest){.purpose = "e-onay.other"}), EONAY_ERROR_UNSUPPORTED);
    assert_error(get_code_error(f, (EonayCodeRequest){.purpose = ""}), EONAY_ERROR_UNSUPPORTED);
    assert_error(get_code_error(f, (EonayCodeRequest){.language = "de"}), EONAY_ERROR_UNSUPPORTED);
    assert_error(get_code_error(f, (EonayCodeRequest){.language = "en"}), 0);
    assert_error(get_code_error(f, (EonayCodeRequest){.superseded_code = "12"}), EONAY_ERROR_CODE_INVALID);
    assert_error(get_code_error(f, (EonayCodeRequest){.superseded_code = "123456789012345"}), EONAY_ERROR_CODE_UNKNOWN);
}
END_TEST

START_TEST(what_is_no_code_is_refused) {
    static const char *const codes[] = {"",
                                        "12345678901234",
                                        "1234567890123456",
                                        "12345678901234a",
                                        "12345678901234 ",
                                        "-12345678901234",
                                        "1234567890 2345",
                                        "١٢٣٤٥٦٧٨٩٠١٢٣٤٥",
                                        "123456789012345\n"};
    char *huge = malloc(70001);

    memset(huge, '7', 70000);
    huge[70000] = '\0';
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_error(redeem_error(f, codes[i]), EONAY_ERROR_CODE_INVALID);
    assert_error(redeem_error(f, huge), EONAY_ERROR_CODE_INVALID);
    assert_error(redeem_error(f, NULL), EONAY_ERROR_CODE_INVALID);
    free(huge);
}
END_TEST

START_TEST(a_code_is_used_once) {
    char digits[16];

    get_code(f, NULL, digits);
    assert_error(redeem_error(f, digits), 0);
    assert_error(redeem_error(f, digits), EONAY_ERROR_CODE_USED);
    fixture_restart(f);
    assert_error(redeem_error(f, digits), EONAY_ERROR_CODE_USED);
    assert_error(redeem_error(f, "000000000000000"), EONAY_ERROR_CODE_UNKNOWN);
}
END_TEST

START_TEST(a_code_expires_and_is_forgotten_after_a_day) {
    char digits[16], fresh[16], used[16];

    get_code(f, NULL, digits);
    get_code(f, NULL, used);
    fixture_clock_offset = SECONDS(299);
    assert_error(redeem_error(f, used), 0);
    fixture_clock_offset = SECONDS(301);
    assert_error(redeem_error(f, digits), EONAY_ERROR_CODE_EXPIRED);
    assert_error(redeem_error(f, used), EONAY_ERROR_CODE_USED);
    fixture_clock_offset = SECONDS(86000);
    get_code(f, NULL, fresh);
    assert_error(redeem_error(f, digits), EONAY_ERROR_CODE_EXPIRED);
    fixture_clock_offset = SECONDS(87000);
    get_code(f, NULL, fresh);
    assert_error(redeem_error(f, digits), EONAY_ERROR_CODE_UNKNOWN);
    assert_error(redeem_error(f, used), EONAY_ERROR_CODE_UNKNOWN);
    assert_error(redeem_error(f, fresh), 0);
}
END_TEST

START_TEST(a_lifetime_can_be_configured) {
    char digits[16];

    fixture_close(f);
    fixture_set(f, "CodeLifetime", "10");
    fixture_start(f);
    get_code(f, NULL, digits);
    fixture_clock_offset = SECONDS(10);
    assert_error(redeem_error(f, digits), EONAY_ERROR_CODE_EXPIRED);
}
END_TEST

START_TEST(a_clock_set_back_does_not_lengthen_a_life) {
    char digits[16];

    get_code(f, NULL, digits);
    fixture_clock_offset = -SECONDS(3600);
    assert_error(redeem_error(f, digits), EONAY_ERROR_CODE_EXPIRED);
    fixture_clock_offset = -SECONDS(2);
    assert_error(redeem_error(f, digits), 0);
}
END_TEST

START_TEST(a_new_code_kills_the_old_one) {
    char first[16], second[16];
    const EonayCodeRequest again = {.struct_size = sizeof again, .superseded_code = first};
    EonayCode code = {.struct_size = sizeof code};

    get_code(f, NULL, first);
    assert_error(f->ca->get_code(f->context, &again, &code), 0);
    snprintf(second, sizeof second, "%s", code.code);
    free(code.code);
    free(code.purpose);
    ck_assert_str_ne(first, second);
    assert_error(redeem_error(f, first), EONAY_ERROR_CODE_SUPERSEDED);
    fixture_clock_offset = SECONDS(200);
    assert_error(redeem_error(f, second), 0);
    /* A page left open for long asks again with a code that is dead already. */
    assert_error(get_code_error(f, again), 0);
}
END_TEST

START_TEST(a_new_code_keeps_the_subject) {
    char first[16];
    EonayCode code = {.struct_size = sizeof code};
    EonayRedemption r;

    get_code(f, SUBJECT, first);
    assert_error(
        f->ca->get_code(f->context, &(EonayCodeRequest){.struct_size = sizeof code, .superseded_code = first}, &code),
        0);
    assert_error(redeem(f, code.code, &r), 0);
    ck_assert_str_eq(r.subject, SUBJECT);
    redemption_release(f, &r);
    free(code.code);
    free(code.purpose);
}
END_TEST

START_TEST(a_new_code_kills_what_the_old_one_opened) {
    char first[16];
    EonayRedemption r;
    Signer signer = pki_signer(fixture_pki(), (SignerSpec){.subject = SUBJECT});

    get_code(f, NULL, first);
    assert_error(redeem(f, first, &r), 0);
    Bytes signature = sign_consent(&r, &signer);
    assert_error(get_code_error(f, (EonayCodeRequest){.superseded_code = first}), 0);
    ck_assert_int_eq(state_of(f, r.transaction), EONAY_TRANSACTION_SUPERSEDED);
    assert_error(submit(f, r.transaction, "key", &signature, NULL), EONAY_ERROR_CODE_SUPERSEDED);
    redemption_release(f, &r);
    bytes_free(&signature);
    signer_free(&signer);
}
END_TEST

static void guess(unsigned n, int expected) {
    char digits[16];

    snprintf(digits, sizeof digits, "99999%010u", n);
    assert_error(redeem_error(f, digits), expected);
}

START_TEST(guesses_are_limited) {
    char right[16], another[16], late[16];
    unsigned n = 0;

    fixture_close(f);
    fixture_set(f, "GuessesPerMinute", "3");
    fixture_start(f);
    get_code(f, NULL, right);
    get_code(f, NULL, another);
    while (n < 3)
        guess(n++, EONAY_ERROR_CODE_UNKNOWN);
    guess(n++, EONAY_ERROR_RATE_LIMITED);
    ck_assert_uint_ge(f->native, 1);
    ck_assert_uint_le(f->native, 60);
    fixture_restart(f);
    guess(n++, EONAY_ERROR_RATE_LIMITED);
    assert_error(redeem_error(f, right), 0); /* the others are unaware */
    while (n < 60)
        guess(n++, EONAY_ERROR_RATE_LIMITED);
    assert_error(redeem_error(f, another), EONAY_ERROR_RATE_LIMITED); /* twenty times as many: nobody passes */
    assert_error(get_code_error(f, (EonayCodeRequest){.superseded_code = another}), EONAY_ERROR_RATE_LIMITED);
    get_code(f, NULL, late);

    fixture_clock_offset = SECONDS(61);
    assert_error(redeem_error(f, another), 0);
    guess(n, EONAY_ERROR_CODE_UNKNOWN);
}
END_TEST

START_TEST(superseding_unknown_codes_counts_as_guessing) {
    fixture_close(f);
    fixture_set(f, "GuessesPerMinute", "2");
    fixture_start(f);
    for (int i = 0; i < 2; i++)
        assert_error(get_code_error(f, (EonayCodeRequest){.superseded_code = "123456789012345"}),
                     EONAY_ERROR_CODE_UNKNOWN);
    assert_error(get_code_error(f, (EonayCodeRequest){.superseded_code = "123456789012345"}), EONAY_ERROR_RATE_LIMITED);
}
END_TEST

START_TEST(a_clock_set_back_does_not_lock_out) {
    unsigned n = 0;

    fixture_close(f);
    fixture_set(f, "GuessesPerMinute", "2");
    fixture_start(f);
    fixture_clock_offset = SECONDS(86400);
    while (n < 2)
        guess(n++, EONAY_ERROR_CODE_UNKNOWN);
    fixture_clock_offset = 0;
    guess(n, EONAY_ERROR_CODE_UNKNOWN);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("code");
    Suite *suite = suite_create("ca-code");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, codes_are_fifteen_random_digits);
    tcase_add_test(tc, a_code_is_never_on_disk);
    tcase_add_test(tc, a_code_tells_its_life);
    tcase_add_test(tc, capabilities_are_told);
    tcase_add_test(tc, bad_requests_are_refused);
    tcase_add_test(tc, what_is_no_code_is_refused);
    tcase_add_test(tc, a_code_is_used_once);
    tcase_add_test(tc, a_code_expires_and_is_forgotten_after_a_day);
    tcase_add_test(tc, a_lifetime_can_be_configured);
    tcase_add_test(tc, a_clock_set_back_does_not_lengthen_a_life);
    tcase_add_test(tc, a_new_code_kills_the_old_one);
    tcase_add_test(tc, a_new_code_keeps_the_subject);
    tcase_add_test(tc, a_new_code_kills_what_the_old_one_opened);
    tcase_add_test(tc, guesses_are_limited);
    tcase_add_test(tc, superseding_unknown_codes_counts_as_guessing);
    tcase_add_test(tc, a_clock_set_back_does_not_lock_out);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
