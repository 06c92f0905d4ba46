/* SPDX-License-Identifier: Apache-2.0 */
/* What may be shown, how wide it is, and tables of it. */
#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "error.h"
#include "failure.h"
#include "json.h"
#include "table.h"
#include "text.h"

static const struct {
    const char *text;
    bool safe;
} shown[] = {
    {"", true},
    {"Onay: İıŞşĞğ, 100 €\n\tsatır\r\n", true},
    {"漢字 ve 🙂", true},
    {"esc\033[31m", false},
    {"bell\a", false},
    {"del\x7f", false},
    {"C1 \xc2\x9b", false},
    {"alone\rback", false},
    {"end\r", false},
    {"\xe2\x80\xae override", false},   /* U+202E */
    {"\xe2\x81\xa6 isolate", false},    /* U+2066 */
    {"\xe2\x80\x8b zero width", false}, /* U+200B */
    {"\xef\xbb\xbf mark", false},       /* U+FEFF */
    {"\xe2\x80\xa8 line", false},       /* U+2028 */
    {"\xee\x80\x80 private", false},    /* U+E000 */
    {"\xf3\xa0\x81\x81 tag", false},    /* U+E0041 */
    {"\xed\xa0\x80", false},            /* a surrogate */
    {"\xc0\xaf", false},                /* overlong */
    {"half \xc4", false},
};

START_TEST(only_visible_text_is_safe) {
    ck_assert_msg(text_is_safe(shown[_i].text, strlen(shown[_i].text)) == shown[_i].safe, "%s", shown[_i].text);
}
END_TEST

START_TEST(a_nul_is_not_safe) {
    ck_assert(!text_is_safe("a\0b", 3));
}
END_TEST

START_TEST(cleaning_makes_one_harmless_line) {
    g_autofree char *clean = text_clean("a\033[2J\nb\tc\xff\xe2\x80\xae");
    ck_assert_str_eq(clean, "a\xef\xbf\xbd[2J b c\xef\xbf\xbd\xef\xbf\xbd");
    ck_assert(text_is_safe(clean, strlen(clean)));
}
END_TEST

START_TEST(widths_are_columns) {
    ck_assert_uint_eq(text_width("Şıİ"), 3);
    ck_assert_uint_eq(text_width("漢字"), 4);
    ck_assert_uint_eq(text_width("e\xcc\x81"), 1); /* a combining accent */
    g_autofree char *cut = text_cut("漢字漢字", 6), *whole = text_cut("abc", 3);
    ck_assert_str_eq(cut, "漢字…");
    ck_assert_str_eq(whole, "abc");
}
END_TEST

static const struct {
    const char *name;
    const char *common;
} names[] = {
    {"CN=Ayşe,C=TR", "Ayşe"},
    {"C=TR,CN=A\\, B\\+C,O=x", "A, B+C"},
    {"CN=\\C4\\B0nci,C=TR", "İnci"},
    {"O=x\\,CN=fake,CN=real", "real"},
    {"serialNumber=1+CN=A+O=b", "A"},
    {"O=none", "O=none"},
    {"", ""},
    {"CN=tail\\", "tail\\"},
};

START_TEST(common_names) {
    g_autofree char *common = text_common_name(names[_i].name);
    ck_assert_str_eq(common, names[_i].common);
}
END_TEST

static char *print_table(unsigned width) {
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    Table *t = table_new((const char *[]){"AD", "SAYI", NULL});
    table_add(t, (const char *[]){"Şeyma Öz", "1"});
    table_add(t, (const char *[]){"漢字\n", NULL});
    ck_assert_uint_eq(table_rows(t), 2);
    table_print(t, out, width, false);
    table_free(t);
    fclose(out);
    return printed;
}

START_TEST(tables_align_by_columns) {
    char *printed = print_table(0);
    ck_assert_str_eq(printed, "AD        SAYI\nŞeyma Öz  1\n漢字      -\n");
    free(printed);
}
END_TEST

START_TEST(tables_fit_a_terminal_as_far_as_they_can) {
    Table *t = table_new((const char *[]){"A", "B", NULL});
    table_add(t, (const char *[]){"0123456789012345678901234567890123456789", "x"});
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    table_print(t, out, 20, true);
    table_print(t, out, 1, false);
    fclose(out);
    table_free(t);
    ck_assert_ptr_nonnull(strstr(printed, "\n0123456789012345…  x\n"));
    ck_assert_ptr_nonnull(strstr(printed, "\n0123456…  x\n")); /* not narrower than this */
    ck_assert(g_str_has_prefix(printed, "\033[1mA"));
    free(printed);
}
END_TEST

