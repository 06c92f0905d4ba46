/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: one commit for writers of one moment, nobody is told before it, all are told when it failed. */
#include "harness.h"
#include "journal-private.h"
#include "journal.h"

#include <eonay/plugin.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#define UID 1000u

static char *folder;
static sd_event *event;
static Journal *journal;
static unsigned commits;

static int count_commit(void *userdata) {
    (void)userdata;
    commits++;
    return 0;
}

static void open_journal(void) {
    ck_assert_int_eq(journal_new(event, folder, &journal), 0);
    if (journal_database(journal))
        sqlite3_commit_hook(journal_database(journal), count_commit, NULL);
    commits = 0;
}

static void close_journal(void) {
    journal = journal_free(journal);
}

static void set_up(void) {
    folder = harness_folder();
    ck_assert_int_ge(sd_event_new(&event), 0);
    open_journal();
}

static void tear_down(void) {
    close_journal();
    event = sd_event_unref(event);
    harness_remove(folder);
}

/* ------------------------------------------------------------------------------------------------------ writers -- */

typedef struct Told {
    unsigned times;
    int r;
    unsigned commits; /* when it was told */
} Told;

static void tell(int r, void *userdata) {
    Told *told = userdata;
    *told = (Told){told->times + 1, r, commits};
}

static void open_consent_of(uid_t uid, const char *id, uint64_t opened_at, Told *told) {
    g_autoptr(GBytes) bytes = g_bytes_new_static("text", 4);
    const JournalText text = {.title = "T", .media_type = "text/plain", .sha256 = "ab", .bytes = bytes};
    const JournalConsent consent = {.id = id,
                                    .uid = uid,
                                    .backend = "local",
                                    .transaction = "t",
                                    .requester = "R",
                                    .purpose = "p",
                                    .level = "B-B",
                                    .subject_masked = "100******46",
                                    .created_at = 1,
                                    .expires_at = 2,
                                    .opened_at = opened_at,
                                    .texts = &text,
                                    .n_texts = 1};
    journal_opened(journal, &consent, told ? tell : NULL, told);
}

static void open_consent(const char *id, Told *told) {
    open_consent_of(UID, id, 1, told);
}

static void sign_consent(const char *id, Told *told) {
    g_autoptr(GBytes) certificate = g_bytes_new_static("cert", 4);
    const JournalSigning signing = {.fingerprint = "fingerprint",
                                    .certificate = certificate,
                                    .mechanism = 1,
                                    .idempotency_key = "key",
                                    .confirmed_at = 66,
                                    .confirmed_by = "agent"};
    journal_signing(journal, id, &signing, told ? tell : NULL, told);
}

static void finish_signature(const char *id, Told *told) {
    GBytes *const cms[] = {g_bytes_new_static("one", 3), g_bytes_new_static("two", 3)};
    journal_signed(journal, id, 77, cms, 2, told ? tell : NULL, told);
    g_bytes_unref(cms[0]);
    g_bytes_unref(cms[1]);
}

static void run_loop_once(void) {
    ck_assert_int_ge(sd_event_run(event, 0), 0);
}

/* NULL when there is none. The caller unrefs the list. */
static const JournalRecord *record_of(const char *id, GPtrArray **ret) {
    *ret = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
    const JournalQuery query = {.any_uid = true, .id = id, .with_signatures = true};
    ck_assert_int_eq(journal_list(journal, &query, *ret), 0);
    return (*ret)->len ? (*ret)->pdata[0] : NULL;
}

static char *state_of(const char *id) {
    g_autoptr(GPtrArray) list = NULL;
    const JournalRecord *r = record_of(id, &list);
    return r ? g_strdup_printf("%s/%s", r->state, r->error) : g_strdup("");
}

static void assert_state(const char *id, const char *wanted) {
    g_autofree char *state = state_of(id);
    ck_assert_str_eq(state, wanted);
}

/* -------------------------------------------------------------------------------------------------------- tests -- */

START_TEST(two_writes_one_commit) {
    Told a = {0}, b = {0};
    open_consent("a", &a);
    open_consent("b", &b);
    ck_assert_uint_eq(commits, 0);
    ck_assert_uint_eq(a.times + b.times, 0); /* told only of what is on disk */
    run_loop_once();
    ck_assert_uint_eq(commits, 1);
    ck_assert_uint_eq(a.times, 1);
    ck_assert_uint_eq(b.times, 1);
    ck_assert_int_eq(a.r, 0);
    ck_assert_uint_eq(a.commits, 1);
    assert_state("a", "reviewing/");
    assert_state("b", "reviewing/");
}
END_TEST

