/* SPDX-License-Identifier: Apache-2.0 */
/* What people paste and authorities send: codes, and texts that will be shown. */
#include "code-digits.h"
#include "harness.h"
#include "text.h"

#include <string.h>

#define CODE "168857414351237"

static const char *const good_codes[] = {
    CODE,
    " 16885 74143 51237\n",
    "168-857-414-351-237",
    "168\u00A0857\u00A0414\u00A0351\u00A0237", /* no-break space */
    "\uFEFF168857\u200B414351\u00AD237",       /* byte-order mark, zero-width space, soft hyphen */
    "168\u2010857\u2011414\u2013351\u2014237", /* hyphens and dashes */
    "168857\u2212414351237",                   /* minus sign */
    "168857\t414351\v237\f\r\n",
    "168857\u2028414351\u2029237\u3000", /* line, paragraph, ideographic space */
    ("\xc2\x85" CODE),
};

static const char *const bad_codes[] = {
    "",
    " ",
    "-",
    "16885741435123",
    "1688574143512370",
    "16885741435123a",
    "168857414351237a",
    "1\u0661"
    "88574143512372", /* an Arabic-Indic digit */
    "\uFF11"
    "68857414351237", /* a full-width one */
    "168857414351\u00B2"
    "37", /* superscript two, which some count as a digit */
    "168.857.414.351.237",
    "168857414351237\u202E", /* right-to-left override */
    "168857414351237\xff",
    "+168857414351237",
    "16885741435123\u0131", /* dotless i */
};

START_TEST(codes_with_separators) {
    char code[CODE_DIGITS + 1];
    memset(code, 'x', sizeof(code));
    ck_assert_msg(code_normalise(good_codes[_i], code), "refused: %s", good_codes[_i]);
    ck_assert_str_eq(code, CODE);
}
END_TEST

START_TEST(no_codes) {
    char code[CODE_DIGITS + 1] = "untouched";
    ck_assert_msg(!code_normalise(bad_codes[_i], code), "accepted: %s", bad_codes[_i]);
    ck_assert_str_eq(code, "untouched");
}
END_TEST

START_TEST(long_pastes) {
    char code[CODE_DIGITS + 1];
    g_autofree char *padding = g_strnfill(256 - CODE_DIGITS, ' ');
    g_autofree char *longest = g_strconcat(padding, CODE, NULL);
    g_autofree char *too_long = g_strconcat(longest, " ", NULL);
    g_autofree char *huge = g_strnfill(70000, '1');
    ck_assert(code_normalise(longest, code));
    ck_assert(!code_normalise(too_long, code));
    ck_assert(!code_normalise(huge, code));
}
END_TEST

static const char *const good_texts[] = {
    "a", "KABUL EDİYORUM.\n", "tab\there", "line\r\nline\r\n", "ığüşöçİĞÜŞÖÇ – “”’ €", "日本語 ⚖", "e\u0301", "\n"};

static const struct {
    const char *bytes;
    size_t size;
} bad_texts[] = {
#define BAD(literal)                                                                                                   \
    { literal, sizeof(literal) - 1 }
    BAD(""),
    BAD("a\0b"),
    BAD("a\x01"),
    BAD("a\x1b[2J"),
    BAD("a\x7f"),
    BAD("a\rb"),
    BAD("a\r"),
    BAD("\xff"),
    BAD("a\xc3"),
    BAD("\xc0\xaf"),
    BAD("\xed\xa0\x80"), /* a surrogate */
    BAD("a\u202Eb"),
    BAD("a\u2066b"),
    BAD("a\u200Fb"),
    BAD("a\u200Bb"),
    BAD("a\u00ADb"),
    BAD("\uFEFFa"),
    BAD("a\u2028b"),
    BAD("a\u2029b"),
    BAD("a\uE000b"),
    BAD("a\u0378b"),
    BAD("a\xc2\x85"
        "b"),
    BAD("a\U000E0041b"),
    BAD("a\U0001D173b"),
};

START_TEST(safe_texts) {
    ck_assert_msg(text_is_safe(good_texts[_i], strlen(good_texts[_i])), "refused: %s", good_texts[_i]);
}
END_TEST

START_TEST(unsafe_texts) {
    ck_assert_msg(!text_is_safe(bad_texts[_i].bytes, bad_texts[_i].size), "accepted: number %d", _i);
}
END_TEST

START_TEST(text_keeps_its_bytes) {
    g_autoptr(GBytes) bytes = g_bytes_new("abc", 3);
    Text *t = text_new("Başlık", "text/plain", bytes);
    ck_assert_str_eq(t->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert(g_bytes_equal(t->bytes, bytes));
    ck_assert_str_eq(t->title, "Başlık");
    text_free(t);
    text_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("input");
    TCase *tcase = tcase_create("input");
    tcase_add_loop_test(tcase, codes_with_separators, 0, G_N_ELEMENTS(good_codes));
    tcase_add_loop_test(tcase, no_codes, 0, G_N_ELEMENTS(bad_codes));
    tcase_add_test(tcase, long_pastes);
    tcase_add_loop_test(tcase, safe_texts, 0, G_N_ELEMENTS(good_texts));
    tcase_add_loop_test(tcase, unsafe_texts, 0, G_N_ELEMENTS(bad_texts));
    tcase_add_test(tcase, text_keeps_its_bytes);
    suite_add_tcase(suite, tcase);
    return harness_run(suite);
}
