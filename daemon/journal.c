/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes of one turn of the event loop share a transaction. The commit is a deferred event of low priority, so
 * everything that has already arrived is worked on first; under constant load it is forced after JOURNAL_GROUP_USEC.
 * While a signature waits for its record, its token is already logging in: the flush costs no time of its own.
 */
#include "journal-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "eonay/plugin.h"
#include "journal-schema.h"
#include "log.h"
#include "messages.h"
#include "util.h"

#define JOURNAL_FILE       "journal.sqlite"
#define JOURNAL_GROUP_USEC 2000u

#define OPENED_SQL                                                                                                     \
    "INSERT INTO consent(id, uid, backend, transaction_id, requester, purpose, level, subject_masked, created_at,"     \
    " expires_at, opened_at, state) VALUES(?,?,?,?,?,?,?,?,?,?,?,'reviewing')"

#define SIGNING_SQL                                                                                                    \
    "UPDATE consent SET state='signing', fingerprint=?, certificate=?, mechanism=?, idempotency_key=?,"                \
    " confirmed_at=?, confirmed_by=? WHERE id=?"

static const char *const statement_sql[N_STATEMENTS] = {
    [STMT_BEGIN] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_ROLLBACK] = "ROLLBACK",
    [STMT_OPENED] = OPENED_SQL,
    [STMT_TEXT] = "INSERT INTO text(consent, position, title, media_type, sha256, bytes) VALUES(?,?,?,?,?,?)",
    [STMT_SIGNING] = SIGNING_SQL,
    [STMT_SIGNED] = "UPDATE consent SET state='submitting', signed_at=? WHERE id=?",
    [STMT_SIGNATURE] = "INSERT INTO signature(consent, position, cms) VALUES(?,?,?)",
    [STMT_DONE] = "UPDATE consent SET state='done', error='', receipt_id=?, submitted_at=? WHERE id=?",
    [STMT_ENDED] = "UPDATE consent SET state=?, error=? WHERE id=?",
    [STMT_HAS_SIGNED] = "SELECT 1 FROM consent WHERE uid=? AND fingerprint=? AND signed_at<>0 LIMIT 1",
    [STMT_OTHER_HAS_SIGNED] = "SELECT 1 FROM consent WHERE uid<>? AND fingerprint=? AND signed_at<>0 LIMIT 1",
};

static void journal_trouble(Journal *j, const char *what) {
    const char *why = j->db ? sqlite3_errmsg(j->db) : "cannot be opened";
    g_free(j->problem);
    j->problem = g_strdup_printf("%s: %s", what, why);
    log_event(LOG_ERR, MESSAGE_STORAGE_FAILED, NULL, "journal: %s", j->problem);
}

/* ---------------------------------------------------------------------------------------------- the transaction -- */

int journal_step(Journal *j, JournalStatement which) {
    sqlite3_stmt *s = j->statements[which];
    int r = sqlite3_step(s);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return r == SQLITE_DONE || r == SQLITE_ROW ? 0 : EONAY_ERROR_STORAGE_FAILED;
}

static void journal_commit(Journal *j) {
    if (!j->open)
        return;
    int r = j->failed ? EONAY_ERROR_STORAGE_FAILED : journal_step(j, STMT_COMMIT);
    if (r != 0) {
        if (!j->failed)
            journal_trouble(j, "a record could not be written");
        if (j->db && !sqlite3_get_autocommit(j->db))
            journal_step(j, STMT_ROLLBACK);
        if (j->audit)
            audit_chain_reload(j->audit);
    } else
        g_clear_pointer(&j->problem, g_free);
    j->open = j->failed = false;
    /* handlers write again: they get a transaction, and a list, of their own */
    GArray *before = j->delivered, *mine = j->waiting;
    j->delivered = mine;
    j->waiting = g_array_new(FALSE, FALSE, sizeof(Waiting));
    for (guint i = 0; i < mine->len; i++) {
        Waiting w = g_array_index(mine, Waiting, i);
        g_array_index(mine, Waiting, i).handler = NULL;
        if (w.handler)
            w.handler(r, w.userdata);
    }
    j->delivered = before;
    g_array_unref(mine);
    if (r == 0)
        journal_pay_owed(j);
}

