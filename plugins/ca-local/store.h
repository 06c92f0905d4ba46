/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority's records in SQLite: opening, transactions and cached statements. What the statements mean is known
 * to the nouns that run them (code, consent, approval …); their text is in statements.h, the tables in schema.c.
 *
 * Several processes may use one database at once. Every change happens in a transaction that takes the write lock at
 * its beginning and is on disk when store_commit() returns. Error of every function: STORAGE_FAILED.
 */
#ifndef CA_LOCAL_STORE_H
#define CA_LOCAL_STORE_H

#include <sqlite3.h>
#include <stdint.h>

#include "eonay/plugin.h"
#include "key.h"
#include "scope.h"
#include "statements.h"

typedef struct Store Store;

/* Opens or makes the database and its key. */
int store_open(const EonayHost *host, const char *path, Store **ret);
Store *store_free(Store *s);
const Key *store_key(const Store *s);

/* A transaction that is undone at the end of the scope unless it was committed. */
#define _transaction_ _cleanup_(store_rollbackp)
int store_begin(Store *s, Store **ret_transaction);
int store_commit(Store **transaction);
void store_rollbackp(Store **transaction);

/*
 * Runs a statement to its first row. types has one letter per parameter: 'i' int64_t, 't' const char * (NULL is SQL
 * NULL), 'b' const void * and size_t. *ret_row is NULL when there is no row; a row ends with its scope.
 */
#define _row_ _cleanup_(store_row_endp)
int store_row(Store *s, StatementId id, sqlite3_stmt **ret_row, const char *types, ...);
void store_row_endp(sqlite3_stmt **row);

/* Runs a statement that returns no rows; *ret_changes (may be NULL) is the number of rows it changed. */
int store_change(Store *s, StatementId id, int *ret_changes, const char *types, ...);
int64_t store_last_id(const Store *s);

/* Records a result of SQLite as the reason; for schema.c. */
int store_fault(const EonayHost *host, int result, const char *doing);

#endif
