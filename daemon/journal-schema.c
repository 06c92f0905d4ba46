/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-schema.h"

#include <glib.h>

#include "audit-chain.h"

/* What a step does beyond SQL; NULL for most. */
typedef int (*SchemaStep)(sqlite3 *db);

#define CONSENTS_SQL                                                                                                   \
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"                                      \
    "CREATE TABLE consent(id TEXT PRIMARY KEY, uid INTEGER NOT NULL, backend TEXT NOT NULL,"                           \
    " transaction_id TEXT NOT NULL, requester TEXT NOT NULL, purpose TEXT NOT NULL, level TEXT NOT NULL,"              \
    " subject_masked TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"                         \
    " opened_at INTEGER NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '',"                                \
    " fingerprint TEXT NOT NULL DEFAULT '', certificate BLOB, mechanism INTEGER NOT NULL DEFAULT 0,"                   \
    " idempotency_key TEXT NOT NULL DEFAULT '', signed_at INTEGER NOT NULL DEFAULT 0,"                                 \
    " receipt_id TEXT NOT NULL DEFAULT '', submitted_at INTEGER NOT NULL DEFAULT 0);"                                  \
    "CREATE INDEX consent_by_uid ON consent(uid, opened_at);"                                                          \
    "CREATE INDEX consent_unfinished ON consent(state) WHERE state NOT IN ('done','failed','cancelled','expired');"    \
    "CREATE TABLE text(consent TEXT NOT NULL, position INTEGER NOT NULL, title TEXT NOT NULL,"                         \
    " media_type TEXT NOT NULL, sha256 TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(consent, position))"            \
    " WITHOUT ROWID;"                                                                                                  \
    "CREATE TABLE signature(consent TEXT NOT NULL, position INTEGER NOT NULL, cms BLOB NOT NULL,"                      \
    " PRIMARY KEY(consent, position)) WITHOUT ROWID;"

#define SIGNERS_SQL "CREATE INDEX consent_by_signer ON consent(fingerprint, uid) WHERE signed_at<>0"

#define CONFIRMED_SQL                                                                                                  \
    "ALTER TABLE consent ADD COLUMN confirmed_at INTEGER NOT NULL DEFAULT 0;"                                          \
    "ALTER TABLE consent ADD COLUMN confirmed_by TEXT NOT NULL DEFAULT ''"

/* Apart from one's own consents: nothing that asks who signed with which card, or what is still to be sent, sees them.
 */
#define IMPORTED_SQL                                                                                                   \
    "CREATE TABLE imported(id TEXT PRIMARY KEY, uid INTEGER NOT NULL, imported_at INTEGER NOT NULL,"                   \
    " record TEXT NOT NULL, container BLOB NOT NULL);"                                                                 \
    "CREATE INDEX imported_by_uid ON imported(uid)"

/* A list in the condition made SQLite build a table of it, with a page cache of its own, for each step of each consent;
 * and no statement found its rows by the state. */
#define UNFINISHED_SQL                                                                                                 \
    "DROP INDEX consent_unfinished;"                                                                                   \
    "CREATE INDEX consent_unfinished ON consent(opened_at) WHERE " JOURNAL_UNFINISHED

static const struct {
    const char *sql;
    SchemaStep step;
} steps[] = {
    {CONSENTS_SQL, NULL},            /* 1: consents, texts, signatures */
    {SIGNERS_SQL, NULL},             /* 2: who has signed with a certificate */
    {audit_schema_sql, audit_adopt}, /* 3: the audit chain */
    {CONFIRMED_SQL, NULL},           /* 4: when the texts were confirmed, and by whom */
    {IMPORTED_SQL, NULL},            /* 5: evidence from elsewhere */
    {UNFINISHED_SQL, NULL},          /* 6: consents without an end, found by an index that costs less */
};

int journal_schema_newest(void) {
    return (int)G_N_ELEMENTS(steps);
}

static int read_pragma(sqlite3 *db, const char *sql) {
    sqlite3_stmt *s = NULL;
    int value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        value = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return value;
}

int journal_schema_version(sqlite3 *db) {
    return read_pragma(db, "PRAGMA user_version");
}

static int mark(sqlite3 *db, int version) {
    g_autofree char *sql =
        g_strdup_printf("PRAGMA user_version=%d; PRAGMA application_id=%d", version, JOURNAL_APPLICATION_ID);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int journal_schema_upgrade(sqlite3 *db, int version) {
    int have = journal_schema_version(db);
    int owner = read_pragma(db, "PRAGMA application_id"); /* 0 in files of the first daemons */
    if (have < 0)
        return SQLITE_ERROR;
    if (have > version || (owner != 0 && owner != JOURNAL_APPLICATION_ID))
        return SQLITE_MISMATCH;
    if (have == version)
        return SQLITE_OK;
    int r = SQLITE_OK;
    for (; r == SQLITE_OK && have < version; have++) {
        r = sqlite3_exec(db, steps[have].sql, NULL, NULL, NULL);
        if (r == SQLITE_OK && steps[have].step)
            r = steps[have].step(db);
    }
    return r == SQLITE_OK ? mark(db, version) : r;
}
