/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts of the pages: escaping, the day of a renewal, moments as people read them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "web/application.h"
#include "web/hold.h"
#include "web/html.h"
#include "web/moment-text.h"
#include "web/session.h"
#include "web/url.h"
#include "web/word.h"

/* ------------------------------------------------------------------ markup */

static void assert_escaped(const char *text, const char *expected) {
    g_autoptr(GString) page = g_string_new(NULL);

    html_print(page, "%s", text);
    ck_assert_str_eq(page->str, expected);
}

START_TEST(text_stays_text) {
    assert_escaped("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    assert_escaped("\" onload=\"x", "&quot; onload=&quot;x");
    assert_escaped("A & B &amp; C", "A &amp; B &amp;amp; C");
    assert_escaped("İı Şş ğ – 😀", "İı Şş ğ – 😀");
    assert_escaped("", "");
    assert_escaped(NULL, "");
}
END_TEST

START_TEST(what_is_no_text_is_replaced) {
    assert_escaped("a\xff"
                   "b",
                   "a\xef\xbf\xbd"
                   "b");
    assert_escaped("\xc3", "\xef\xbf\xbd");
    assert_escaped("\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd"); /* an overlong < */
    assert_escaped("a\x01\x1b\x7f"
                   "b",
                   "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                   "b");
    assert_escaped("\xef\xbf\xbe", "\xef\xbf\xbd");
    assert_escaped("a\tb\nc", "a\tb\nc");
}
END_TEST

START_TEST(numbers_and_literals) {
    g_autoptr(GString) page = g_string_new("<p>");

    html_print(page, "<b a=\"%d\">%u %lld %zu 100%% %s</b>", -1, 2u, 3000000000LL, (size_t)4, "<");
    ck_assert_str_eq(page->str, "<p><b a=\"-1\">2 3000000000 4 100% &lt;</b>");
}
END_TEST

START_TEST(addresses_are_encoded) {
    g_autoptr(GString) url = g_string_new("https://a.example/x");
    g_autoptr(GString) form = g_string_new(NULL);

    url_append(url, "a", "b&c=d e");
    url_append(url, "s", "Kimlik-Dogrula;Ad-Soyad");
    ck_assert_str_eq(url->str, "https://a.example/x?a=b%26c%3Dd%20e&s=Kimlik-Dogrula%3BAd-Soyad");
    form_append(form, "ş", "+");
    form_append(form, "b", "");
    ck_assert_str_eq(form->str, "%C5%9F=%2B&b=");
}
END_TEST

/* ------------------------------------------------------------------ renewals */

static int64_t moment(int year, int month, int day, int hour, int minute, int second) {
    g_autoptr(GTimeZone) zone = g_time_zone_new_offset(3 * 3600);
    g_autoptr(GDateTime) t = g_date_time_new(zone, year, month, day, hour, minute, second);

    return g_date_time_to_unix(t) * G_USEC_PER_SEC;
}

static void assert_held(int64_t end, int months, const char *expected) {
    char text[MOMENT_TEXT_SIZE];

    ck_assert_str_eq(moment_text(hold_until(end, months), text), expected);
}

START_TEST(held_until_two_months_before_the_end) {
    assert_held(moment(2027, 10, 15, 12, 0, 0), 2, "15.08.2027 12:00:00");
    assert_held(moment(2027, 1, 20, 12, 0, 0), 2, "20.11.2026 12:00:00");
}
END_TEST

START_TEST(held_at_the_ends_of_months) {
    assert_held(moment(2027, 8, 31, 23, 59, 59), 2, "30.06.2027 23:59:59");
    assert_held(moment(2027, 4, 30, 10, 0, 0), 2, "28.02.2027 10:00:00");
    assert_held(moment(2028, 4, 30, 10, 0, 0), 2, "29.02.2028 10:00:00");
    assert_held(moment(2028, 2, 29, 10, 0, 0), 12, "28.02.2027 10:00:00");
    assert_held(moment(2100, 4, 30, 10, 0, 0), 2, "28.02.2100 10:00:00"); /* no leap year */
    assert_held(moment(2027, 12, 31, 0, 0, 0), 1, "30.11.2027 00:00:00");
    assert_held(moment(2027, 12, 31, 0, 0, 0), 0, "31.12.2027 00:00:00");
    /* Midnight in Turkey is 21:00 the day before in UTC: the month is Turkey's. */
    assert_held(moment(2027, 9, 1, 0, 30, 0), 2, "01.07.2027 00:30:00");
}
END_TEST

START_TEST(held_whatever_the_zone_of_the_server) {
    static const char *const zones[] = {"UTC", "America/Los_Angeles", "Asia/Tokyo"};

    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
        (void)setenv("TZ", zones[i], 1);
        assert_held(moment(2027, 8, 31, 23, 59, 59), 2, "30.06.2027 23:59:59");
    }
}
END_TEST