static void forget_in(GArray *list, const void *userdata) {
    for (guint i = 0; list && i < list->len; i++)
        if (g_array_index(list, Waiting, i).userdata == userdata)
            g_array_index(list, Waiting, i).handler = NULL;
}

void journal_forget(Journal *j, const void *userdata) {
    forget_in(j->waiting, userdata);
    forget_in(j->delivered, userdata);
}

static int on_commit(sd_event_source *source, void *userdata) {
    (void)source;
    journal_commit(userdata);
    return 0;
}

bool journal_begin(Journal *j) {
    if (j->open)
        return !j->failed;
    j->open = true;
    sd_event_source_set_priority(j->commit, SD_EVENT_PRIORITY_IDLE);
    j->opened_at = (uint64_t)g_get_monotonic_time();
    j->failed = !j->db;
    if (j->db && journal_step(j, STMT_BEGIN) != 0) {
        j->failed = true;
        journal_trouble(j, "a transaction could not be begun");
    }
    sd_event_source_set_enabled(j->commit, SD_EVENT_ONESHOT);
    return !j->failed;
}

void journal_wrote(Journal *j, int r, JournalHandler handler, void *userdata) {
    if (r != 0 && !j->failed) {
        j->failed = true;
        journal_trouble(j, "a record could not be written");
    }
    Waiting w = {.handler = handler, .userdata = userdata};
    g_array_append_val(j->waiting, w);
}

void journal_settle(Journal *j, bool urgent) {
    if (urgent || (uint64_t)g_get_monotonic_time() - j->opened_at > JOURNAL_GROUP_USEC)
        sd_event_source_set_priority(j->commit, SD_EVENT_PRIORITY_IMPORTANT);
}

void journal_flush(Journal *j) {
    while (j->open)
        journal_commit(j);
}

/* ------------------------------------------------------------------------------------------------- the opening -- */

static int journal_prepare_key(Journal *j) {
    sqlite3_stmt *s = NULL;
    int r = sqlite3_prepare_v2(j->db, "SELECT value FROM meta WHERE key='installation-key'", -1, &s, NULL);
    if (r == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) == INSTALLATION_KEY) {
        memcpy(j->key, sqlite3_column_blob(s, 0), INSTALLATION_KEY);
        sqlite3_finalize(s);
        return SQLITE_OK;
    }
    sqlite3_finalize(s);
    if (r != SQLITE_OK)
        return r;
    r = sqlite3_prepare_v2(j->db, "INSERT INTO meta(key, value) VALUES('installation-key', ?)", -1, &s, NULL);
    if (r != SQLITE_OK)
        return r;
    sqlite3_bind_blob(s, 1, j->key, INSTALLATION_KEY, SQLITE_STATIC);
    r = sqlite3_step(s);
    sqlite3_finalize(s);
    return r == SQLITE_DONE ? SQLITE_OK : r;
}

static void sql_base64(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    const guchar *data = sqlite3_value_blob(values[0]);
    char *text = g_base64_encode(data ? data : (const guchar *)"", (gsize)sqlite3_value_bytes(values[0]));
    sqlite3_result_text(context, text, -1, g_free);
}

static int journal_prepare_statements(Journal *j) {
    int r = SQLITE_OK;
    for (int i = 0; r == SQLITE_OK && i < N_STATEMENTS; i++)
        r = sqlite3_prepare_v3(j->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &j->statements[i], NULL);
    return r == SQLITE_OK ? audit_chain_open(j->db, &j->audit) : r;
}

