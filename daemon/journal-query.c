/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal is asked for later: lists, and the evidence of one consent, which SQLite itself writes as JSON. */
#include <sqlite3.h>
#include <string.h>

#include "eonay/plugin.h"
#include "journal-private.h"
#include "journal-schema.h"
#include "util.h"

typedef sqlite3_stmt Statement;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Statement, sqlite3_finalize)

void journal_record_free(JournalRecord *r) {
    char *strings[] = {
        r->id,    r->backend, r->transaction, r->requester,       r->purpose,    r->level,       r->subject_masked,
        r->state, r->error,   r->fingerprint, r->idempotency_key, r->receipt_id, r->confirmed_by};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_ptr_array_unref(r->signatures);
    g_free(r);
}

/* One condition alone for one user's, so that the index over users and times serves it: a page costs a page. */
#define LIST_SQL(which)                                                                                                \
    "SELECT id, backend, transaction_id, requester, purpose, level, subject_masked, state, error, fingerprint,"        \
    " idempotency_key, receipt_id, confirmed_by, uid, created_at, expires_at, opened_at, confirmed_at, signed_at, "    \
    "submitted_at FROM consent"                                                                                        \
    " WHERE " which " AND (?3='' OR id=?3) AND (?4='' OR state=?4)"                                                    \
    " ORDER BY opened_at DESC, id LIMIT ?6"

/* Of imported evidence, in the same columns; what its record lacks is "" or 0. */
#define RECORD_TEXT(key) "coalesce(json_extract(record,'$." key "'),''), "
#define IMPORTED_SQL                                                                                                   \
    "SELECT id, " RECORD_TEXT("backend") "'', " RECORD_TEXT("requester") RECORD_TEXT("purpose") RECORD_TEXT("level")   \
        RECORD_TEXT("subject_masked") "'" JOURNAL_IMPORTED "', '', " RECORD_TEXT(                                      \
            "certificate_sha256") "'', " RECORD_TEXT("receipt_id")                                                     \
            RECORD_TEXT(                                                                                               \
                "confirmed_by") "uid, json_extract(record,'$.created_at'),"                                            \
                                " json_extract(record,'$.expires_at'), json_extract(record,'$.opened_at') AS opened,"  \
                                " json_extract(record,'$.confirmed_at'), json_extract(record,'$.signed_at'),"          \
                                " json_extract(record,'$.submitted_at') FROM imported WHERE (?1 OR uid=?2) AND "       \
                                "(?3='' OR id=?3)"                                                                     \
                                " ORDER BY opened DESC, id LIMIT ?6"

/* The bus takes no broken UTF-8, and records from elsewhere may hold some behind their escapes. */
static char *column_string(Statement *s, int n) {
    const unsigned char *text = sqlite3_column_text(s, n);
    return text ? g_utf8_make_valid((const char *)text, -1) : g_strdup("");
}

static JournalRecord *read_record(Statement *s) {
    JournalRecord *r = g_new0(JournalRecord, 1);
    char **strings[] = {&r->id,          &r->backend,     &r->transaction,     &r->requester,
                        &r->purpose,     &r->level,       &r->subject_masked,  &r->state,
                        &r->error,       &r->fingerprint, &r->idempotency_key, &r->receipt_id,
                        &r->confirmed_by};
    uint64_t *times[] = {&r->created_at,   &r->expires_at, &r->opened_at,
                         &r->confirmed_at, &r->signed_at,  &r->submitted_at};
    int n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = column_string(s, n++);
    r->uid = (uid_t)sqlite3_column_int64(s, n++);
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        *times[i] = (uint64_t)sqlite3_column_int64(s, n++);
    r->signatures = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    return r;
}

