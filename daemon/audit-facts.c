/* SPDX-License-Identifier: Apache-2.0 */
#include "audit-facts.h"

#include <glib.h>
#include <string.h>

#include "audit-chain.h"
#include "digest.h"

typedef enum FactsStatement {
    FACTS_RECORD,
    FACTS_TEXTS,
    FACTS_SIGNATURES,
    FACTS_CONFIRMED,
    FACTS_IMPORTED,
    N_FACTS_STATEMENTS
} FactsStatement;

/* The first columns never change after a consent was opened. */
#define RECORD_COLUMNS 9
enum {
    COLUMN_UID = RECORD_COLUMNS,
    COLUMN_FINGERPRINT,
    COLUMN_CERTIFICATE,
    COLUMN_SIGNED,
    COLUMN_RECEIPT,
    COLUMN_SUBMITTED,
    COLUMN_STATE,
    COLUMN_ERROR
};

static const char *const facts_sql[N_FACTS_STATEMENTS] = {
    [FACTS_RECORD] =
        "SELECT backend, transaction_id, requester, purpose, level, subject_masked, created_at, expires_at,"
        " opened_at, uid, fingerprint, certificate, signed_at, receipt_id, submitted_at, state, error"
        " FROM consent WHERE id=?",
    [FACTS_TEXTS] = "SELECT title, media_type, sha256, bytes FROM text WHERE consent=? ORDER BY position",
    [FACTS_SIGNATURES] = "SELECT cms FROM signature WHERE consent=? ORDER BY position",
    /* Those before it was recorded have 0, and their entries say nothing of it. */
    [FACTS_CONFIRMED] = "SELECT confirmed_at, confirmed_by FROM consent WHERE id=? AND confirmed_at<>0",
    [FACTS_IMPORTED] = "SELECT record, container, uid FROM imported WHERE id=?",
};

struct AuditFacts {
    sqlite3_stmt *statements[N_FACTS_STATEMENTS]; /* NULL: the file is on its way to a schema that has it */
};