/* All or nothing; and a file in which our statements do not work is not ours to change. */
static int journal_upgrade(Journal *j) {
    if (journal_schema_version(j->db) == journal_schema_newest())
        return journal_prepare_statements(j); /* nothing to write: a full disk is no reason not to read */
    int r = sqlite3_exec(j->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (r != SQLITE_OK)
        return r;
    r = journal_schema_upgrade(j->db, journal_schema_newest());
    if (r == SQLITE_OK)
        r = journal_prepare_statements(j);
    if (r == SQLITE_OK)
        return sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL);
    sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

static int journal_open_database(Journal *j, const char *path) {
    int r = sqlite3_open_v2(path, &j->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (r != SQLITE_OK)
        return r;
    sqlite3_busy_timeout(j->db, 1000);
    sqlite3_create_function(j->db, "base64", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, sql_base64, NULL, NULL);
    r = sqlite3_exec(
        j->db, "PRAGMA synchronous=FULL; PRAGMA cache_size=-256; PRAGMA trusted_schema=OFF; PRAGMA secure_delete=ON;",
        NULL, NULL, NULL);
    if (r == SQLITE_OK)
        r = journal_upgrade(j);
    if (r == SQLITE_OK) /* only now is it certainly ours to write to */
        r = sqlite3_exec(j->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    return r == SQLITE_OK ? journal_prepare_key(j) : r;
}

static void journal_close_database(Journal *j) {
    for (int i = 0; i < N_STATEMENTS; i++) {
        sqlite3_finalize(j->statements[i]);
        j->statements[i] = NULL;
    }
    j->audit = audit_chain_free(j->audit);
    sqlite3_close(j->db);
    j->db = NULL;
}

int journal_new(sd_event *event, const char *folder, Journal **ret) {
    g_autofree char *path = g_build_filename(folder, JOURNAL_FILE, NULL);
    Journal *j = g_new0(Journal, 1);
    j->event = event;
    j->waiting = g_array_new(FALSE, FALSE, sizeof(Waiting));
    j->owed = g_ptr_array_new_with_free_func(owed_done_free);
    if (getrandom(j->key, sizeof(j->key), 0) != sizeof(j->key))
        g_error("no random numbers");
    int r = sd_event_add_defer(event, &j->commit, on_commit, j);
    if (r < 0) {
        journal_free(j);
        return r;
    }
    sd_event_source_set_enabled(j->commit, SD_EVENT_OFF);
    sd_event_source_set_priority(j->commit, SD_EVENT_PRIORITY_IDLE);
    g_mkdir_with_parents(folder, 0700);
    mode_t mask = umask(0077);
    if (journal_open_database(j, path) != SQLITE_OK) {
        journal_trouble(j, path);
        journal_close_database(j);
    }
    umask(mask);
    *ret = j;
    return 0;
}

Journal *journal_free(Journal *j) {
    if (!j)
        return NULL;
    journal_flush(j);
    journal_close_database(j);
    sd_event_source_unref(j->commit);
    g_array_unref(j->waiting);
    g_ptr_array_unref(j->owed);
    g_free(j->problem);
    g_free(j);
    return NULL;
}

bool journal_usable(const Journal *j) {
    return j->db;
}

const char *journal_problem(const Journal *j) {
    return j->problem;
}

const uint8_t *journal_installation_key(const Journal *j) {
    return j->key;
}

static bool found_signer(Journal *j, JournalStatement which, uid_t uid, const char *fingerprint) {
    if (!j->db)
        return false;
    sqlite3_stmt *s = j->statements[which];
    sqlite3_bind_int64(s, 1, uid);
    journal_bind_text(s, 2, fingerprint);
    bool found = sqlite3_step(s) == SQLITE_ROW;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return found;
}

bool journal_has_signed(Journal *j, uid_t uid, const char *fingerprint) {
    return found_signer(j, STMT_HAS_SIGNED, uid, fingerprint);
}

bool journal_is_others(Journal *j, uid_t uid, const char *fingerprint) {
    return found_signer(j, STMT_OTHER_HAS_SIGNED, uid, fingerprint) &&
           !found_signer(j, STMT_HAS_SIGNED, uid, fingerprint);
}

sqlite3 *journal_database(Journal *j) {
    return j->db;
}
