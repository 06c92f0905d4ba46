/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: T.C. identity number, algorithm policy, DER, Time, ECDSA values. */
#include <check.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "algorithm-policy.h"
#include "der.h"
#include "ecdsa-value.h"
#include "signing-time.h"
#include "tckn.h"

START_TEST(tckn_checks_both_digits) {
    static const char *const right[] = {"10000000146", "12345678950"};
    static const char *const wrong[] = {
        "",
        "10000000147",
        "10000000156",
        "1000000014",
        "100000001460",
        "00000000000",
        "01000000146",
        "1000000014x",
        " 10000000146",
        "10000000146 ",
        "1000000O146",
        "11111111111",
        "-1000000014",
        "١٠٠٠٠٠٠٠١٤٦",
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        ck_assert(tckn_valid(right[i]));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!tckn_valid(wrong[i]), "%s", wrong[i]);
    ck_assert(!tckn_valid(NULL));
}
END_TEST

/* Any one wrong digit is found. */
START_TEST(tckn_finds_each_wrong_digit) {
    for (int i = 0; i < TCKN_LENGTH; i++)
        for (int c = '0'; c <= '9'; c++) {
            char number[] = "12345678950";
            bool same = number[i] == c;
            number[i] = (char)c;
            ck_assert_msg(tckn_valid(number) == same, "%s", number);
        }
}
END_TEST

