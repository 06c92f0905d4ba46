/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of plugins, made fit for the wire. */
#include "text.h"

#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define FFFD "\xef\xbf\xbd"

static void expect(const char *in, size_t limit, const char *out) {
    char *clean = text_clean(in, limit);
    ck_assert_str_eq(clean, out);
    g_free(clean);
}

START_TEST(good_text_stays) {
    expect("İstanbul ığüşöç 漢字 🙂", 1000, "İstanbul ığüşöç 漢字 🙂");
    expect("", 1000, "");
    expect(NULL, 1000, "");
}
END_TEST

START_TEST(bad_bytes_are_replaced_one_by_one) {
    expect("a\xff\x80z", 1000, "a" FFFD FFFD "z");
    expect("\xc3", 1000, FFFD);                                                         /* cut short */
    expect("\xc0\xaf", 1000, FFFD FFFD);                                                /* overlong */
    expect("\xed\xa0\x80", 1000, FFFD FFFD FFFD);                                       /* a surrogate */
    expect("\xf4\x90\x80\x80", 1000, FFFD FFFD FFFD FFFD);                              /* beyond Unicode */
    expect("\xef\xbf\xbe \xef\xb7\x90 \xf0\x9f\xbf\xbf", 1000, FFFD " " FFFD " " FFFD); /* non-characters */
}
END_TEST

START_TEST(hidden_characters_are_replaced) {
    expect("a\nb\tc\x1b[1m\x7f", 1000, "a" FFFD "b" FFFD "c" FFFD "[1m" FFFD);
    expect("\xc2\x9b", 1000, FFFD);                                                    /* CSI in one character */
    expect("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c", 1000, FFFD FFFD FFFD FFFD); /* directions */
}
END_TEST

START_TEST(a_cut_falls_between_characters) {
    expect("abcdef", 3, "abc");
    expect("aşk", 2, "a");
    expect("\xff\xff\xff", 7, FFFD FFFD);
    expect("abc", 0, "");
}
END_TEST

START_TEST(clean_means_unchanged) {
    ck_assert(text_is_clean("fake-0", 255));
    ck_assert(text_is_clean("abc", 3));
    ck_assert(!text_is_clean("abcd", 3));
    ck_assert(!text_is_clean("", 3));
    ck_assert(!text_is_clean(NULL, 3));
    ck_assert(!text_is_clean("a\nb", 255));
    ck_assert(!text_is_clean("a\xff", 255));
}
END_TEST

int main(void) {
    Suite *s = suite_create("host-text");
    TCase *t = tcase_create("text");
    tcase_add_test(t, good_text_stays);
    tcase_add_test(t, bad_bytes_are_replaced_one_by_one);
    tcase_add_test(t, hidden_characters_are_replaced);
    tcase_add_test(t, a_cut_falls_between_characters);
    tcase_add_test(t, clean_means_unchanged);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