START_TEST(the_way_of_a_consent) {
    open_consent("a", NULL);
    sign_consent("a", NULL);
    assert_state("a", "signing/");
    finish_signature("a", NULL);
    g_autoptr(GPtrArray) list = NULL;
    const JournalRecord *r = record_of("a", &list);
    ck_assert_str_eq(r->state, "submitting");
    ck_assert_str_eq(r->idempotency_key, "key");
    ck_assert_uint_eq(r->confirmed_at, 66);
    ck_assert_str_eq(r->confirmed_by, "agent");
    ck_assert_uint_eq(r->signed_at, 77);
    ck_assert_uint_eq(r->signatures->len, 2);
    ck_assert_mem_eq(g_bytes_get_data(r->signatures->pdata[1], NULL), "two", 3);
    journal_done(journal, "a", "RECEIPT", 88, NULL, NULL);
    assert_state("a", "done/");
    g_auto(GStrv) hashes = journal_text_hashes(journal, "a");
    ck_assert_str_eq(hashes[0], "ab");
    ck_assert_ptr_null(hashes[1]);
    ck_assert(journal_has_signed(journal, UID, "fingerprint"));
    ck_assert(!journal_has_signed(journal, UID + 1, "fingerprint"));
    ck_assert(!journal_has_signed(journal, UID, "other"));
}
END_TEST

START_TEST(a_wrong_pin_goes_back) {
    open_consent("a", NULL);
    sign_consent("a", NULL);
    journal_ended(journal, "a", "reviewing", NULL, NULL, NULL);
    assert_state("a", "reviewing/");
    ck_assert(!journal_has_signed(journal, UID, "fingerprint"));
    journal_ended(journal, "a", "failed", "PinLocked", NULL, NULL);
    assert_state("a", "failed/PinLocked");
}
END_TEST

START_TEST(one_bad_write_fails_all_of_its_moment) {
    Told a = {0}, twice = {0}, late = {0};
    open_consent("old", NULL);
    journal_flush(journal);
    open_consent("a", &a);
    open_consent("old", &twice); /* there is one of that id */
    open_consent("late", &late);
    journal_flush(journal);
    ck_assert_int_eq(a.r, EONAY_ERROR_STORAGE_FAILED);
    ck_assert_int_eq(twice.r, EONAY_ERROR_STORAGE_FAILED);
    ck_assert_int_eq(late.r, EONAY_ERROR_STORAGE_FAILED);
    ck_assert_ptr_nonnull(journal_problem(journal));
    assert_state("a", "");
    assert_state("late", "");
    Told next = {0};
    open_consent("a", &next);
    journal_flush(journal);
    ck_assert_int_eq(next.r, 0);
    ck_assert_ptr_null(journal_problem(journal)); /* over */
}
END_TEST

static void set_page_limit(int pages) {
    g_autofree char *sql = g_strdup_printf("PRAGMA max_page_count=%d", pages);
    ck_assert_int_eq(sqlite3_exec(journal_database(journal), sql, NULL, NULL, NULL), SQLITE_OK);
}

/* SQLite's own limit stands for the disk's. */
START_TEST(full_disk) {
    Told told = {0};
    open_consent("before", NULL);
    journal_flush(journal);
    set_page_limit(1);
    for (unsigned i = 0; i < 200 && told.r == 0; i++) {
        g_autofree char *id = g_strdup_printf("%04u", i);
        open_consent(id, &told);
        journal_flush(journal);
    }
    ck_assert_int_eq(told.r, EONAY_ERROR_STORAGE_FAILED);
    ck_assert_ptr_nonnull(strstr(journal_problem(journal), "full"));
    assert_state("before", "reviewing/"); /* reading goes on */
    set_page_limit(1000000);
    open_consent("after", &told);
    journal_flush(journal);
    ck_assert_int_eq(told.r, 0);
    ck_assert_ptr_null(journal_problem(journal));
}
END_TEST

START_TEST(forgotten_but_written) {
    Told a = {0}, b = {0};
    open_consent("a", &a);
    open_consent("b", &b);
    journal_forget(journal, &a);
    run_loop_once();
    ck_assert_uint_eq(a.times, 0);
    ck_assert_uint_eq(b.times, 1);
    assert_state("a", "reviewing/");
}
END_TEST

static Told second;

static void forget_the_second(int r, void *userdata) {
    (void)r;
    (*(unsigned *)userdata)++;
    journal_forget(journal, &second);
    open_consent("third", &second); /* a write of its own moment */
}

START_TEST(handlers_may_forget_and_write) {
    unsigned first = 0;
    second = (Told){0};
    open_consent("first", NULL);
    journal_ended(journal, "first", "cancelled", NULL, forget_the_second, &first);
    open_consent("second", &second);
    journal_flush(journal);
    ck_assert_uint_eq(first, 1);
    ck_assert_uint_eq(second.times, 1); /* of the third only */
    ck_assert_uint_eq(second.commits, 2);
    assert_state("second", "reviewing/");
    assert_state("third", "reviewing/");
}
END_TEST