static int read_signatures(Journal *j, JournalRecord *r) {
    g_autoptr(Statement) s = NULL;
    if (sqlite3_prepare_v2(journal_database(j), "SELECT cms FROM signature WHERE consent=? ORDER BY position", -1, &s,
                           NULL) != SQLITE_OK)
        return EONAY_ERROR_STORAGE_FAILED;
    sqlite3_bind_text(s, 1, r->id, -1, SQLITE_STATIC);
    int step;
    while ((step = sqlite3_step(s)) == SQLITE_ROW)
        g_ptr_array_add(r->signatures, g_bytes_new(sqlite3_column_blob(s, 0), (gsize)sqlite3_column_bytes(s, 0)));
    return step == SQLITE_DONE ? 0 : EONAY_ERROR_STORAGE_FAILED;
}

static int append_records(Journal *j, const char *sql, const JournalQuery *q, GPtrArray *ret) {
    g_autoptr(Statement) s = NULL;
    if (sqlite3_prepare_v2(journal_database(j), sql, -1, &s, NULL) != SQLITE_OK)
        return EONAY_ERROR_STORAGE_FAILED;
    sqlite3_bind_int(s, 1, q->any_uid);
    sqlite3_bind_int64(s, 2, q->uid);
    sqlite3_bind_text(s, 3, q->id ? q->id : "", -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, q->state ? q->state : "", -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 6, q->limit ? (sqlite3_int64)q->limit : -1);
    int step;
    while ((step = sqlite3_step(s)) == SQLITE_ROW)
        g_ptr_array_add(ret, read_record(s));
    return step == SQLITE_DONE ? 0 : EONAY_ERROR_STORAGE_FAILED;
}

