/* SPDX-License-Identifier: Apache-2.0 */
/* The audit chain: whatever is done to the file behind the daemon's back shows, and what the daemon does does not. */
#include "audit-verify.h"
#include "harness.h"
#include "journal-private.h"

#include <eonay/plugin.h>
#include <malloc.h>
#include <string.h>

#define UID 1000u

static char *folder;
static sd_event *event;
static Journal *journal;
static uint64_t confirmed_at; /* of what is signed next */

static void set_up(void) {
    confirmed_at = 66;
    folder = harness_folder();
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(journal_new(event, folder, &journal), 0);
}

static void tear_down(void) {
    journal = journal_free(journal);
    event = sd_event_unref(event);
    harness_remove(folder);
}

static void open_consent(const char *id) {
    g_autoptr(GBytes) bytes = g_bytes_new_static("text", 4);
    const JournalText text = {.title = "T", .media_type = "text/plain", .sha256 = "ab", .bytes = bytes};
    const JournalConsent consent = {.id = id,
                                    .uid = UID,
                                    .backend = "local",
                                    .transaction = "t",
                                    .requester = "R",
                                    .purpose = "p",
                                    .level = "B-B",
                                    .subject_masked = "100******46",
                                    .created_at = 1,
                                    .expires_at = 2,
                                    .opened_at = 3,
                                    .texts = &text,
                                    .n_texts = 1};
    journal_opened(journal, &consent, NULL, NULL);
}

static void sign_consent(const char *id) {
    g_autoptr(GBytes) certificate = g_bytes_new_static("cert", 4);
    const JournalSigning signing = {.fingerprint = "fingerprint",
                                    .certificate = certificate,
                                    .mechanism = 1,
                                    .idempotency_key = "key",
                                    .confirmed_at = confirmed_at,
                                    .confirmed_by = "agent"};
    journal_signing(journal, id, &signing, NULL, NULL);
}

static void finish_consent(const char *id) {
    g_autoptr(GBytes) cms = g_bytes_new_static("cms", 3);
    GBytes *const list[] = {cms};
    journal_signed(journal, id, 77, list, 1, NULL, NULL);
    journal_done(journal, id, "receipt", 78, NULL, NULL);
}

/* One signed at the second try, one cancelled, one that is still open. */
static void some_consents(void) {
    open_consent("signed");
    sign_consent("signed");
    journal_ended(journal, "signed", "reviewing", NULL, NULL, NULL);
    sign_consent("signed");
    finish_consent("signed");
    open_consent("cancelled");
    journal_ended(journal, "cancelled", "cancelled", "Cancelled", NULL, NULL);
    open_consent("open");
    journal_flush(journal);
}

static AuditHead head_now(void) {
    AuditHead head;
    ck_assert_int_eq(audit_head(journal->audit, &head), SQLITE_OK);
    return head;
}

static void run(const char *sql) {
    char *why = NULL;
    journal_flush(journal);
    sqlite3_exec(journal_database(journal), sql, NULL, NULL, &why);
    ck_assert_msg(!why, "%s: %s", sql, why);
}

static AuditReport verify(const AuditHead *noted) {
    AuditVerification *walk = NULL;
    journal_flush(journal);
    ck_assert_int_eq(audit_verification_new(journal_database(journal), noted, &walk), SQLITE_OK);
    while (!audit_verification_step(walk))
        ;
    AuditReport report = *audit_verification_report(walk);
    audit_verification_free(walk);
    return report;
}

static void assert_failure(const char *what, const char *wanted) {
    AuditReport report = verify(NULL);
    ck_assert_msg(strcmp(audit_failure_name(report.failure), wanted) == 0, "%s: %s instead of %s", what,
                  audit_failure_name(report.failure), wanted);
}

START_TEST(whole) {
    assert_failure("nothing yet", "");
    some_consents();
    AuditReport report = verify(NULL);
    ck_assert_int_eq(report.failure, AUDIT_FAILURE_NONE);
    ck_assert_uint_eq(report.entries, 9);
    ck_assert_uint_eq(report.consents, 3);
    ck_assert_uint_eq(report.head.sequence, 9);
    AuditHead head = head_now();
    ck_assert_mem_eq(report.head.chain, head.chain, AUDIT_HASH);
}
END_TEST

START_TEST(goes_on_after_a_restart) {
    some_consents();
    journal_free(journal);
    ck_assert_int_eq(journal_new(event, folder, &journal), 0);
    ck_assert_uint_eq(head_now().sequence, 9);
    journal_ended(journal, "open", "expired", "CodeExpired", NULL, NULL);
    assert_failure("after a restart", "");
}
END_TEST

