/* SPDX-License-Identifier: Apache-2.0 */
/* Between store.c and the two databases. */
#ifndef PORTAL_STORE_INTERNAL_H
#define PORTAL_STORE_INTERNAL_H

#include <stdarg.h>

#include "store.h"

#define STORE_PARAMETERS_MAX 20
#define STORE_BUSY_MSEC      8000  /* how long a lock is waited for */
#define STORE_ANSWER_MSEC    10000 /* how long an answer of the database is waited for */
#define STORE_ATTEMPTS_MAX   8     /* of one work that meets others */

typedef struct StoreValue {
    char type; /* as in store.h; 'n' is SQL NULL */
    int64_t integer;
    const void *bytes; /* 't' and 'b' */
    size_t size;
} StoreValue;

typedef struct StoreDriver {
    const char *name;
    int (*pool_open)(const char *database, StorePool **ret);
    void (*pool_free)(StorePool *pool);
    int (*open)(StorePool *pool, Store **ret);
    void (*free)(Store *store);
    int (*write)(Store *store, StoreWork work, void *data);
    int (*read)(Store *store, StoreWork work, void *data);
    int (*query)(Store *store, StatementId id, const StoreValue *values, int n, StoreRows **ret);
    int (*change)(Store *store, StatementId id, const StoreValue *values, int n, int64_t *ret_changes);
    int (*run)(Store *store, const char *sql); /* of schema.c: several statements without parameters */
    int (*next)(StoreRows *rows);
    void (*end)(StoreRows *rows);
    bool (*is_null)(StoreRows *rows, int column);
    int64_t (*integer)(StoreRows *rows, int column);
    const char *(*text)(StoreRows *rows, int column);
    const void *(*bytes)(StoreRows *rows, int column, size_t *ret_size);
} StoreDriver;

/* What every driver's structs begin with. */
struct StorePool {
    const StoreDriver *driver;
};
struct Store {
    const StoreDriver *driver;
    StorePool *pool;
};
struct StoreRows {
    const StoreDriver *driver;
};

extern const StoreDriver store_sqlite;
extern const StoreDriver store_pg;

extern const char *const store_statements[STATEMENT_COUNT];
extern const char *const store_statement_names[STATEMENT_COUNT];

/* Inside of a write: brings the tables up to date. */
int schema_upgrade(Store *store, void *data);

#endif