START_TEST(closing_writes_what_is_open) {
    Told told = {0};
    uint8_t key[32];
    memcpy(key, journal_installation_key(journal), sizeof(key));
    open_consent("a", &told);
    close_journal();
    ck_assert_uint_eq(told.times, 1);
    open_journal();
    assert_state("a", "reviewing/");
    ck_assert_mem_eq(journal_installation_key(journal), key, sizeof(key));
}
END_TEST

START_TEST(lists) {
    open_consent_of(UID, "old", 1, NULL);
    open_consent_of(UID, "new", 3, NULL);
    open_consent_of(UID + 1, "foreign", 2, NULL);
    journal_ended(journal, "old", "cancelled", "Cancelled", NULL, NULL);
    const struct {
        JournalQuery query;
        const char *ids;
    } queries[] = {
        {{.uid = UID}, "new old"},
        {{.any_uid = true}, "new foreign old"},
        {{.any_uid = true, .limit = 2}, "new foreign"},
        {{.uid = UID, .state = "cancelled"}, "old"},
        {{.uid = UID, .id = "foreign"}, ""},
        {{.any_uid = true, .unfinished = true}, "new foreign"},
        {{.uid = UID, .id = "' OR 1=1 --"}, ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
        g_autoptr(GString) ids = g_string_new(NULL);
        ck_assert_int_eq(journal_list(journal, &queries[i].query, list), 0);
        for (guint n = 0; n < list->len; n++)
            g_string_append_printf(ids, "%s%s", n ? " " : "", ((JournalRecord *)list->pdata[n])->id);
        ck_assert_str_eq(ids->str, queries[i].ids);
    }
}
END_TEST

START_TEST(evidence_is_its_owners) {
    g_autoptr(GBytes) json = NULL, others = NULL, none = NULL;
    open_consent("a", NULL);
    sign_consent("a", NULL);
    finish_signature("a", NULL);
    ck_assert_int_eq(journal_export(journal, "a", false, UID + 1, &none), EONAY_ERROR_NOT_FOUND);
    ck_assert_int_eq(journal_export(journal, "b", true, UID, &none), EONAY_ERROR_NOT_FOUND);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(journal_export(journal, "a", true, UID + 1, &others), 0);
    ck_assert_int_eq(journal_export(journal, "a", false, UID, &json), 0);
    g_autofree char *text = g_strndup(g_bytes_get_data(json, NULL), g_bytes_get_size(json));
    ck_assert_ptr_nonnull(strstr(text, "\"signatures_base64\":[\"b25l\",\"dHdv\"]"));
    ck_assert_ptr_nonnull(strstr(text, "\"confirmed_at\":66,\"confirmed_by\":\"agent\""));
    ck_assert_ptr_nonnull(strstr(text, "\"bytes_base64\":\"dGV4dA==\""));
}
END_TEST

static int import(uid_t uid, const char *record, const char *container, char **ret_id) {
    g_autoptr(GBytes) text = g_bytes_new(record, strlen(record));
    g_autoptr(GBytes) bytes = g_bytes_new(container, strlen(container));
    return journal_import(journal, uid, text, bytes, ret_id);
}

#define IMPORTED                                                                                                       \
    "{\"format\":\"org.eonay.evidence\",\"opened_at\":2,\"signed_at\":5,\"certificate_sha256\":\"fingerprint\"}"

/* Among the others in lists, and nowhere else: whoever takes in another's evidence owns no card by it. */
START_TEST(imported_ones_are_only_kept) {
    g_autofree char *id = NULL, *again = NULL, *other = NULL;
    g_autoptr(GBytes) back = NULL, none = NULL;
    open_consent_of(UID, "old", 1, NULL);
    open_consent_of(UID, "new", 3, NULL);
    ck_assert_int_eq(import(UID, "{}", "zip", &id), EONAY_ERROR_FILE_INVALID);
    ck_assert_int_eq(import(UID, IMPORTED, "zip", &id), 0);
    ck_assert_int_eq(import(UID, IMPORTED, "zip", &again), 0);
    ck_assert_str_eq(id, again);
    ck_assert_int_eq(import(UID + 1, IMPORTED, "zip", &other), 0);
    ck_assert_str_ne(id, other);
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
    ck_assert_int_eq(journal_list(journal, &(JournalQuery){.uid = UID, .limit = 2}, list), 0);
    ck_assert_uint_eq(list->len, 2);
    ck_assert_str_eq(((JournalRecord *)list->pdata[0])->id, "new");
    ck_assert_str_eq(((JournalRecord *)list->pdata[1])->id, id);
    ck_assert_str_eq(((JournalRecord *)list->pdata[1])->state, "imported");
    ck_assert(!journal_has_signed(journal, UID, "fingerprint") && !journal_is_others(journal, UID + 2, "fingerprint"));
    ck_assert_int_eq(journal_export_imported(journal, id, false, UID, &back), 0);
    ck_assert_mem_eq(g_bytes_get_data(back, NULL), "zip", 3);
    ck_assert_int_eq(journal_export_imported(journal, id, false, UID + 1, &none), EONAY_ERROR_NOT_FOUND);
    ck_assert_int_eq(journal_erase(journal, id, false, UID + 1, "owner"), EONAY_ERROR_NOT_FOUND);
    ck_assert_int_eq(journal_erase(journal, id, false, UID, "owner"), 0);
    ck_assert_int_eq(journal_export_imported(journal, id, true, UID, &none), EONAY_ERROR_NOT_FOUND);
}
END_TEST

START_TEST(so_many_are_kept) {
    for (unsigned i = 0; i <= EONAY_IMPORTS_PER_USER; i++) {
        g_autofree char *id = NULL;
        g_autofree char *container = g_strdup_printf("zip %u", i);
        ck_assert_int_eq(import(UID, IMPORTED, container, &id), i < EONAY_IMPORTS_PER_USER ? 0 : -ENOBUFS);
    }
}
END_TEST

START_TEST(for_its_owner_only) {
    struct stat st;
    g_autofree char *file = g_build_filename(folder, "journal.sqlite", NULL);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    g_autofree char *fresh = g_build_filename(folder, "sub", "state", NULL);
    Journal *other = NULL;
    ck_assert_int_eq(journal_new(event, fresh, &other), 0);
    ck_assert_ptr_null(journal_problem(other));
    journal_free(other);
    ck_assert_int_eq(stat(fresh, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

/* What cannot be used is left as it is; every write says so, and nothing else breaks. */
static void assert_unusable(void) {
    Told told = {0};
    GPtrArray *list = g_ptr_array_new();
    const JournalQuery query = {.any_uid = true};
    ck_assert_ptr_nonnull(journal_problem(journal));
    ck_assert(!journal_usable(journal));
    open_consent("a", &told);
    sign_consent("a", NULL);
    finish_signature("a", NULL);
    ck_assert_uint_eq(told.times, 0); /* later than the call, here as well */
    journal_flush(journal);
    ck_assert_uint_eq(told.times, 1);
    ck_assert_int_eq(told.r, EONAY_ERROR_STORAGE_FAILED);
    ck_assert_int_eq(journal_list(journal, &query, list), EONAY_ERROR_STORAGE_FAILED);
    ck_assert(!journal_has_signed(journal, UID, "fingerprint"));
    ck_assert_ptr_null(journal_text_hashes(journal, "a"));
    g_ptr_array_unref(list);
}

START_TEST(no_database) {
    close_journal();
    g_autofree char *wal = g_build_filename(folder, "journal.sqlite-wal", NULL);
    g_remove(wal);
    g_autofree char *content = g_strnfill(8192, 'x');
    g_autofree char *path = harness_file(folder, "journal.sqlite", content);
    open_journal();
    assert_unusable();
    close_journal();
    g_autofree char *after = NULL;
    ck_assert(g_file_get_contents(path, &after, NULL, NULL));
    ck_assert_str_eq(after, content);
    open_journal();
}
END_TEST

START_TEST(database_of_a_newer_version) {
    ck_assert_int_eq(sqlite3_exec(journal_database(journal), "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    close_journal();
    open_journal();
    assert_unusable();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("journal");
    TCase *tcase = tcase_create("journal");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, two_writes_one_commit);
    tcase_add_test(tcase, the_way_of_a_consent);
    tcase_add_test(tcase, a_wrong_pin_goes_back);
    tcase_add_test(tcase, one_bad_write_fails_all_of_its_moment);
    tcase_add_test(tcase, full_disk);
    tcase_add_test(tcase, forgotten_but_written);
    tcase_add_test(tcase, handlers_may_forget_and_write);
    tcase_add_test(tcase, closing_writes_what_is_open);
    tcase_add_test(tcase, lists);
    tcase_add_test(tcase, evidence_is_its_owners);
    tcase_add_test(tcase, imported_ones_are_only_kept);
    tcase_add_test(tcase, so_many_are_kept);
    tcase_add_test(tcase, for_its_owner_only);
    tcase_add_test(tcase, no_database);
    tcase_add_test(tcase, database_of_a_newer_version);
    suite_add_tcase(suite, tcase);
    return harness_run(suite);
}