static unsigned entries_that_say(const char *what) {
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify)journal_audit_entry_free);
    unsigned n = 0;
    ck_assert_int_eq(journal_list_audit(journal, NULL, true, UID, 100, entries), 0);
    for (guint i = 0; i < entries->len; i++)
        n += strstr(((JournalAuditEntry *)entries->pdata[i])->facts, what) != NULL;
    return n;
}

/* Entries of a daemon that did not record it yet say nothing of it, and hold as they did. */
START_TEST(when_it_was_confirmed) {
    some_consents();
    ck_assert_uint_eq(entries_that_say("confirmed_at=66\nconfirmed_by=agent\n"), 2);
    confirmed_at = 0;
    open_consent("old");
    sign_consent("old");
    finish_consent("old");
    ck_assert_uint_eq(entries_that_say("confirmed"), 2);
    assert_failure("before it was recorded", "");
}
END_TEST

static char *import_one(void) {
    static const char text[] = "{\"format\":\"org.eonay.evidence\"}";
    g_autoptr(GBytes) record = g_bytes_new_static(text, strlen(text));
    g_autoptr(GBytes) container = g_bytes_new_static("zip", 3);
    char *id = NULL;
    ck_assert_int_eq(journal_import(journal, UID, record, container, &id), 0);
    return id;
}

START_TEST(imported) {
    some_consents();
    g_autofree char *id = import_one();
    ck_assert_uint_eq(entries_that_say("evidence="), 1);
    assert_failure("imported", "");
    journal_viewed(journal, id, UID + 1);
    assert_failure("viewed", "");
    ck_assert_int_eq(journal_erase(journal, id, false, UID, "owner"), 0);
    assert_failure("erased", "");
    g_free(import_one());
    run("UPDATE imported SET container='other'");
    assert_failure("changed", "record");
    run("UPDATE imported SET container='zip', id='other'");
    assert_failure("renamed", "missing");
}
END_TEST

START_TEST(imported_behind_its_back) {
    some_consents();
    run("INSERT INTO imported VALUES('more', 1000, 5, '{}', 'zip')");
    assert_failure("put there", "unknown");
}
END_TEST

/* A transaction that failed leaves no entry, and the next ones follow the last that is there. */
START_TEST(what_was_rolled_back) {
    some_consents();
    open_consent("signed"); /* there is one of that name: the whole moment fails */
    open_consent("fresh");
    journal_flush(journal);
    ck_assert_uint_eq(head_now().sequence, 9);
    open_consent("fresh");
    journal_flush(journal);
    ck_assert_uint_eq(head_now().sequence, 10);
    assert_failure("after a rollback", "");
}
END_TEST

static const struct {
    const char *sql, *failure;
} tampering[] = {
    {"UPDATE text SET bytes='other' WHERE consent='signed'", "record"},
    {"UPDATE text SET title='other' WHERE consent='open'", "record"},
    {"DELETE FROM text WHERE consent='cancelled'", "record"},
    {"UPDATE consent SET requester='other' WHERE id='open'", "record"},
    {"UPDATE consent SET uid=1001 WHERE id='signed'", "record"},
    {"UPDATE consent SET certificate='other' WHERE id='signed'", "record"},
    {"UPDATE consent SET signed_at=99 WHERE id='signed'", "record"},
    {"UPDATE consent SET confirmed_at=65 WHERE id='signed'", "record"},
    {"UPDATE consent SET confirmed_at=0 WHERE id='signed'", "record"},
    {"UPDATE consent SET confirmed_by='caller' WHERE id='signed'", "record"},
    {"UPDATE consent SET receipt_id='other' WHERE id='signed'", "record"},
    {"UPDATE signature SET cms='other'", "record"},
    {"INSERT INTO signature VALUES('signed', 1, 'more')", "record"},
    {"UPDATE consent SET state='done' WHERE id='open'", "state"},
    {"UPDATE consent SET state='expired' WHERE id='signed'", "state"},
    {"UPDATE consent SET error='other' WHERE id='cancelled'", "state"},
    {"DELETE FROM consent WHERE id='open'", "missing"},
    {"INSERT INTO consent SELECT 'more', uid, backend, transaction_id, requester, purpose, level, subject_masked,"
     " created_at, expires_at, opened_at, state, error, fingerprint, certificate, mechanism, idempotency_key, "
     "signed_at,"
     " receipt_id, submitted_at, confirmed_at, confirmed_by FROM consent WHERE id='open'",
     "unknown"},
    {"DELETE FROM audit WHERE sequence=4", "sequence"},
    {"DELETE FROM audit WHERE sequence=1", "sequence"},
    {"UPDATE audit SET sequence=99 WHERE sequence=9", "sequence"},
    {"UPDATE audit SET at=at+1 WHERE sequence=4", "chain"},
    {"UPDATE audit SET kind='done' WHERE sequence=7", "chain"},
    {"UPDATE audit SET digest=zeroblob(32) WHERE sequence=2", "chain"},
    {"UPDATE audit SET chain=zeroblob(32) WHERE sequence=9", "chain"},
    {"UPDATE audit SET chain='short' WHERE sequence=5", "chain"},
    {"UPDATE audit SET facts='state=done' WHERE sequence=8", "digest"},
    {"UPDATE audit SET uid=0 WHERE sequence=8", "digest"},
    {"UPDATE audit SET consent='open' WHERE sequence=3", "digest"},
    {"UPDATE audit SET salt=zeroblob(16) WHERE sequence=8", "digest"},
    {"UPDATE audit SET consent=NULL, uid=NULL, facts=NULL, salt=NULL WHERE sequence=3", "erased"},
    {"UPDATE audit SET consent=NULL, uid=NULL, facts=NULL, salt=NULL, erased_by=9 WHERE sequence=3", "erased"},
    {"UPDATE audit SET salt=NULL WHERE sequence=8", "erased"},
};

