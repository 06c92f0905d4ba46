/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, and how an older database becomes a newer one. */
#ifndef CA_LOCAL_SCHEMA_H
#define CA_LOCAL_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

#include "eonay/plugin.h"

/* Refuses a database of another program or of a newer version, before anything is changed in it. Error: STORAGE_FAILED.
 */
int schema_check(const EonayHost *host, sqlite3 *db);
/*
 * Brings the database to the present version, inside a transaction of the caller's; *ret_fresh: it was empty before.
 * Error: STORAGE_FAILED.
 */
int schema_upgrade(const EonayHost *host, sqlite3 *db, bool *ret_fresh);
/* Whether schema_upgrade() has nothing to do. Needs no transaction. */
bool schema_is_current(sqlite3 *db);

#endif
