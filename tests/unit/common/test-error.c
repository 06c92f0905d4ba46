/* SPDX-License-Identifier: Apache-2.0 */
/* The error table as a whole: what no compiler checks in it. */
#include "error.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

typedef struct Row {
    int number;
    const char *id;
    const char *name;
    const char *text;
    const char *hint;
    size_t n_ckr;
    const uint64_t *ckr;
} Row;

#define CKR_END UINT64_MAX
static const Row rows[] = {
#define ROW(number_, id_, name_, text_, hint_, ...)                                                                    \
    {.number = number_,                                                                                                \
     .id = #id_,                                                                                                       \
     .name = name_,                                                                                                    \
     .text = text_,                                                                                                    \
     .hint = hint_,                                                                                                    \
     .n_ckr = sizeof((uint64_t[]){__VA_ARGS__ __VA_OPT__(, ) CKR_END}) / sizeof(uint64_t) - 1,                         \
     .ckr = (const uint64_t[]){__VA_ARGS__ __VA_OPT__(, ) CKR_END}},
    EONAY_ERROR_TABLE(ROW)
#undef ROW
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

START_TEST(numbers_names_and_texts_are_distinct) {
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t k = i + 1; k < N_ROWS; k++) {
            ck_assert_int_ne(rows[i].number, rows[k].number);
            ck_assert_str_ne(rows[i].name, rows[k].name);
            ck_assert_str_ne(rows[i].text, rows[k].text);
        }
}
END_TEST

static bool is_capital(char c) {
    return c >= 'A' && c <= 'Z';
}

/* PIN_FEW_TRIES_LEFT and PinFewTriesLeft are one name: the identifier, without its underscores, in another case. */
START_TEST(identifier_and_name_agree) {
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *name = rows[i].name;
        for (const char *id = rows[i].id; *id; id++) {
            if (*id == '_')
                continue;
            bool first = id == rows[i].id || id[-1] == '_';
            ck_assert_msg(first ? *name == *id : *name == *id - 'A' + 'a', "%s is not %s", rows[i].name, rows[i].id);
            name++;
        }
        ck_assert_msg(*name == '\0', "%s is not %s", rows[i].name, rows[i].id);
    }
}
END_TEST

START_TEST(every_row_has_a_sentence_and_a_next_step) {
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *const sentences[] = {rows[i].text, rows[i].hint};
        for (size_t k = 0; k < 2; k++) {
            size_t n = strlen(sentences[k]);
            ck_assert_msg(n > 10 && sentences[k][n - 1] == '.' && is_capital(sentences[k][0]), "%s: '%s'", rows[i].name,
                          sentences[k]);
        }
        ck_assert_str_ne(rows[i].text, rows[i].hint);
    }
}
END_TEST

START_TEST(names_fit_dbus) {
    for (size_t i = 0; i < N_ROWS; i++) {
        ck_assert(is_capital(rows[i].name[0]));
        ck_assert_uint_le(strlen(EONAY_ERROR_PREFIX) + strlen(rows[i].name), 255);
        for (const char *c = rows[i].name; *c; c++)
            ck_assert((*c >= 'a' && *c <= 'z') || is_capital(*c));
    }
}
END_TEST

START_TEST(no_ckr_means_two_things) {
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t a = 0; a < rows[i].n_ckr; a++)
            for (size_t k = 0; k < N_ROWS; k++)
                for (size_t b = 0; b < rows[k].n_ckr; b++)
                    ck_assert_msg((i == k && a == b) || rows[i].ckr[a] != rows[k].ckr[b], "0x%lx is in %s and %s",
                                  (unsigned long)rows[i].ckr[a], rows[i].name, rows[k].name);
}
END_TEST

/* There and back again, through every function. */
START_TEST(the_functions_know_every_row) {
    for (size_t i = 0; i < N_ROWS; i++) {
        const Row *row = &rows[i];
        const char *full = eonay_error_name(row->number);
        ck_assert_int_eq(strncmp(full, EONAY_ERROR_PREFIX, strlen(EONAY_ERROR_PREFIX)), 0);
        ck_assert_str_eq(full + strlen(EONAY_ERROR_PREFIX), row->name);
        ck_assert_str_eq(eonay_error_short_name(row->number), row->name);
        ck_assert_int_eq(eonay_error_from_name(full), row->number);
        ck_assert_int_eq(eonay_error_from_name(row->name), row->number);
        ck_assert_ptr_nonnull(eonay_error_text(row->number));
        ck_assert_ptr_nonnull(eonay_error_hint(row->number));
        for (size_t k = 0; k < row->n_ckr; k++)
            ck_assert_int_eq(eonay_error_from_ckr(row->ckr[k]), row->number);
    }
}
END_TEST

START_TEST(what_is_in_no_row) {
    static const int numbers[] = {0, -1, 10000};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_null(eonay_error_name(numbers[i]));
        ck_assert_ptr_null(eonay_error_short_name(numbers[i]));
        ck_assert_ptr_null(eonay_error_text(numbers[i]));
        ck_assert_ptr_null(eonay_error_hint(numbers[i]));
    }
    ck_assert_int_eq(eonay_error_from_name(NULL), 0);
    ck_assert_int_eq(eonay_error_from_name(""), 0);
    ck_assert_int_eq(eonay_error_from_name("codeinvalid"), 0);
    ck_assert_int_eq(eonay_error_from_name("CodeInvalidX"), 0);
    ck_assert_int_eq(eonay_error_from_ckr(0x80000001), EONAY_ERROR_PLUGIN_FAILED);
    ck_assert_int_eq(eonay_error_from_ckr(UINT64_MAX), EONAY_ERROR_PLUGIN_FAILED);
}
END_TEST

/* Plugins built today hold these numbers: the ABI. A change here breaks them. */
START_TEST(numbers_of_the_abi) {
    ck_assert_int_eq(EONAY_ERROR_CODE_INVALID, 1);
    ck_assert_int_eq(EONAY_ERROR_TEXT_UNSAFE, 10);
    ck_assert_int_eq(EONAY_ERROR_TOKEN_REMOVED, 19);
    ck_assert_int_eq(EONAY_ERROR_PIN_INCORRECT, 21);
    ck_assert_int_eq(EONAY_ERROR_CANCELLED, 28);
    ck_assert_int_eq(EONAY_ERROR_MODULE_MISSING, 34);
    ck_assert_int_eq(EONAY_ERROR_PLUGIN_FAILED, 37);
    ck_assert_int_eq(EONAY_ERROR_BACKEND_UNREACHABLE, 41);
    ck_assert_int_eq(EONAY_ERROR_UNSUPPORTED, 48);
}
END_TEST

int main(void) {
    Suite *s = suite_create("error");
    TCase *t = tcase_create("table");
    tcase_add_test(t, numbers_names_and_texts_are_distinct);
    tcase_add_test(t, identifier_and_name_agree);
    tcase_add_test(t, every_row_has_a_sentence_and_a_next_step);
    tcase_add_test(t, names_fit_dbus);
    tcase_add_test(t, no_ckr_means_two_things);
    tcase_add_test(t, the_functions_know_every_row);
    tcase_add_test(t, what_is_in_no_row);
    tcase_add_test(t, numbers_of_the_abi);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
