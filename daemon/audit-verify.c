/* SPDX-License-Identifier: Apache-2.0 */
#include "audit-verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit-facts.h"

#define SLICE 128 /* entries; some milliseconds */

typedef enum VerifyStatement {
    VERIFY_ENTRIES,
    VERIFY_LAST_OF_CONSENT,
    VERIFY_ERASER,
    VERIFY_CONSENTS,
    VERIFY_IMPORTED,
    N_VERIFY_STATEMENTS
} VerifyStatement;

static const char *const verify_sql[N_VERIFY_STATEMENTS] = {
    [VERIFY_ENTRIES] = "SELECT sequence, at, kind, consent, uid, facts, salt, digest, chain, erased_by FROM audit"
                       " WHERE sequence>? AND sequence<=? ORDER BY sequence LIMIT ?",
    [VERIFY_LAST_OF_CONSENT] = "SELECT max(sequence) FROM audit WHERE consent=?1 AND"
                               " (kind=?2 OR (?2='' AND kind NOT IN ('viewed','erased')))",
    [VERIFY_ERASER] = "SELECT facts FROM audit WHERE sequence=? AND kind='erased'",
    [VERIFY_CONSENTS] = "SELECT rowid, EXISTS(SELECT 1 FROM audit WHERE audit.consent=consent.id AND kind IN"
                        " ('opened','adopted')) FROM consent WHERE rowid>? ORDER BY rowid LIMIT ?",
    [VERIFY_IMPORTED] = "SELECT rowid, EXISTS(SELECT 1 FROM audit WHERE audit.consent=imported.id AND kind='imported')"
                        " FROM imported WHERE rowid>? ORDER BY rowid LIMIT ?",
};

struct AuditVerification {
    sqlite3 *db;
    sqlite3_stmt *statements[N_VERIFY_STATEMENTS];
    AuditFacts *facts;
    AuditHead noted;
    bool has_noted, entries_over, consents_over, over;
    uint64_t last; /* the newest entry when the walk began */
    uint64_t sequence;
    uint8_t chain[AUDIT_HASH];
    int64_t rowid;
    AuditReport report;
};

const char *audit_failure_name(AuditFailure f) {
    static const char *const names[N_AUDIT_FAILURES] = {
        [AUDIT_FAILURE_NONE] = "",         [AUDIT_FAILURE_SEQUENCE] = "sequence", [AUDIT_FAILURE_CHAIN] = "chain",
        [AUDIT_FAILURE_DIGEST] = "digest", [AUDIT_FAILURE_ERASED] = "erased",     [AUDIT_FAILURE_RECORD] = "record",
        [AUDIT_FAILURE_STATE] = "state",   [AUDIT_FAILURE_MISSING] = "missing",   [AUDIT_FAILURE_UNKNOWN] = "unknown",
        [AUDIT_FAILURE_HEAD] = "head",     [AUDIT_FAILURE_DATABASE] = "database",
    };
    return names[f];
}

static void fail(AuditVerification *v, AuditFailure failure, uint64_t sequence) {
    v->report.failure = failure;
    v->report.failed_at = sequence;
    v->over = true;
}

/* The one row of a statement whose values are bound; *ret is the first column. */
static bool lookup_number(sqlite3_stmt *s, int64_t *ret) {
    bool found = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL;
    if (found)
        *ret = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return found;
}

/* ------------------------------------------------------------------------------------------------------ an entry -- */

typedef struct Row {
    AuditEntry entry;
    uint64_t erased_by;
} Row;

static bool read_row(sqlite3_stmt *s, Row *row) {
    *row = (Row){.entry = {.sequence = (uint64_t)sqlite3_column_int64(s, 0),
                           .at = (uint64_t)sqlite3_column_int64(s, 1),
                           .kind = (const char *)sqlite3_column_text(s, 2),
                           .consent = (const char *)sqlite3_column_text(s, 3),
                           .uid = (uid_t)sqlite3_column_int64(s, 4),
                           .facts = (const char *)sqlite3_column_text(s, 5)},
                 .erased_by = (uint64_t)sqlite3_column_int64(s, 9)};
    if (sqlite3_column_bytes(s, 6) == AUDIT_SALT)
        row->entry.salt = sqlite3_column_blob(s, 6);
    row->entry.digest = sqlite3_column_blob(s, 7);
    row->entry.chain = sqlite3_column_blob(s, 8);
    return row->entry.kind && sqlite3_column_bytes(s, 7) == AUDIT_HASH && sqlite3_column_bytes(s, 8) == AUDIT_HASH;
}

/* "entries=3,5,9\n…": whether the number is among them. */
static bool names_entry(const char *facts, uint64_t sequence) {
    g_autofree char *wanted = g_strdup_printf(",%" G_GUINT64_FORMAT ",", (guint64)sequence);
    if (!facts || strncmp(facts, "entries=", 8) != 0)
        return false;
    g_autofree char *line = g_strndup(facts + 8, strcspn(facts + 8, "\n"));
    g_autofree char *list = g_strdup_printf(",%s,", line);
    return strstr(list, wanted);
}