START_TEST(a_date_beyond_calendars_is_not_early) {
    ck_assert_int_eq(hold_until(INT64_MAX, 2), INT64_MAX);
}
END_TEST

START_TEST(moments_are_read_as_written) {
    char text[MOMENT_TEXT_SIZE];

    ck_assert_str_eq(moment_text(moment(2019, 8, 27, 11, 10, 21), text), "27.08.2019 11:10:21");
    ck_assert_str_eq(moment_text(0, text), "01.01.1970 02:00:00"); /* +02 then */
    ck_assert_str_eq(moment_text(INT64_MAX, text), "-");
}
END_TEST

/* ------------------------------------------------------------------ states, sessions, words */

START_TEST(applications_go_forward_only) {
    static const char *const way[] = {"submitted", "in-production", "couriered", "delivered"};
    ApplicationState from = APPLICATION_HELD;
    ApplicationState to = APPLICATION_HELD;

    for (size_t i = 0; i < G_N_ELEMENTS(way); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(way); k++) {
            ck_assert(application_state_parse(way[i], &from) && application_state_parse(way[k], &to));
            ck_assert_int_eq(application_may_move(from, to), k == i + 1);
        }
    ck_assert(application_may_move(APPLICATION_HELD, APPLICATION_IN_PRODUCTION));
    ck_assert(!application_may_move(APPLICATION_DELIVERED, APPLICATION_REJECTED));
    ck_assert(!application_state_parse("In-Production", &to));
    ck_assert(!application_state_parse(NULL, &to));
}
END_TEST

START_TEST(form_tokens_belong_to_one_session) {
    char one[SESSION_TOKEN_SIZE];
    char other[SESSION_TOKEN_SIZE];
    char csrf[SESSION_TOKEN_SIZE];

    login_secret_make(one);
    login_secret_make(other);
    ck_assert_str_ne(one, other);
    ck_assert(login_secret_valid(one) && !login_secret_valid("short") && !login_secret_valid(NULL));
    session_csrf(one, csrf);
    ck_assert_str_ne(csrf, one);
    ck_assert(session_csrf_valid(one, csrf));
    ck_assert(!session_csrf_valid(other, csrf));
    ck_assert(!session_csrf_valid(one, NULL) && !session_csrf_valid(one, ""));
    csrf[5] = csrf[5] == 'A' ? 'B' : 'A';
    ck_assert(!session_csrf_valid(one, csrf));
}
END_TEST

START_TEST(words_are_counted_in_characters) {
    ck_assert(word_good("şğıçöü"));
    ck_assert(!word_good("abcde"));
    ck_assert(!word_good("şğıçö")); /* ten bytes, five characters */
    ck_assert(!word_good("abc\ndef"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("portal-web");
    TCase *t = tcase_create("web");

    tcase_add_test(t, text_stays_text);
    tcase_add_test(t, what_is_no_text_is_replaced);
    tcase_add_test(t, numbers_and_literals);
    tcase_add_test(t, addresses_are_encoded);
    tcase_add_test(t, held_until_two_months_before_the_end);
    tcase_add_test(t, held_at_the_ends_of_months);
    tcase_add_test(t, held_whatever_the_zone_of_the_server);
    tcase_add_test(t, a_date_beyond_calendars_is_not_early);
    tcase_add_test(t, moments_are_read_as_written);
    tcase_add_test(t, applications_go_forward_only);
    tcase_add_test(t, form_tokens_belong_to_one_session);
    tcase_add_test(t, words_are_counted_in_characters);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite());
    int failed = 0;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