START_TEST(tckn_is_found_in_serial_numbers) {
    char id[TCKN_LENGTH + 1] = "unchanged";
    ck_assert(tckn_from_serial_number("PNOTR-10000000146", id));
    ck_assert_str_eq(id, "10000000146");
    ck_assert(tckn_from_serial_number("12345678950", id));
    ck_assert_str_eq(id, "12345678950");
    static const char *const none[] = {"PNOTR-10000000147", "TINTR-10000000146", "pnotr-10000000146",      "PNOTR-",
                                       "PNODE-10000000146", "1234567890",        "PNOTR-PNOTR-10000000146"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        ck_assert_msg(!tckn_from_serial_number(none[i], id), "%s", none[i]);
    ck_assert(!tckn_from_serial_number(NULL, id));
    ck_assert_str_eq(id, "12345678950");
}
END_TEST

START_TEST(tckn_mask_shows_two_digits) {
    char mask[TCKN_LENGTH + 1];
    tckn_mask("10000000146", mask);
    ck_assert_str_eq(mask, "*********46");
    tckn_mask("short", mask);
    ck_assert_str_eq(mask, "***********");
    tckn_mask(NULL, mask);
    ck_assert_str_eq(mask, "***********");
}
END_TEST

START_TEST(policy_ends_with_the_year_in_turkey) {
    int64_t end = algorithm_policy_valid_until();
    ck_assert_int_eq(end, 1830286799999999); /* 2027-12-31T20:59:59.999999Z */
    ck_assert(algorithm_policy_key("rsa", 2048, end) && !algorithm_policy_key("rsa", 2048, end + 1));
    ck_assert(algorithm_policy_key("ec", 256, end) && !algorithm_policy_key("ec", 256, end + 1));
    ck_assert(algorithm_policy_hash("sha256", end) && !algorithm_policy_hash("sha256", end + 1));
}
END_TEST

/* TS 119 312 v1.5.1: legacy mechanisms end with 2028, recommended ones are open; the Turkish list ends before both. */
START_TEST(policy_has_the_european_ends_behind_it) {
    static const struct {
        const char *type, *algorithm;
        unsigned bits;
        int64_t european;
    } rows[] = {
        {"rsa", "rsa-pkcs1-sha256", 2048, 1861919999999999}, /* 2028-12-31T23:59:59.999999Z */
        {"rsa", "rsa-pkcs1-sha512", 4096, 1861919999999999},
        {"rsa", "rsa-pss-sha256", 2048, 1861919999999999},
        {"rsa", "rsa-pss-sha256", 2999, 1861919999999999},
        {"rsa", "rsa-pss-sha256", 3000, INT64_MAX},
        {"ec", "ecdsa-sha256", 256, INT64_MAX},
        {"ec", "ecdsa-sha512", 521, INT64_MAX},
        {"rsa", "rsa-pss-sha256", 2047, 0},
        {"ec", "ecdsa-sha256", 224, 0},
        {NULL, "ecdsa-sha256", 256, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t european = -1;
        int64_t until = algorithm_policy_until(rows[i].type, rows[i].bits, rows[i].algorithm, &european);
        ck_assert_msg(european == rows[i].european, "row %zu: %" PRId64, i, european);
        ck_assert_int_eq(until, rows[i].european == 0 ? 0 : algorithm_policy_valid_until());
    }
}
END_TEST

START_TEST(policy_knows_the_list) {
    ck_assert(algorithm_policy_key("rsa", 4096, 0) && !algorithm_policy_key("rsa", 2047, 0));
    ck_assert(algorithm_policy_key("ec", 521, 0) && !algorithm_policy_key("ec", 255, 0));
    ck_assert(!algorithm_policy_key("dsa", 3072, 0) && !algorithm_policy_key(NULL, 4096, 0));
    ck_assert(!algorithm_policy_key("RSA", 4096, 0));
    ck_assert(algorithm_policy_hash("sha384", 0) && algorithm_policy_hash("sha512", 0));
    ck_assert(algorithm_policy_hash("sha3-256", 0));
    ck_assert(!algorithm_policy_hash("sha1", 0) && !algorithm_policy_hash("md5", 0) && !algorithm_policy_hash(NULL, 0));
}
END_TEST

START_TEST(der_takes_one_encoding_only) {
    static const struct {
        uint8_t bytes[8];
        size_t n;
        bool right;
    } rows[] = {
        {{4, 0}, 2, true},
        {{4, 1, 7}, 3, true},
        {{4, 1, 7, 9}, 4, true}, /* something follows */
        {{4}, 1, false},
        {{4, 1}, 2, false},
        {{4, 0x80, 0, 0}, 4, false},    /* indefinite */
        {{4, 0x81, 1, 7}, 4, false},    /* long form for a short length */
        {{4, 0x82, 0, 1, 7}, 5, false}, /* leading zero */
        {{4, 0x84, 0xff, 0xff, 0xff, 0xff}, 6, false},
        {{4, 0x85, 1, 0, 0, 0, 0}, 7, false},
        {{4, 0xff}, 2, false},
        {{0x1f, 1, 0}, 3, false}, /* high tag number */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        DerBytes in = {rows[i].bytes, rows[i].n};
        DerElement element;
        ck_assert_msg(der_read(&in, &element) == rows[i].right, "row %zu", i);
        if (!rows[i].right)
            ck_assert(in.p == rows[i].bytes && in.n == rows[i].n);
    }
}
END_TEST

START_TEST(der_reads_what_it_writes) {
    static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 70000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *contents = calloc(1, sizes[i] + 1);
        DerBuffer b = {0};
        DerElement element;
        der_append_element(&b, DER_OCTET_STRING, (DerBytes){contents, sizes[i]});
        der_wrap(&b, 0, DER_SEQUENCE);
        DerBytes in = {b.bytes, b.size}, inner, value;
        ck_assert(der_read_tag(&in, DER_SEQUENCE, &element) && in.n == 0);
        inner = element.value;
        ck_assert(der_read_value(&inner, DER_OCTET_STRING, &value) && inner.n == 0);
        ck_assert_uint_eq(value.n, sizes[i]);
        der_buffer_free(&b);
        free(contents);
    }
}
END_TEST

START_TEST(der_small_integers_are_minimal) {
    uint32_t n = 99;
    ck_assert(der_small_integer(DER_BYTES(0), &n) && n == 0);
    ck_assert(der_small_integer(DER_BYTES(0, 0x80), &n) && n == 128);
    ck_assert(der_small_integer(DER_BYTES(0x7f, 0xff, 0xff, 0xff), &n) && n == 0x7fffffff);
    ck_assert(!der_small_integer(DER_BYTES(0, 1), &n));
    ck_assert(!der_small_integer(DER_BYTES(0x80), &n));
    ck_assert(!der_small_integer(DER_BYTES(1, 0, 0, 0, 0), &n));
    ck_assert(!der_small_integer((DerBytes){0}, &n));
}
END_TEST

START_TEST(der_sets_are_in_order) {
    size_t n = 0;
    ck_assert(der_set_check((DerBytes){0}, &n) && n == 0);
    ck_assert(der_set_check(DER_BYTES(2, 1, 1, 2, 1, 2, 4, 0), &n) && n == 3);
    ck_assert(der_set_check(DER_BYTES(2, 1, 1, 2, 1, 1), &n) && n == 2);
    ck_assert(!der_set_check(DER_BYTES(2, 1, 2, 2, 1, 1), &n));
    ck_assert(!der_set_check(DER_BYTES(2, 1, 2, 2), &n));
}
END_TEST

START_TEST(signing_time_has_its_form) {
    static const struct {
        int64_t seconds;
        const char *text; /* after tag and length */
        uint8_t tag;
    } rows[] = {
        {0, "700101000000Z", DER_UTC_TIME},
        {-631152000, "500101000000Z", DER_UTC_TIME},
        {-631152001, "19491231235959Z", DER_GENERALIZED_TIME},
        {2524607999, "491231235959Z", DER_UTC_TIME},
        {2524608000, "20500101000000Z", DER_GENERALIZED_TIME},
        {253402300799, "99991231235959Z", DER_GENERALIZED_TIME},
        {1709164800, "240229000000Z", DER_UTC_TIME},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        DerBuffer b = {0};
        int64_t back = 1;
        ck_assert(signing_time_append(&b, rows[i].seconds));
        ck_assert_uint_eq(b.bytes[0], rows[i].tag);
        ck_assert_uint_eq(b.size, strlen(rows[i].text) + 2);
        ck_assert_mem_eq(b.bytes + 2, rows[i].text, strlen(rows[i].text));
        ck_assert(signing_time_read((DerBytes){b.bytes, b.size}, &back));
        ck_assert_int_eq(back, rows[i].seconds);
        der_buffer_free(&b);
    }
    DerBuffer b = {0};
    ck_assert(!signing_time_append(&b, 253402300800));
    ck_assert(!signing_time_append(&b, INT64_MAX));
    der_buffer_free(&b);
}
END_TEST

START_TEST(other_forms_of_time_are_refused) {
    static const char *const rows[] = {
        "\x17\x0b"
        "2601010000Z",
        "\x17\x11"
        "260101000000+0300",
        "\x17\x0d"
        "261301000000Z",
        "\x17\x0d"
        "260229000000Z",
        "\x17\x0d"
        "260101240000Z",
        "\x17\x0d"
        "260101000060Z",
        "\x17\x0d"
        "26010100000 Z",
        "\x18\x0f"
        "20260101000000Z",
        "\x18\x11"
        "20600101000000.5Z",
        "\x04\x0d"
        "260101000000Z",
        "\x17\x0e"
        "260101000000ZZ",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t seconds = 42;
        ck_assert_msg(!signing_time_read((DerBytes){(const uint8_t *)rows[i], strlen(rows[i])}, &seconds), "%s",
                      rows[i]);
        ck_assert_int_eq(seconds, 42);
    }
}
END_TEST

START_TEST(ecdsa_values_are_told_apart) {
    uint8_t raw[64] = {0};
    raw[31] = 0x80;
    raw[63] = 1;
    DerBuffer b = {0};
    ecdsa_value_append(&b, (DerBytes){raw, sizeof(raw)});
    ck_assert(der_equal((DerBytes){b.bytes, b.size}, DER_BYTES(0x30, 7, 2, 2, 0, 0x80, 2, 1, 1)));
    ck_assert(ecdsa_value_is_der((DerBytes){b.bytes, b.size}, 256));
    der_buffer_free(&b);
    ck_assert(ecdsa_value_is_raw((DerBytes){raw, 64}, 256) && !ecdsa_value_is_der((DerBytes){raw, 64}, 256));
    ck_assert(!ecdsa_value_is_raw((DerBytes){raw, 63}, 256) && !ecdsa_value_is_raw((DerBytes){raw, 0}, 256));
    ck_assert(!ecdsa_value_is_der(DER_BYTES(0x30, 6, 2, 1, 1, 2, 1, 0x80), 256)); /* negative */
    ck_assert(!ecdsa_value_is_der(DER_BYTES(0x30, 7, 2, 2, 0, 1, 2, 1, 1), 256)); /* padded */
    ck_assert(!ecdsa_value_is_der(DER_BYTES(0x30, 6, 2, 1, 1, 2, 1, 1, 0), 256)); /* something follows */
    ck_assert(!ecdsa_value_is_der(DER_BYTES(0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1), 256));
}
END_TEST

/* 64 bytes that are both r||s and a SEQUENCE of two numbers of 29 and 29 bytes: the caller has to ask the key. */
START_TEST(some_ecdsa_values_are_both) {
    uint8_t both[64];
    memset(both, 1, sizeof(both));
    both[0] = 0x30;
    both[1] = 62;
    both[2] = both[33] = 2;
    both[3] = both[34] = 29;
    ck_assert(ecdsa_value_is_raw((DerBytes){both, 64}, 256) && ecdsa_value_is_der((DerBytes){both, 64}, 256));
}
END_TEST

int main(void) {
    setlocale(LC_ALL, "");
    Suite *suite = suite_create("lib-basics");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, tckn_checks_both_digits);
    tcase_add_test(tcase, tckn_finds_each_wrong_digit);
    tcase_add_test(tcase, tckn_is_found_in_serial_numbers);
    tcase_add_test(tcase, tckn_mask_shows_two_digits);
    tcase_add_test(tcase, policy_ends_with_the_year_in_turkey);
    tcase_add_test(tcase, policy_has_the_european_ends_behind_it);
    tcase_add_test(tcase, policy_knows_the_list);
    tcase_add_test(tcase, der_takes_one_encoding_only);
    tcase_add_test(tcase, der_reads_what_it_writes);
    tcase_add_test(tcase, der_small_integers_are_minimal);
    tcase_add_test(tcase, der_sets_are_in_order);
    tcase_add_test(tcase, signing_time_has_its_form);
    tcase_add_test(tcase, other_forms_of_time_are_refused);
    tcase_add_test(tcase, ecdsa_values_are_told_apart);
    tcase_add_test(tcase, some_ecdsa_values_are_both);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