static bool erased_properly(AuditVerification *v, const Row *row) {
    sqlite3_stmt *s = v->statements[VERIFY_ERASER];
    if (row->erased_by <= row->entry.sequence)
        return false;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)row->erased_by);
    bool good =
        sqlite3_step(s) == SQLITE_ROW && names_entry((const char *)sqlite3_column_text(s, 0), row->entry.sequence);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return good;
}

static bool is_last(AuditVerification *v, const AuditEntry *e, const char *kind) {
    sqlite3_stmt *s = v->statements[VERIFY_LAST_OF_CONSENT];
    int64_t last;
    sqlite3_bind_text(s, 1, e->consent, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, kind, -1, SQLITE_STATIC);
    return lookup_number(s, &last) && (uint64_t)last == e->sequence;
}

static bool is_kind(const AuditEntry *e, const char *kind) {
    return strcmp(e->kind, kind) == 0;
}

/* What the entry says of rows that may have changed since, rightly, is compared for the last entry of its kind only. */
static bool is_compared(AuditVerification *v, const AuditEntry *e) {
    if (is_kind(e, AUDIT_OPENED) || is_kind(e, AUDIT_IMPORTED))
        return true;
    if (is_kind(e, AUDIT_SIGNING) || is_kind(e, AUDIT_SIGNED) || is_kind(e, AUDIT_DONE))
        return is_last(v, e, e->kind);
    return (is_kind(e, AUDIT_ENDED) || is_kind(e, AUDIT_ADOPTED)) && is_last(v, e, "");
}

/* The state that an entry left its consent in; NULL: its facts tell it. */
static const char *state_after(const AuditEntry *e) {
    return is_kind(e, AUDIT_OPENED)    ? "reviewing"
           : is_kind(e, AUDIT_SIGNING) ? "signing"
           : is_kind(e, AUDIT_SIGNED)  ? "submitting"
           : is_kind(e, AUDIT_DONE)    ? "done"
                                       : NULL;
}

static AuditFailure check_state(AuditVerification *v, const AuditEntry *e) {
    g_autofree char *facts = NULL;
    uid_t uid;
    const char *state = state_after(e);
    if (!state || !is_last(v, e, ""))
        return AUDIT_FAILURE_NONE;
    int r = audit_facts_read(v->facts, AUDIT_ENDED, e->consent, &facts, &uid);
    if (r != SQLITE_OK)
        return r == SQLITE_NOTFOUND ? AUDIT_FAILURE_MISSING : AUDIT_FAILURE_DATABASE;
    g_autofree char *line = g_strdup_printf("state=%s\n", state);
    return g_str_has_prefix(facts, line) ? AUDIT_FAILURE_NONE : AUDIT_FAILURE_STATE;
}

/* Of one adopted and changed since: what never changes, record and texts. */
static bool same_beginning(const char *a, const char *b) {
    const char *end = strstr(b, "certificate=");
    return end && strncmp(a, b, (size_t)(end - b)) == 0;
}

static AuditFailure check_rows(AuditVerification *v, const AuditEntry *e) {
    g_autofree char *facts = NULL;
    uid_t uid;
    if (is_kind(e, AUDIT_ERASED) || is_kind(e, AUDIT_VIEWED))
        return AUDIT_FAILURE_NONE;
    int r = audit_facts_read(v->facts, e->kind, e->consent, &facts, &uid);
    if (r == SQLITE_NOTFOUND)
        return AUDIT_FAILURE_MISSING;
    if (r != SQLITE_OK)
        return AUDIT_FAILURE_DATABASE;
    if (is_kind(e, AUDIT_ADOPTED) && !is_compared(v, e))
        return same_beginning(facts, e->facts) ? AUDIT_FAILURE_NONE : AUDIT_FAILURE_RECORD;
    if (uid != e->uid || (is_compared(v, e) && strcmp(facts, e->facts) != 0))
        return is_kind(e, AUDIT_ENDED) ? AUDIT_FAILURE_STATE : AUDIT_FAILURE_RECORD;
    return check_state(v, e);
}

static AuditFailure check_facts(AuditVerification *v, const Row *row) {
    const AuditEntry *e = &row->entry;
    uint8_t digest[AUDIT_HASH];
    if (!e->salt || !e->consent || !e->facts) {
        if (e->consent || e->facts || e->salt || !erased_properly(v, row))
            return AUDIT_FAILURE_ERASED;
        v->report.erased++;
        return AUDIT_FAILURE_NONE;
    }
    audit_digest(e, digest);
    return memcmp(digest, e->digest, AUDIT_HASH) == 0 ? check_rows(v, e) : AUDIT_FAILURE_DIGEST;
}