START_TEST(certificates_are_named_by_path_or_fingerprint) {
    json_t *c = json_pack("{s:s, s:s, s:[s,s]}", "Path", "/c/1", "Fingerprint", "0123456789abcdef", "Reasons",
                          "expired", "new");
    ck_assert(certificate_is_named(c, "/c/1"));
    ck_assert(certificate_is_named(c, "01:23:45:67"));
    ck_assert(certificate_is_named(c, "0123456789ABCDEF"));
    ck_assert(!certificate_is_named(c, "0123456"));           /* too short */
    ck_assert(!certificate_is_named(c, "0123456789abcdef0")); /* too long */
    ck_assert(!certificate_is_named(c, "12345678"));
    ck_assert(!certificate_is_named(c, "/c/2"));
    ck_assert(!certificate_is_named(c, ""));
    g_autofree char *reasons = certificate_reasons(c);
    ck_assert(g_str_has_suffix(reasons, ", new"));
    ck_assert(!g_str_has_prefix(reasons, "expired"));
    json_decref(c);
}
END_TEST

START_TEST(only_what_the_table_does_not_say_is_detail) {
    const int code = EONAY_ERROR_PIN_INCORRECT;
    g_autofree char *plain = g_strconcat(eonay_error_text(code), " ", eonay_error_hint(code), NULL);
    g_autofree char *detailed = g_strconcat(eonay_error_text(code), " (two (2) left) ", eonay_error_hint(code), NULL);
    g_autofree char *none = failure_detail(code, plain), *some = failure_detail(code, detailed);
    g_autofree char *foreign = failure_detail(code, "Le code est faux. (deux) Essayez.");
    g_autofree char *other = failure_detail(code, "something else"), *null = failure_detail(code, NULL);
    ck_assert_ptr_null(none);
    ck_assert_str_eq(some, "two (2) left");
    ck_assert_str_eq(foreign, "deux");
    ck_assert_str_eq(other, "something else");
    ck_assert_ptr_null(null);
}
END_TEST

/* Every condition but the few that have no number of their own. */
START_TEST(conditions_have_an_exit_code) {
    static const int general[] = {EONAY_ERROR_DESCRIPTOR_INVALID, EONAY_ERROR_FILE_INVALID,
                                  EONAY_ERROR_STORAGE_FAILED,     EONAY_ERROR_NOT_FOUND,
                                  EONAY_ERROR_SIGNATURE_INVALID,  EONAY_ERROR_SUBJECT_INVALID,
                                  EONAY_ERROR_UNSUPPORTED,        EONAY_ERROR_INTERRUPTED};
    for (int code = 1; eonay_error_name(code); code++) {
        bool is_general = false;
        for (size_t i = 0; i < G_N_ELEMENTS(general); i++)
            is_general = is_general || general[i] == code;
        ck_assert_msg((failure_exit(code) == CTL_FAILED) == is_general, "%s", eonay_error_name(code));
        ck_assert_int_eq(failure_exit_by_name(eonay_error_name(code)), failure_exit(code));
    }
    ck_assert_int_eq(failure_exit_by_name("org.freedesktop.DBus.Error.AccessDenied"), CTL_REFUSED);
    ck_assert_int_eq(failure_exit_by_name("org.freedesktop.DBus.Error.Spawn.ExecFailed"), CTL_NO_DAEMON);
    ck_assert_int_eq(failure_exit_by_name("x.y"), CTL_FAILED);
    ck_assert_int_eq(failure_exit_by_name(NULL), CTL_FAILED);
}
END_TEST

START_TEST(times_are_local_and_never_fail) {
    g_autofree char *none = text_time(0), *far = text_time(INT64_MAX), *negative = text_date(-5);
    ck_assert_str_eq(none, "-");
    ck_assert_str_eq(far, "-");
    ck_assert_str_eq(negative, "-");
    ck_assert_int_eq(text_seconds_left(1), 0);
    ck_assert_int_ge(text_seconds_left(g_get_real_time() + 5500000), 5);
}
END_TEST

int main(void) {
    setlocale(LC_ALL, "");
    TCase *tc = tcase_create("text");
    tcase_add_loop_test(tc, only_visible_text_is_safe, 0, (int)G_N_ELEMENTS(shown));
    tcase_add_test(tc, a_nul_is_not_safe);
    tcase_add_test(tc, cleaning_makes_one_harmless_line);
    tcase_add_test(tc, widths_are_columns);
    tcase_add_loop_test(tc, common_names, 0, (int)G_N_ELEMENTS(names));
    tcase_add_test(tc, tables_align_by_columns);
    tcase_add_test(tc, tables_fit_a_terminal_as_far_as_they_can);
    tcase_add_test(tc, certificates_are_named_by_path_or_fingerprint);
    tcase_add_test(tc, only_what_the_table_does_not_say_is_detail);
    tcase_add_test(tc, conditions_have_an_exit_code);
    tcase_add_test(tc, times_are_local_and_never_fail);
    Suite *suite = suite_create("ctl-text");
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