START_TEST(tampering_shows) {
    some_consents();
    assert_failure("before", "");
    run(tampering[_i].sql);
    assert_failure(tampering[_i].sql, tampering[_i].failure);
}
END_TEST

/* The newest entries cut off, or the whole made anew: only who noted the head notices. */
START_TEST(a_noted_head) {
    some_consents();
    AuditHead noted = head_now(), early = noted;
    ck_assert_int_eq(verify(&noted).failure, AUDIT_FAILURE_NONE);
    journal_ended(journal, "open", "expired", "CodeExpired", NULL, NULL);
    ck_assert_int_eq(verify(&noted).failure, AUDIT_FAILURE_NONE);
    early.sequence = 4;
    ck_assert_int_eq(verify(&early).failure, AUDIT_FAILURE_HEAD);
    noted = head_now();
    run("DELETE FROM audit WHERE sequence=10; UPDATE consent SET state='reviewing', error='' WHERE id='open'");
    ck_assert_int_eq(verify(NULL).failure, AUDIT_FAILURE_NONE);
    ck_assert_int_eq(verify(&noted).failure, AUDIT_FAILURE_HEAD);
}
END_TEST

static bool file_holds(const char *name, const char *needle) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *content = NULL;
    gsize size;
    return g_file_get_contents(path, &content, &size, NULL) && memmem(content, size, needle, strlen(needle));
}

START_TEST(erased_for_good) {
    some_consents();
    ck_assert(file_holds("journal.sqlite", "cancelled") || file_holds("journal.sqlite-wal", "cancelled"));
    ck_assert_int_eq(journal_erase(journal, "cancelled", false, UID + 1, "owner"), EONAY_ERROR_NOT_FOUND);
    ck_assert_int_eq(journal_erase(journal, "never", true, UID, "manager"), EONAY_ERROR_NOT_FOUND);
    ck_assert_int_eq(journal_erase(journal, "open", false, UID, "owner"), EONAY_ERROR_BUSY);
    ck_assert_int_eq(journal_erase(journal, "signed", false, UID, "owner"), 0);
    for (size_t i = 0; i < 3; i++) {
        const char *gone = ((const char *[]){"fingerprint", "receipt", "cms"})[i];
        const char *word = i == 2 ? "cmscms" : gone; /* "cms" is the name of a column as well */
        ck_assert_msg(!file_holds("journal.sqlite-wal", word), "%s is left", gone);
    }
    g_autoptr(GBytes) json = NULL;
    ck_assert_int_eq(journal_export(journal, "signed", true, UID, &json), EONAY_ERROR_NOT_FOUND);
    AuditReport report = verify(NULL);
    ck_assert_int_eq(report.failure, AUDIT_FAILURE_NONE);
    ck_assert_uint_eq(report.erased, 6);
    ck_assert_uint_eq(report.entries, 10);
    ck_assert_uint_eq(report.consents, 2);
    run("UPDATE audit SET facts='entries=1' WHERE sequence=10");
    assert_failure("the eraser changed", "erased");
}
END_TEST

