/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The portal's records, on SQLite or PostgreSQL behind one face. A StorePool belongs to the process, a Store to one
 * thread. The statements are one text for both databases (statements-*.h, parameters as $1, $2 …), the tables one list
 * of steps (schema-*.h).
 *
 * Every function returns 0, a positive EonayError (STORAGE_FAILED when the database fails; logged here, once) or what
 * the work function returned. After STORAGE_FAILED of store_write() it is unknown whether the work was recorded.
 */
#ifndef PORTAL_STORE_H
#define PORTAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "statements.h"

typedef struct StorePool StorePool;
typedef struct Store Store;
typedef struct StoreRows StoreRows;

/* database: "sqlite:/absolute/path" or a "postgresql://…" URI (libpq). Opens it and brings its tables up to date. */
int store_pool_open(const char *database, StorePool **ret);
StorePool *store_pool_free(StorePool *pool); /* after all its stores */
int store_new(StorePool *pool, Store **ret);
Store *store_free(Store *store);

/*
 * Runs work in one transaction that is on disk when 0 is returned and undone for any other result. The work may be run
 * more than once, from its beginning, when it met another transaction; so it must not change anything but the records
 * and what it returns through data. It must not call store_write() or store_read(). Works of several threads share one
 * flush. A refusal that has to leave a record behind is a 0 here and an error in data.
 */
typedef int (*StoreWork)(Store *store, void *data);
int store_write(Store *store, StoreWork work, void *data);
/* The same for reading alone; sees what is committed. */
int store_read(Store *store, StoreWork work, void *data);

/*
 * Statements, inside of works only. types has one letter per parameter: 'i' int64_t, 't' const char * (NULL is SQL
 * NULL), 'b' const void * and size_t, 'B' the same with NULL as SQL NULL. Rows end with their scope: _rows_ StoreRows
 * *rows = NULL.
 */
#define _rows_ __attribute__((cleanup(store_rows_endp)))
int store_query(Store *store, StatementId id, StoreRows **ret, const char *types, ...);
/* 1 when there is a row, 0 when there is none, negative after a failure (logged): -EIO. */
int store_rows_next(StoreRows *rows);
void store_rows_endp(StoreRows **rows);
/* Columns of the present row, from 0. Texts and bytes live until the next row. NULL: 0, "" and no bytes. */
bool store_rows_null(StoreRows *rows, int column);
int64_t store_rows_int(StoreRows *rows, int column);
const char *store_rows_text(StoreRows *rows, int column);
const void *store_rows_bytes(StoreRows *rows, int column, size_t *ret_size);

/* The first row, or *ret NULL when there is none. */
int store_row(Store *store, StatementId id, StoreRows **ret, const char *types, ...);
/* A statement without rows; *ret_changes (may be NULL) is the number of rows it changed. */
int store_change(Store *store, StatementId id, int64_t *ret_changes, const char *types, ...);

#endif
