/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PRAGMA user_version counts the steps that a database has taken; each step is a script that is never changed once
 * released, only followed by another. PRAGMA application_id says that the file is ours at all: a Database= that names
 * some other program's file by mistake is refused before anything is written into it.
 *
 * The record of an approval is for good. What leads nowhere (dead codes, unsigned consents with their texts) is
 * removed a day after it died.
 */
#include "schema.h"

#include <stdio.h>

#include "fault.h"
#include "store.h"

#define APPLICATION_ID 0x454f4e43 /* "EONC" */

static const char *const steps[] = {
    /* 1 */
    "PRAGMA application_id = 0x454f4e43;"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE code ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  hash BLOB NOT NULL UNIQUE,"
    "  state INTEGER NOT NULL,"
    "  purpose TEXT NOT NULL,"
    "  subject TEXT,"
    "  created_at INTEGER NOT NULL,"
    "  expires_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX code_expiry ON code (expires_at);"
    "CREATE TABLE guess (at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE consent ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  transaction_hash BLOB NOT NULL UNIQUE,"
    "  code_id INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  purpose TEXT NOT NULL,"
    "  subject TEXT,"
    "  text_version TEXT NOT NULL,"
    "  reference TEXT NOT NULL UNIQUE,"
    "  created_at INTEGER NOT NULL,"
    "  expires_at INTEGER NOT NULL,"
    "  submission_key TEXT,"
    "  submission_digest BLOB,"
    "  receipt_id TEXT UNIQUE,"
    "  submitted_at INTEGER) STRICT;"
    "CREATE INDEX consent_code ON consent (code_id);"
    "CREATE INDEX consent_unsigned ON consent (expires_at) WHERE state <> 1;"
    "CREATE TABLE consent_text ("
    "  consent_id INTEGER NOT NULL REFERENCES consent (id) ON DELETE CASCADE,"
    "  position INTEGER NOT NULL,"
    "  title TEXT NOT NULL,"
    "  media_type TEXT NOT NULL,"
    "  bytes BLOB NOT NULL,"
    "  PRIMARY KEY (consent_id, position)) STRICT;"
    "CREATE TABLE signature ("
    "  consent_id INTEGER NOT NULL REFERENCES consent (id),"
    "  position INTEGER NOT NULL,"
    "  cms BLOB NOT NULL,"
    "  PRIMARY KEY (consent_id, position)) STRICT;"
    "CREATE TABLE approval ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  subject TEXT NOT NULL,"
    "  purpose TEXT NOT NULL,"
    "  text_version TEXT NOT NULL,"
    "  consent_id INTEGER NOT NULL REFERENCES consent (id),"
    "  receipt_id TEXT NOT NULL,"
    "  approved_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX approval_subject ON approval (subject, text_version);",
};

#define N_STEPS ((int)(sizeof steps / sizeof steps[0]))

static int read_pragma(sqlite3 *db, const char *sql, int *ret) {
    sqlite3_stmt *stmt = NULL;
    int r = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (r == SQLITE_OK)
        r = sqlite3_step(stmt);
    if (r == SQLITE_ROW)
        *ret = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return r == SQLITE_ROW ? SQLITE_OK : r;
}

bool schema_is_current(sqlite3 *db) {
    int version = 0, application = 0;

    return read_pragma(db, "PRAGMA user_version", &version) == SQLITE_OK && version == N_STEPS &&
           read_pragma(db, "PRAGMA application_id", &application) == SQLITE_OK && application == APPLICATION_ID;
}

int schema_check(const EonayHost *host, sqlite3 *db) {
    int application = 0, version = 0, tables = 0;
    int r = read_pragma(db, "PRAGMA application_id", &application);

    if (r == SQLITE_OK)
        r = read_pragma(db, "PRAGMA user_version", &version);
    if (r == SQLITE_OK)
        r = read_pragma(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (r != SQLITE_OK)
        return store_fault(host, r, "looking at the database");
    if (application != APPLICATION_ID && (application != 0 || version != 0 || tables > 0))
        return fault(host, EONAY_ERROR_STORAGE_FAILED, 0, "the database belongs to another program");
    if (version > N_STEPS)
        return fault(host, EONAY_ERROR_STORAGE_FAILED, 0, "the database was made by a newer version (%d, known: %d)",
                     version, N_STEPS);
    return 0;
}

int schema_upgrade(const EonayHost *host, sqlite3 *db, bool *ret_fresh) {
    char set_version[48];
    int version = 0;
    int r = read_pragma(db, "PRAGMA user_version", &version);

    if (r != SQLITE_OK)
        return store_fault(host, r, "looking at the database");
    for (int step = version; step < N_STEPS; step++)
        if ((r = sqlite3_exec(db, steps[step], NULL, NULL, NULL)) != SQLITE_OK)
            return store_fault(host, r, "bringing the database up to date");
    (void)snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d", N_STEPS);
    if ((r = sqlite3_exec(db, set_version, NULL, NULL, NULL)) != SQLITE_OK)
        return store_fault(host, r, "bringing the database up to date");
    *ret_fresh = version == 0;
    return 0;
}