START_TEST(nothing_left_in_the_files) {
    open_consent("5f0a1b2c3d4e5f60718293a4b5c6d7e8");
    journal_ended(journal, "5f0a1b2c3d4e5f60718293a4b5c6d7e8", "cancelled", "Cancelled", NULL, NULL);
    open_consent("open");
    journal_flush(journal);
    ck_assert(file_holds("journal.sqlite-wal", "5f0a1b2c3d4e5f60718293a4b5c6d7e8"));
    ck_assert_int_eq(journal_erase(journal, "5f0a1b2c3d4e5f60718293a4b5c6d7e8", false, UID, "owner"), 0);
    ck_assert(!file_holds("journal.sqlite", "5f0a1b2c3d4e5f60718293a4b5c6d7e8"));
    ck_assert(!file_holds("journal.sqlite-wal", "5f0a1b2c3d4e5f60718293a4b5c6d7e8"));
}
END_TEST

START_TEST(kept_as_long_as_wanted) {
    unsigned n = 0;
    some_consents(); /* opened at 3; the signed one submitted at 78 */
    ck_assert_int_eq(journal_erase_older(journal, 3, &n), 0);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(journal_erase_older(journal, 50, &n), 0);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(journal_erase_older(journal, 1000, &n), 0);
    ck_assert_uint_eq(n, 1); /* the open one stays, however old */
    ck_assert_int_eq(journal_erase_older(journal, 1000, &n), 0);
    ck_assert_uint_eq(n, 0);
    AuditReport report = verify(NULL);
    ck_assert_int_eq(report.failure, AUDIT_FAILURE_NONE);
    ck_assert_uint_eq(report.consents, 1);
}
END_TEST

/* Consents of a daemon without the chain get their entry when it begins. */
START_TEST(adopted) {
    some_consents();
    run("DROP TABLE audit; DROP TABLE imported; DROP INDEX consent_by_signer; ALTER TABLE consent DROP COLUMN "
        "confirmed_at;"
        " ALTER TABLE consent DROP COLUMN confirmed_by; PRAGMA user_version=1");
    journal_free(journal);
    ck_assert_int_eq(journal_new(event, folder, &journal), 0);
    ck_assert_msg(!journal_problem(journal), "%s", journal_problem(journal));
    AuditReport report = verify(NULL);
    ck_assert_int_eq(report.failure, AUDIT_FAILURE_NONE);
    ck_assert_uint_eq(report.entries, 3);
    journal_ended(journal, "open", "expired", "CodeExpired", NULL, NULL);
    assert_failure("an adopted one ended", "");
    run("UPDATE text SET bytes='other' WHERE consent='open'");
    assert_failure("an adopted one changed", "record");
}
END_TEST

/* Linear, and the same memory for ten times as many: what is allocated does not grow with the entries. */
START_TEST(many_entries) {
    size_t before = 0, after = 0;
    for (unsigned round = 0; round < 2; round++) {
        unsigned many = round == 0 ? 2000 : 20000;
        for (unsigned i = 0; i < many; i++) {
            g_autofree char *id = g_strdup_printf("%u-%u", round, i);
            open_consent(id);
            sign_consent(id);
            finish_consent(id);
            journal_ended(journal, id, "done", NULL, NULL, NULL);
        }
        AuditVerification *walk = NULL;
        journal_flush(journal);
        ck_assert_int_eq(audit_verification_new(journal_database(journal), NULL, &walk), SQLITE_OK);
        size_t most = 0;
        bool over;
        do {
            over = audit_verification_step(walk);
            size_t now = mallinfo2().uordblks;
            most = now > most ? now : most;
        } while (!over);
        ck_assert_int_eq(audit_verification_report(walk)->failure, AUDIT_FAILURE_NONE);
        audit_verification_free(walk);
        *(round == 0 ? &before : &after) = most;
    }
    ck_assert_uint_eq(head_now().sequence, 5 * 22000);
    ck_assert_msg(after < before + 256 * 1024, "%zu bytes with 10,000 entries, %zu with 110,000", before, after);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("audit");
    TCase *tcase = tcase_create("audit");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, whole);
    tcase_add_test(tcase, goes_on_after_a_restart);
    tcase_add_test(tcase, when_it_was_confirmed);
    tcase_add_test(tcase, imported);
    tcase_add_test(tcase, imported_behind_its_back);
    tcase_add_test(tcase, what_was_rolled_back);
    tcase_add_loop_test(tcase, tampering_shows, 0, G_N_ELEMENTS(tampering));
    tcase_add_test(tcase, a_noted_head);
    tcase_add_test(tcase, erased_for_good);
    tcase_add_test(tcase, nothing_left_in_the_files);
    tcase_add_test(tcase, kept_as_long_as_wanted);
    tcase_add_test(tcase, adopted);
    tcase_add_test(tcase, many_entries);
    suite_add_tcase(suite, tcase);
    return harness_run(suite);
}
