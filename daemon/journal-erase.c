/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record goes, the chain stays. Rows are deleted and the facts of their entries emptied, with SQLite's secure_delete,
 * and the write-ahead log is taken into the database and cut, so that nothing of it is left in the files.
 */
#include <string.h>

#include "eonay/plugin.h"
#include "journal-private.h"

#define RETENTION_SLICE 64 /* records in one transaction */

typedef sqlite3_stmt Query;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Query, sqlite3_finalize)

static int run(Journal *j, const char *sql, const char *id, uint64_t number) {
    g_autoptr(Query) s = NULL;
    if (sqlite3_prepare_v2(j->db, sql, -1, &s, NULL) != SQLITE_OK)
        return EONAY_ERROR_STORAGE_FAILED;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(s) > 1)
        sqlite3_bind_int64(s, 2, (sqlite3_int64)number);
    int r = sqlite3_step(s);
    return r == SQLITE_DONE ? 0 : EONAY_ERROR_STORAGE_FAILED;
}

/* 0: it is there, of this user, and at its end. */
static int check_erasable(Journal *j, const char *id, bool any_uid, uid_t uid) {
    g_autoptr(Query) s = NULL;
    if (sqlite3_prepare_v2(j->db,
                           "SELECT state IN ('done','failed','cancelled','expired') FROM consent"
                           " WHERE id=?1 AND (?2 OR uid=?3) UNION ALL"
                           " SELECT 1 FROM imported WHERE id=?1 AND (?2 OR uid=?3)",
                           -1, &s, NULL) != SQLITE_OK)
        return EONAY_ERROR_STORAGE_FAILED;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, any_uid);
    sqlite3_bind_int64(s, 3, uid);
    if (sqlite3_step(s) != SQLITE_ROW)
        return EONAY_ERROR_NOT_FOUND;
    return sqlite3_column_int(s, 0) ? 0 : EONAY_ERROR_BUSY;
}

/* "entries=3,5,9\nreason=owner\n" */
static char *list_entries(Journal *j, const char *id, const char *reason) {
    g_autoptr(Query) s = NULL;
    GString *facts = g_string_new("entries=");
    if (sqlite3_prepare_v2(j->db, "SELECT sequence FROM audit WHERE consent=? ORDER BY sequence", -1, &s, NULL) ==
        SQLITE_OK) {
        sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
        while (sqlite3_step(s) == SQLITE_ROW)
            g_string_append_printf(facts, "%s%" G_GINT64_FORMAT, g_str_has_suffix(facts->str, "=") ? "" : ",",
                                   (gint64)sqlite3_column_int64(s, 0));
    }
    g_string_append_printf(facts, "\nreason=%s\n", reason);
    return g_string_free(facts, FALSE);
}

static int erase_rows(Journal *j, const char *id, const char *reason) {
    g_autofree char *facts = list_entries(j, id, reason);
    static const char *const deletions[] = {"DELETE FROM signature WHERE consent=?", "DELETE FROM text WHERE consent=?",
                                            "DELETE FROM consent WHERE id=?", "DELETE FROM imported WHERE id=?"};
    /* the entry names no consent and no user: it is what may stay for ever */
    AuditHead head;
    if (audit_append(j->audit, AUDIT_ERASED, "", facts) != SQLITE_OK || audit_head(j->audit, &head) != SQLITE_OK)
        return EONAY_ERROR_STORAGE_FAILED;
    int r = run(j, "UPDATE audit SET consent=NULL, uid=NULL, facts=NULL, salt=NULL, erased_by=?2 WHERE consent=?1", id,
                head.sequence);
    for (size_t i = 0; r == 0 && i < G_N_ELEMENTS(deletions); i++)
        r = run(j, deletions[i], id, 0);
    return r;
}

static void note_result(int r, void *userdata) {
    *(int *)userdata = r;
}

static int commit_erasure(Journal *j, int r) {
    int committed = EONAY_ERROR_STORAGE_FAILED;
    journal_wrote(j, r, note_result, &committed);
    journal_flush(j);
    if (committed == 0)
        sqlite3_wal_checkpoint_v2(j->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return committed;
}

int journal_erase(Journal *j, const char *id, bool any_uid, uid_t uid, const char *reason) {
    journal_flush(j);
    if (!j->db)
        return EONAY_ERROR_STORAGE_FAILED;
    int r = check_erasable(j, id, any_uid, uid);
    if (r != 0)
        return r;
    if (!journal_begin(j)) {
        journal_flush(j);
        return EONAY_ERROR_STORAGE_FAILED;
    }
    return commit_erasure(j, erase_rows(j, id, reason));
}

static GPtrArray *list_older(Journal *j, uint64_t before) {
    g_autoptr(Query) s = NULL;
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    if (sqlite3_prepare_v2(j->db,
                           "SELECT id FROM consent WHERE max(opened_at, signed_at, submitted_at)<?1 AND"
                           " state IN ('done','failed','cancelled','expired') UNION ALL"
                           " SELECT id FROM imported WHERE imported_at<?1 LIMIT ?2",
                           -1, &s, NULL) != SQLITE_OK)
        return ids;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)before);
    sqlite3_bind_int(s, 2, RETENTION_SLICE);
    while (sqlite3_step(s) == SQLITE_ROW)
        g_ptr_array_add(ids, g_strdup((const char *)sqlite3_column_text(s, 0)));
    return ids;
}

int journal_erase_older(Journal *j, uint64_t before, unsigned *ret_n) {
    *ret_n = 0;
    journal_flush(j);
    if (!j->db)
        return EONAY_ERROR_STORAGE_FAILED;
    g_autoptr(GPtrArray) ids = list_older(j, before);
    if (ids->len == 0)
        return 0;
    if (!journal_begin(j)) {
        journal_flush(j);
        return EONAY_ERROR_STORAGE_FAILED;
    }
    int r = 0;
    for (guint i = 0; r == 0 && i < ids->len; i++)
        r = erase_rows(j, ids->pdata[i], "retention");
    r = commit_erasure(j, r);
    *ret_n = r == 0 ? ids->len : 0;
    return r;
}