static int newest_first(gconstpointer a, gconstpointer b) {
    const JournalRecord *x = *(JournalRecord *const *)a, *y = *(JournalRecord *const *)b;
    if (x->opened_at != y->opened_at)
        return x->opened_at > y->opened_at ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* What came from elsewhere, among the others. */
static int add_imported(Journal *j, const JournalQuery *q, GPtrArray *ret) {
    guint own = ret->len;
    if (q->unfinished || (q->state && strcmp(q->state, JOURNAL_IMPORTED) != 0))
        return 0;
    int r = append_records(j, IMPORTED_SQL, q, ret);
    if (r != 0 || ret->len == own)
        return r;
    g_ptr_array_sort(ret, newest_first);
    if (q->limit != 0 && ret->len > q->limit)
        g_ptr_array_set_size(ret, (gint)q->limit);
    return 0;
}

int journal_list(Journal *j, const JournalQuery *q, GPtrArray *ret) {
    journal_flush(j);
    if (!journal_database(j))
        return EONAY_ERROR_STORAGE_FAILED;
    const char *sql = q->unfinished ? LIST_SQL("(?1 OR uid=?2) AND " JOURNAL_UNFINISHED)
                      : q->any_uid  ? LIST_SQL("?2=?2")
                                    : LIST_SQL("uid=?2");
    int r = append_records(j, sql, q, ret);
    if (r == 0)
        r = add_imported(j, q, ret);
    for (guint i = 0; r == 0 && q->with_signatures && i < ret->len; i++)
        r = read_signatures(j, ret->pdata[i]);
    return r;
}

#define TEXT_HASHES_SQL                                                                                                \
    "SELECT sha256 FROM (SELECT sha256, position FROM text WHERE consent=?1 UNION ALL"                                 \
    " SELECT coalesce(json_extract(t.value,'$.sha256'),''), t.key FROM imported, json_each(record,'$.texts') AS t"     \
    " WHERE imported.id=?1 AND t.type='object') ORDER BY position"

char **journal_text_hashes(Journal *j, const char *id) {
    g_autoptr(Statement) s = NULL;
    if (!journal_database(j) || sqlite3_prepare_v2(journal_database(j), TEXT_HASHES_SQL, -1, &s, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    GPtrArray *hashes = g_ptr_array_new();
    while (sqlite3_step(s) == SQLITE_ROW)
        g_ptr_array_add(hashes, column_string(s, 0));
    g_ptr_array_add(hashes, NULL);
    return (char **)g_ptr_array_free(hashes, FALSE);
}

#define EXPORT_SQL                                                                                                     \
    "SELECT json_object('format','org.eonay.evidence','version',1,'consent_id',id,'state',state,'error',error,"        \
    "'backend',backend,'requester',requester,'purpose',purpose,'level',level,'subject_masked',subject_masked,"         \
    "'created_at',created_at,'opened_at',opened_at,'expires_at',expires_at,'confirmed_at',confirmed_at,'confirmed_by'" \
    ",confirmed_by,'signed_at',signed_at,"                                                                             \
    "'submitted_at',submitted_at,'receipt_id',receipt_id,'certificate_sha256',fingerprint,"                            \
    "'certificate_base64',iif(certificate IS NULL,'',base64(certificate)),"                                            \
    "'texts',(SELECT json_group_array(json_object('title',title,'media_type',media_type,'sha256',sha256,"              \
    "'bytes_base64',base64(bytes))) FROM (SELECT * FROM text WHERE consent=?1 ORDER BY position)),"                    \
    "'signatures_base64',(SELECT json_group_array(base64(cms)) FROM"                                                   \
    " (SELECT cms FROM signature WHERE consent=?1 ORDER BY position)))"                                                \
    " FROM consent WHERE id=?1 AND (?2 OR uid=?3)"

int journal_export(Journal *j, const char *id, bool any_uid, uid_t uid, GBytes **ret) {
    g_autoptr(Statement) s = NULL;
    journal_flush(j);
    if (!journal_database(j) || sqlite3_prepare_v2(journal_database(j), EXPORT_SQL, -1, &s, NULL) != SQLITE_OK)
        return EONAY_ERROR_STORAGE_FAILED;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, any_uid);
    sqlite3_bind_int64(s, 3, uid);
    int step = sqlite3_step(s);
    if (step == SQLITE_DONE)
        return EONAY_ERROR_NOT_FOUND;
    if (step != SQLITE_ROW)
        return EONAY_ERROR_STORAGE_FAILED;
    g_autofree char *json = g_strdup_printf("%s\n", (const char *)sqlite3_column_text(s, 0));
    *ret = g_bytes_new(json, strlen(json));
    return 0;
}

/* ------------------------------------------------------------------------------------------------ the audit chain --
 */

#define AUDIT_SQL                                                                                                      \
    "SELECT sequence, at, kind, consent, uid, facts, lower(hex(chain)) FROM audit"                                     \
    " WHERE (?1 OR uid=?2) AND (?3='' OR consent=?3) ORDER BY sequence DESC LIMIT ?4"

void journal_audit_entry_free(JournalAuditEntry *e) {
    g_free(e->kind);
    g_free(e->consent);
    g_free(e->facts);
    g_free(e->chain);
    g_free(e);
}

static JournalAuditEntry *read_audit_entry(Statement *s) {
    JournalAuditEntry *e = g_new0(JournalAuditEntry, 1);
    e->sequence = (uint64_t)sqlite3_column_int64(s, 0);
    e->at = (uint64_t)sqlite3_column_int64(s, 1);
    e->kind = column_string(s, 2);
    e->consent = column_string(s, 3);
    e->uid = (uid_t)sqlite3_column_int64(s, 4);
    e->facts = column_string(s, 5);
    e->chain = column_string(s, 6);
    return e;
}

int journal_list_audit(Journal *j, const char *id, bool any_uid, uid_t uid, uint32_t limit, GPtrArray *ret) {
    g_autoptr(Statement) s = NULL;
    journal_flush(j);
    if (!journal_database(j) || sqlite3_prepare_v2(journal_database(j), AUDIT_SQL, -1, &s, NULL) != SQLITE_OK)
        return EONAY_ERROR_STORAGE_FAILED;
    sqlite3_bind_int(s, 1, any_uid);
    sqlite3_bind_int64(s, 2, uid);
    sqlite3_bind_text(s, 3, id ? id : "", -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, limit);
    int step;
    while ((step = sqlite3_step(s)) == SQLITE_ROW)
        g_ptr_array_add(ret, read_audit_entry(s));
    return step == SQLITE_DONE ? 0 : EONAY_ERROR_STORAGE_FAILED;
}
