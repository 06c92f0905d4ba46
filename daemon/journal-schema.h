/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the journal, as steps: step n makes schema n out of schema n-1, and `PRAGMA user_version` tells which
 * one a file has. To add tables or columns, append a step; one that was released is never changed, since files were
 * made by it.
 */
#ifndef EONAY_JOURNAL_SCHEMA_H
#define EONAY_JOURNAL_SCHEMA_H

#include <sqlite3.h>

/* Marks the file as ours (PRAGMA application_id): "eOna". */
#define JOURNAL_APPLICATION_ID 0x654f6e61

/* Of consents no end was recorded of. Word for word the index's own condition, or it is not used. */
#define JOURNAL_UNFINISHED "state<>'done' AND state<>'failed' AND state<>'cancelled' AND state<>'expired'"

/* The schema this daemon works with. */
int journal_schema_newest(void);
/* What the file has; 0 when it is empty, -1 when it cannot be read. */
int journal_schema_version(sqlite3 *db);

/*
 * Takes all missing steps up to `version`. Runs in the caller's transaction: whatever fails, the file stays as it was
 * once that is rolled back. SQLITE_MISMATCH: a newer daemon or another program made the file.
 */
int journal_schema_upgrade(sqlite3 *db, int version);

#endif