/* A table of a later step may not be there yet. */
static bool may_be_asked(sqlite3 *db, FactsStatement which) {
    const char *table = which == FACTS_IMPORTED ? "imported" : "consent";
    const char *column = which == FACTS_IMPORTED ? "container" : which == FACTS_CONFIRMED ? "confirmed_at" : "id";
    return sqlite3_table_column_metadata(db, NULL, table, column, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

int audit_facts_new(sqlite3 *db, AuditFacts **ret) {
    AuditFacts *f = g_new0(AuditFacts, 1);
    for (int i = 0; i < N_FACTS_STATEMENTS; i++) {
        if (!may_be_asked(db, i))
            continue;
        int r = sqlite3_prepare_v3(db, facts_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &f->statements[i], NULL);
        if (r != SQLITE_OK) {
            audit_facts_free(f);
            return r;
        }
    }
    *ret = f;
    return SQLITE_OK;
}

AuditFacts *audit_facts_free(AuditFacts *f) {
    if (!f)
        return NULL;
    for (int i = 0; i < N_FACTS_STATEMENTS; i++)
        sqlite3_finalize(f->statements[i]);
    g_free(f);
    return NULL;
}

/* A value with its length before it, so that no two rows look alike. */
static void hash_column(Digest *sum, sqlite3_stmt *s, int n) {
    const void *bytes = sqlite3_column_blob(s, n);
    int size = sqlite3_column_bytes(s, n);
    char length[16];
    digest_add(sum, length, (size_t)g_snprintf(length, sizeof(length), "%d:", size));
    if (size > 0)
        digest_add(sum, bytes, (size_t)size);
}

/* A line of what was hashed, which ends it. */
static void append_hash(Digest *sum, const char *name, GString *out) {
    char hex[DIGEST_HEX];
    digest_end_hex(sum, hex);
    g_string_append_printf(out, "%s=%s\n", name, hex);
}

/* Over all rows of the statement, for this consent. */
static int append_hash_of_rows(AuditFacts *f, FactsStatement which, const char *consent, const char *name,
                               GString *out) {
    sqlite3_stmt *s = f->statements[which];
    Digest *sum = digest_new();
    int r;
    sqlite3_bind_text(s, 1, consent, -1, SQLITE_STATIC);
    while ((r = sqlite3_step(s)) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(s); i++)
            hash_column(sum, s, i);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    append_hash(sum, name, out);
    return r == SQLITE_DONE ? SQLITE_OK : r;
}

static void append_record(sqlite3_stmt *s, GString *out) {
    Digest *sum = digest_new();
    for (int i = 0; i < RECORD_COLUMNS; i++)
        hash_column(sum, s, i);
    append_hash(sum, "record", out);
}

static void append_column(sqlite3_stmt *s, int n, const char *name, GString *out) {
    const unsigned char *text = sqlite3_column_text(s, n);
    g_string_append_printf(out, "%s=%s\n", name, text ? (const char *)text : "");
}

static void append_certificate(sqlite3_stmt *s, GString *out) {
    Digest *sum = digest_new();
    hash_column(sum, s, COLUMN_FINGERPRINT);
    hash_column(sum, s, COLUMN_CERTIFICATE);
    append_hash(sum, "certificate", out);
}

static int append_confirmation(AuditFacts *f, const char *consent, GString *out) {
    sqlite3_stmt *s = f->statements[FACTS_CONFIRMED];
    if (!s)
        return SQLITE_OK;
    sqlite3_bind_text(s, 1, consent, -1, SQLITE_STATIC);
    int r = sqlite3_step(s);
    if (r == SQLITE_ROW) {
        append_column(s, 0, "confirmed_at", out);
        append_column(s, 1, "confirmed_by", out);
    }
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return r == SQLITE_ROW || r == SQLITE_DONE ? SQLITE_OK : r;
}

typedef struct KindRow {
    const char *kind;
    bool record, certificate, confirmation, signatures, receipt, state;
    bool imported;
} KindRow;

static const KindRow kinds[] = {
    {AUDIT_OPENED, .record = true},
    {AUDIT_SIGNING, .certificate = true, .confirmation = true},
    {AUDIT_SIGNED, .certificate = true, .signatures = true},
    {AUDIT_DONE, .receipt = true},
    {AUDIT_ENDED, .state = true},
    {AUDIT_ADOPTED, .record = true, .certificate = true, .signatures = true, .receipt = true, .state = true},
    {AUDIT_IMPORTED, .imported = true},
    {AUDIT_VIEWED},
};

static void append_imported(sqlite3_stmt *s, GString *out) {
    Digest *sum = digest_new();
    hash_column(sum, s, 0);
    hash_column(sum, s, 1);
    append_hash(sum, "evidence", out);
}

static int read_imported(AuditFacts *f, const KindRow *k, const char *consent, GString *out, uid_t *ret_uid) {
    sqlite3_stmt *s = f->statements[FACTS_IMPORTED];
    if (!s)
        return SQLITE_NOTFOUND;
    sqlite3_bind_text(s, 1, consent, -1, SQLITE_STATIC);
    int r = sqlite3_step(s);
    if (r == SQLITE_ROW) {
        *ret_uid = (uid_t)sqlite3_column_int64(s, 2);
        if (k->imported)
            append_imported(s, out);
    }
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return r == SQLITE_ROW ? SQLITE_OK : r == SQLITE_DONE ? SQLITE_NOTFOUND : r;
}

static const KindRow *kind_row(const char *kind) {
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return &kinds[i];
    return NULL;
}

static int append_facts(AuditFacts *f, const KindRow *k, const char *consent, GString *out, uid_t *ret_uid) {
    sqlite3_stmt *s = f->statements[FACTS_RECORD];
    int r = SQLITE_OK;
    *ret_uid = (uid_t)sqlite3_column_int64(s, COLUMN_UID);
    if (k->record) {
        append_record(s, out);
        r = append_hash_of_rows(f, FACTS_TEXTS, consent, "texts", out);
    }
    if (k->certificate)
        append_certificate(s, out);
    if (k->confirmation && r == SQLITE_OK)
        r = append_confirmation(f, consent, out);
    if (k->signatures && r == SQLITE_OK) {
        append_column(s, COLUMN_SIGNED, "signed_at", out);
        r = append_hash_of_rows(f, FACTS_SIGNATURES, consent, "signatures", out);
    }
    if (k->receipt) {
        append_column(s, COLUMN_RECEIPT, "receipt", out);
        append_column(s, COLUMN_SUBMITTED, "submitted_at", out);
    }
    if (k->state) {
        append_column(s, COLUMN_STATE, "state", out);
        append_column(s, COLUMN_ERROR, "error", out);
    }
    return r;
}

int audit_facts_read(AuditFacts *f, const char *kind, const char *consent, char **ret, uid_t *ret_uid) {
    sqlite3_stmt *s = f->statements[FACTS_RECORD];
    const KindRow *k = kind_row(kind);
    g_autoptr(GString) out = g_string_new(NULL);
    uid_t uid = 0;
    if (!k)
        return SQLITE_MISUSE;
    sqlite3_bind_text(s, 1, consent, -1, SQLITE_STATIC);
    int r = sqlite3_step(s);
    if (r == SQLITE_ROW)
        r = append_facts(f, k, consent, out, &uid);
    else if (r == SQLITE_DONE)
        r = SQLITE_NOTFOUND;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    if (r == SQLITE_NOTFOUND)
        r = read_imported(f, k, consent, out, &uid);
    if (r != SQLITE_OK)
        return r;
    *ret = g_strdup(out->str);
    *ret_uid = uid;
    return SQLITE_OK;
}
