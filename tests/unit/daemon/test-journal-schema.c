/* SPDX-License-Identifier: Apache-2.0 */
/* Files of every schema there has been are taken to the newest, whole or not at all, with what is in them. */
#include "harness.h"
#include "journal-schema.h"
#include "journal.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

static char *folder, *file;
static sd_event *event;

static void set_up(void) {
    folder = harness_folder();
    file = g_build_filename(folder, "journal.sqlite", NULL);
    ck_assert_int_ge(sd_event_new(&event), 0);
}

static void tear_down(void) {
    event = sd_event_unref(event);
    g_free(file);
    harness_remove(folder);
}

/* The tables as the first daemon made them, letter by letter: files in the field have these. */
static const char first_schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE consent(id TEXT PRIMARY KEY, uid INTEGER NOT NULL, backend TEXT NOT NULL, transaction_id TEXT NOT "
    "NULL,"
    " requester TEXT NOT NULL, purpose TEXT NOT NULL, level TEXT NOT NULL, subject_masked TEXT NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, opened_at INTEGER NOT NULL, state TEXT NOT NULL,"
    " error TEXT NOT NULL DEFAULT '', fingerprint TEXT NOT NULL DEFAULT '', certificate BLOB, mechanism INTEGER NOT "
    "NULL DEFAULT 0,"
    " idempotency_key TEXT NOT NULL DEFAULT '', signed_at INTEGER NOT NULL DEFAULT 0, receipt_id TEXT NOT NULL DEFAULT "
    "'',"
    " submitted_at INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX consent_by_uid ON consent(uid, opened_at);"
    "CREATE INDEX consent_unfinished ON consent(state) WHERE state NOT IN ('done','failed','cancelled','expired');"
    "CREATE TABLE text(consent TEXT NOT NULL, position INTEGER NOT NULL, title TEXT NOT NULL, media_type TEXT NOT NULL,"
    " sha256 TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(consent, position)) WITHOUT ROWID;"
    "CREATE TABLE signature(consent TEXT NOT NULL, position INTEGER NOT NULL, cms BLOB NOT NULL,"
    " PRIMARY KEY(consent, position)) WITHOUT ROWID;"
    "PRAGMA user_version=1;";

#define CONSENTS                                                                                                       \
    "INSERT INTO meta VALUES('installation-key', x'"                                                                   \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');"                                              \
    "INSERT INTO consent(id,uid,backend,transaction_id,requester,purpose,level,subject_masked,created_at,expires_at,"  \
    "opened_at,state,fingerprint,certificate,signed_at,receipt_id,submitted_at) VALUES"                                \
    "('one',1000,'local','t','R','p','B-B','100******46',1,2,3,'done','f',x'00',5,'receipt',6),"                       \
    "('two',1001,'local','t','R','p','B-B','',1,2,4,'submitting','f',x'00',5,'',0);"                                   \
    "INSERT INTO text VALUES('one',0,'T','text/plain','ab',x'74657874'),('two',0,'T','text/plain','ab',x'74');"        \
    "INSERT INTO signature VALUES('one',0,x'636d73'),('two',0,x'636d73');"

static sqlite3 *open_file(void) {
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql) {
    char *why = NULL;
    sqlite3_exec(db, sql, NULL, NULL, &why);
    ck_assert_msg(!why, "%s: %s", sql, why);
}

static int append_row(void *userdata, int n, char **values, char **names) {
    (void)names;
    for (int i = 0; i < n; i++)
        g_string_append_printf(userdata, "%s|", values[i] ? values[i] : "NULL");
    g_string_append_c(userdata, '\n');
    return 0;
}

static char *ask(sqlite3 *db, const char *sql) {
    GString *answer = g_string_new(NULL);
    ck_assert_int_eq(sqlite3_exec(db, sql, append_row, answer, NULL), SQLITE_OK);
    return g_string_free(answer, FALSE);
}

static void assert_answer(const char *sql, const char *wanted) {
    sqlite3 *db = open_file();
    g_autofree char *answer = ask(db, sql);
    ck_assert_str_eq(answer, wanted);
    sqlite3_close(db);
}

static char *tables_of(sqlite3 *db) {
    return ask(db, "SELECT type, name, tbl_name, replace(replace(sql, '  ', ' '), char(10), ' ') FROM sqlite_schema"
                   " ORDER BY type, name");
}

START_TEST(the_first_step_is_what_it_was) {
    sqlite3 *frozen = NULL, *now = NULL;
    ck_assert_int_eq(sqlite3_open(":memory:", &frozen), SQLITE_OK);
    ck_assert_int_eq(sqlite3_open(":memory:", &now), SQLITE_OK);
    run(frozen, first_schema);
    ck_assert_int_eq(journal_schema_upgrade(now, 1), SQLITE_OK);
    g_autofree char *was = tables_of(frozen);
    g_autofree char *is = tables_of(now);
    ck_assert_str_eq(is, was);
    sqlite3_close(frozen);
    sqlite3_close(now);
}
END_TEST

/* Row by row and with the key that all ids depend on. */
static void assert_kept(void) {
    Journal *journal = NULL;
    ck_assert_int_eq(journal_new(event, folder, &journal), 0);
    ck_assert_msg(!journal_problem(journal), "%s", journal_problem(journal));
    ck_assert_uint_eq(journal_installation_key(journal)[31], 0x1f);
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
    const JournalQuery query = {.any_uid = true, .with_signatures = true};
    ck_assert_int_eq(journal_list(journal, &query, list), 0);
    ck_assert_uint_eq(list->len, 2);
    const JournalRecord *two = list->pdata[0], *one = list->pdata[1];
    ck_assert_str_eq(two->id, "two");
    ck_assert_str_eq(two->state, "submitting");
    ck_assert_str_eq(one->receipt_id, "receipt");
    ck_assert_uint_eq(one->submitted_at, 6);
    ck_assert_uint_eq(one->signatures->len, 1);
    g_autoptr(GBytes) evidence = NULL;
    ck_assert_int_eq(journal_export(journal, "one", false, 1000, &evidence), 0);
    journal_ended(journal, "two", "expired", "CodeExpired", NULL, NULL);
    journal_free(journal);
    assert_answer("SELECT state FROM consent WHERE id='two'", "expired|\n");
}

START_TEST(a_file_of_each_schema) {
    sqlite3 *db = open_file();
    if (_i == 1)
        run(db, first_schema);
    else
        ck_assert_int_eq(journal_schema_upgrade(db, _i), SQLITE_OK);
    run(db, CONSENTS);
    sqlite3_close(db);
    assert_kept();
    g_autofree char *newest = g_strdup_printf("%d|\n", journal_schema_newest());
    assert_answer("PRAGMA user_version", newest);
    assert_answer("PRAGMA integrity_check", "ok|\n");
}
END_TEST

START_TEST(step_by_step_is_the_same_as_at_once) {
    sqlite3 *slow = NULL, *fast = NULL;
    ck_assert_int_eq(sqlite3_open(":memory:", &slow), SQLITE_OK);
    ck_assert_int_eq(sqlite3_open(":memory:", &fast), SQLITE_OK);
    for (int version = 1; version <= journal_schema_newest(); version++) {
        ck_assert_int_eq(journal_schema_upgrade(slow, version), SQLITE_OK);
        ck_assert_int_eq(journal_schema_version(slow), version);
    }
    ck_assert_int_eq(journal_schema_upgrade(fast, journal_schema_newest()), SQLITE_OK);
    g_autofree char *a = tables_of(slow);
    g_autofree char *b = tables_of(fast);
    ck_assert_str_eq(a, b);
    sqlite3_close(slow);
    sqlite3_close(fast);
}
END_TEST

/* A table of its own costs an update more than all the rest. */
START_TEST(a_step_of_a_consent_makes_no_table) {
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    ck_assert_int_eq(journal_schema_upgrade(db, journal_schema_newest()), SQLITE_OK);
    g_autofree char *plan = ask(db, "EXPLAIN UPDATE consent SET state='submitting', signed_at=1 WHERE id='a'");
    ck_assert_ptr_nonnull(strstr(plan, "IdxInsert"));
    ck_assert_ptr_null(strstr(plan, "OpenEphemeral"));
    g_autofree char *search =
        ask(db, "EXPLAIN QUERY PLAN SELECT id FROM consent WHERE " JOURNAL_UNFINISHED " ORDER BY opened_at DESC");
    ck_assert_ptr_nonnull(strstr(search, "USING INDEX consent_unfinished"));
    sqlite3_close(db);
}
END_TEST

/* Of each: the journal is not usable, and the file is as it was. */
START_TEST(files_that_are_not_ours) {
    static const char *const foreign[] = {
        "PRAGMA user_version=99",
        "PRAGMA application_id=1234; CREATE TABLE consent(x); PRAGMA user_version=1",
        "CREATE TABLE consent(x); PRAGMA user_version=1",
        "CREATE TABLE consent(x)",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        g_remove(file);
        sqlite3 *db = open_file();
        run(db, foreign[i]);
        g_autofree char *before = tables_of(db);
        sqlite3_close(db);
        Journal *journal = NULL;
        ck_assert_int_eq(journal_new(event, folder, &journal), 0);
        ck_assert_msg(!journal_usable(journal), "%s", foreign[i]);
        journal_free(journal);
        db = open_file();
        g_autofree char *after = tables_of(db);
        ck_assert_str_eq(after, before);
        sqlite3_close(db);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("journal schema");
    TCase *tcase = tcase_create("journal schema");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_first_step_is_what_it_was);
    tcase_add_loop_test(tcase, a_file_of_each_schema, 1, journal_schema_newest() + 1);
    tcase_add_test(tcase, step_by_step_is_the_same_as_at_once);
    tcase_add_test(tcase, a_step_of_a_consent_makes_no_table);
    tcase_add_test(tcase, files_that_are_not_ours);
    suite_add_tcase(suite, tcase);
    return harness_run(suite);
}
