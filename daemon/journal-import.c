/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence from elsewhere: the container as it came, and its record for the lists. What the record says is what
 * somebody wrote there once; it is read as text and numbers, whatever it is.
 */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "digest.h"
#include "eonay/plugin.h"
#include "journal-private.h"

typedef sqlite3_stmt Query;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Query, sqlite3_finalize)

static Query *prepare(Journal *j, const char *sql) {
    Query *s = NULL;
    return sqlite3_prepare_v2(journal_database(j), sql, -1, &s, NULL) == SQLITE_OK ? s : NULL;
}

/* The number that a statement asks for; -1 when it cannot be told. */
static int64_t number_of(Query *s) {
    return s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
}

static bool is_record(Journal *j, GBytes *record) {
    gsize size;
    const char *text = g_bytes_get_data(record, &size);
    if (size == 0 || !g_utf8_validate(text, (gssize)size, NULL))
        return false;
    g_autoptr(Query) s = prepare(j, "SELECT iif(json_valid(?1), coalesce(json_extract(?1,'$.format')="
                                    "'org.eonay.evidence', 0), 0)");
    if (s)
        sqlite3_bind_text64(s, 1, text, size, SQLITE_STATIC, SQLITE_UTF8);
    return number_of(s) == 1;
}

/* Names the container and its user, so that two users may have the same one. */
static char *id_of(uid_t uid, GBytes *container) {
    g_autofree char *whose = g_strdup_printf("%u\n", (unsigned)uid);
    char hex[DIGEST_HEX];
    gsize size;
    const void *bytes = g_bytes_get_data(container, &size);
    Digest *sum = digest_new();
    digest_add(sum, whose, strlen(whose));
    digest_add(sum, bytes, size);
    digest_end_hex(sum, hex);
    return g_strdup_printf("imported-%.32s", hex);
}

static int64_t count(Journal *j, const char *sql, const char *id, uid_t uid) {
    g_autoptr(Query) s = prepare(j, sql);
    if (s) {
        sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, uid);
    }
    return number_of(s);
}

static int insert(Journal *j, const char *id, uid_t uid, GBytes *record, GBytes *container) {
    g_autoptr(Query) s = prepare(j, "INSERT INTO imported(id, uid, imported_at, record, container) VALUES(?,?,?,?,?)");
    gsize text_size, size;
    const char *text = g_bytes_get_data(record, &text_size);
    const void *bytes = g_bytes_get_data(container, &size);
    if (!s)
        return EONAY_ERROR_STORAGE_FAILED;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, uid);
    sqlite3_bind_int64(s, 3, g_get_real_time());
    sqlite3_bind_text64(s, 4, text, text_size, SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_blob64(s, 5, bytes, size, SQLITE_STATIC);
    return sqlite3_step(s) == SQLITE_DONE && audit_append(j->audit, AUDIT_IMPORTED, id, NULL) == SQLITE_OK
               ? 0
               : EONAY_ERROR_STORAGE_FAILED;
}

static void note_result(int r, void *userdata) {
    *(int *)userdata = r;
}

int journal_import(Journal *j, uid_t uid, GBytes *record, GBytes *container, char **ret_id) {
    g_autofree char *id = id_of(uid, container);
    int committed = EONAY_ERROR_STORAGE_FAILED;
    journal_flush(j);
    if (!journal_database(j))
        return EONAY_ERROR_STORAGE_FAILED;
    if (!is_record(j, record))
        return EONAY_ERROR_FILE_INVALID;
    int64_t there = count(j, "SELECT count(*) FROM imported WHERE id=?1 AND ?2=?2", id, uid);
    int64_t all = count(j, "SELECT count(*) FROM imported WHERE uid=?2 AND ?1=?1", id, uid);
    if (there < 0 || all < 0)
        return EONAY_ERROR_STORAGE_FAILED;
    if (there == 0 && all >= EONAY_IMPORTS_PER_USER)
        return -ENOBUFS;
    if (there == 0) {
        int r = journal_begin(j) ? insert(j, id, uid, record, container) : EONAY_ERROR_STORAGE_FAILED;
        journal_wrote(j, r, note_result, &committed);
        journal_flush(j);
        if (committed != 0)
            return committed;
    }
    *ret_id = g_steal_pointer(&id);
    return 0;
}

int journal_export_imported(Journal *j, const char *id, bool any_uid, uid_t uid, GBytes **ret) {
    journal_flush(j);
    g_autoptr(Query) s =
        journal_database(j) ? prepare(j, "SELECT container FROM imported WHERE id=?1 AND (?2 OR uid=?3)") : NULL;
    if (!s)
        return EONAY_ERROR_STORAGE_FAILED;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, any_uid);
    sqlite3_bind_int64(s, 3, uid);
    int step = sqlite3_step(s);
    if (step != SQLITE_ROW)
        return step == SQLITE_DONE ? EONAY_ERROR_NOT_FOUND : EONAY_ERROR_STORAGE_FAILED;
    *ret = g_bytes_new(sqlite3_column_blob(s, 0), (gsize)sqlite3_column_bytes(s, 0));
    return 0;
}