static AuditFailure check_entry(AuditVerification *v, const Row *row) {
    const AuditEntry *e = &row->entry;
    uint8_t chain[AUDIT_HASH];
    if (e->sequence != v->sequence + 1)
        return AUDIT_FAILURE_SEQUENCE;
    audit_link(v->chain, e, chain);
    if (memcmp(chain, e->chain, AUDIT_HASH) != 0)
        return AUDIT_FAILURE_CHAIN;
    if (v->has_noted && e->sequence == v->noted.sequence && memcmp(chain, v->noted.chain, AUDIT_HASH) != 0)
        return AUDIT_FAILURE_HEAD;
    memcpy(v->chain, chain, AUDIT_HASH);
    v->sequence = e->sequence;
    v->report.entries++;
    return check_facts(v, row);
}

/* ------------------------------------------------------------------------------------------------------- the walk --
 */

static void entries_end(AuditVerification *v) {
    v->entries_over = true;
    v->report.head.sequence = v->sequence;
    memcpy(v->report.head.chain, v->chain, AUDIT_HASH);
    if (v->sequence != v->last)
        fail(v, AUDIT_FAILURE_SEQUENCE, v->sequence + 1);
    else if (v->has_noted && v->noted.sequence > v->sequence)
        fail(v, AUDIT_FAILURE_HEAD, v->noted.sequence);
}

static void walk_entries(AuditVerification *v) {
    sqlite3_stmt *s = v->statements[VERIFY_ENTRIES];
    int r, n = 0;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)v->sequence);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)v->last);
    sqlite3_bind_int(s, 3, SLICE);
    while (!v->over && (r = sqlite3_step(s)) == SQLITE_ROW) {
        Row row;
        uint64_t sequence = v->sequence + 1;
        AuditFailure failure = read_row(s, &row) ? check_entry(v, &row) : AUDIT_FAILURE_CHAIN;
        if (failure != AUDIT_FAILURE_NONE)
            fail(v, failure, sequence);
        n++;
    }
    sqlite3_reset(s);
    if (!v->over && r != SQLITE_DONE)
        fail(v, AUDIT_FAILURE_DATABASE, 0);
    if (!v->over && n < SLICE)
        entries_end(v);
}

/* The records, then the imported ones. */
static void walk_consents(AuditVerification *v) {
    sqlite3_stmt *s = v->statements[v->consents_over ? VERIFY_IMPORTED : VERIFY_CONSENTS];
    int r, n = 0;
    sqlite3_bind_int64(s, 1, v->rowid);
    sqlite3_bind_int(s, 2, SLICE);
    while (!v->over && (r = sqlite3_step(s)) == SQLITE_ROW) {
        v->rowid = sqlite3_column_int64(s, 0);
        v->report.consents++;
        n++;
        if (!sqlite3_column_int(s, 1))
            fail(v, AUDIT_FAILURE_UNKNOWN, 0);
    }
    sqlite3_reset(s);
    if (!v->over && r != SQLITE_DONE)
        fail(v, AUDIT_FAILURE_DATABASE, 0);
    if (v->over || n == SLICE)
        return;
    v->over = v->consents_over;
    v->consents_over = true;
    v->rowid = 0;
}

bool audit_verification_step(AuditVerification *v) {
    if (!v->over && !v->entries_over)
        walk_entries(v);
    else if (!v->over)
        walk_consents(v);
    return v->over;
}

const AuditReport *audit_verification_report(const AuditVerification *v) {
    return &v->report;
}

static int read_last(AuditVerification *v) {
    sqlite3_stmt *s = NULL;
    int64_t last = 0;
    int r = sqlite3_prepare_v2(v->db, "SELECT max(sequence) FROM audit", -1, &s, NULL);
    if (r == SQLITE_OK)
        lookup_number(s, &last);
    sqlite3_finalize(s);
    v->last = (uint64_t)last;
    return r;
}

int audit_verification_new(sqlite3 *db, const AuditHead *noted, AuditVerification **ret) {
    AuditVerification *v = g_new0(AuditVerification, 1);
    v->db = db;
    v->has_noted = noted;
    if (noted)
        v->noted = *noted;
    int r = audit_facts_new(db, &v->facts);
    for (int i = 0; r == SQLITE_OK && i < N_VERIFY_STATEMENTS; i++)
        r = sqlite3_prepare_v3(db, verify_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &v->statements[i], NULL);
    if (r == SQLITE_OK)
        r = read_last(v);
    if (r != SQLITE_OK) {
        audit_verification_free(v);
        return r;
    }
    *ret = v;
    return SQLITE_OK;
}

AuditVerification *audit_verification_free(AuditVerification *v) {
    if (!v)
        return NULL;
    for (int i = 0; i < N_VERIFY_STATEMENTS; i++)
        sqlite3_finalize(v->statements[i]);
    audit_facts_free(v->facts);
    g_free(v);
    return NULL;
}
