/* SPDX-License-Identifier: Apache-2.0 */
/* The face of the records: collects the parameters and hands on to the database that the pool was opened for. */
#include <errno.h>
#include <string.h>

#include "eonay/plugin.h"
#include "log.h"
#include "store-internal.h"

const char *const store_statements[STATEMENT_COUNT] = {
#define STATEMENT_SQL_(id, sql) [STATEMENT_##id] = (sql),
    STATEMENT_TABLE(STATEMENT_SQL_)
#undef STATEMENT_SQL_
};

const char *const store_statement_names[STATEMENT_COUNT] = {
#define STATEMENT_NAME_(id, sql) [STATEMENT_##id] = #id,
    STATEMENT_TABLE(STATEMENT_NAME_)
#undef STATEMENT_NAME_
};

static const StoreDriver *driver_of(const char *database) {
    if (strncmp(database, "sqlite:/", strlen("sqlite:/")) == 0)
        return &store_sqlite;
    if (strncmp(database, "postgresql://", strlen("postgresql://")) == 0)
        return &store_pg;
    return NULL;
}

int store_pool_open(const char *database, StorePool **ret) {
    const StoreDriver *driver = driver_of(database);
    StorePool *pool = NULL;
    Store *store = NULL;
    int r = 0;

    if (!driver) {
        log_error("Database= must begin with sqlite:/ or postgresql://");
        return EONAY_ERROR_STORAGE_FAILED;
    }
    if ((r = driver->pool_open(database, &pool)) != 0)
        return r;
    if ((r = store_new(pool, &store)) == 0)
        r = store_write(store, schema_upgrade, NULL);
    store_free(store);
    if (r != 0)
        return store_pool_free(pool), r;
    *ret = pool;
    return 0;
}

StorePool *store_pool_free(StorePool *pool) {
    if (pool)
        pool->driver->pool_free(pool);
    return NULL;
}

int store_new(StorePool *pool, Store **ret) {
    return pool->driver->open(pool, ret);
}

Store *store_free(Store *store) {
    if (store)
        store->driver->free(store);
    return NULL;
}

int store_write(Store *store, StoreWork work, void *data) {
    return store->driver->write(store, work, data);
}

int store_read(Store *store, StoreWork work, void *data) {
    return store->driver->read(store, work, data);
}

static int collect(const char *types, va_list *ap, StoreValue ret[STORE_PARAMETERS_MAX]) {
    int n = 0;

    for (; types[n] != '\0'; n++) {
        StoreValue *v = &ret[n];

        if (n >= STORE_PARAMETERS_MAX)
            return -E2BIG;
        *v = (StoreValue){.type = types[n]};
        if (v->type == 'i') {
            v->integer = va_arg(*ap, int64_t);
        } else if (v->type == 't') {
            const char *text = va_arg(*ap, const char *);
            v->bytes = text;
            v->size = text ? strlen(text) : 0;
            v->type = text ? 't' : 'n';
        } else {
            v->bytes = va_arg(*ap, const void *);
            v->size = va_arg(*ap, size_t);
            v->type = v->type == 'B' && !v->bytes ? 'n' : 'b';
        }
    }
    return n;
}

static int query(Store *store, StatementId id, StoreRows **ret, const char *types, va_list *ap) {
    StoreValue values[STORE_PARAMETERS_MAX];
    int n = collect(types, ap, values);

    return n < 0 ? n : store->driver->query(store, id, values, n, ret);
}

int store_query(Store *store, StatementId id, StoreRows **ret, const char *types, ...) {
    va_list ap;

    va_start(ap, types);
    int r = query(store, id, ret, types, &ap);
    va_end(ap);
    return r;
}

int store_row(Store *store, StatementId id, StoreRows **ret, const char *types, ...) {
    StoreRows *rows = NULL;
    va_list ap;

    va_start(ap, types);
    int r = query(store, id, &rows, types, &ap);
    va_end(ap);
    if (r != 0)
        return r;
    r = store_rows_next(rows);
    if (r <= 0)
        store_rows_endp(&rows);
    if (r < 0)
        return EONAY_ERROR_STORAGE_FAILED;
    *ret = rows;
    return 0;
}

int store_change(Store *store, StatementId id, int64_t *ret_changes, const char *types, ...) {
    StoreValue values[STORE_PARAMETERS_MAX];
    va_list ap;

    va_start(ap, types);
    int n = collect(types, &ap, values);
    va_end(ap);
    return n < 0 ? n : store->driver->change(store, id, values, n, ret_changes);
}

int store_rows_next(StoreRows *rows) {
    return rows->driver->next(rows);
}

void store_rows_endp(StoreRows **rows) {
    if (*rows)
        (*rows)->driver->end(*rows);
    *rows = NULL;
}

bool store_rows_null(StoreRows *rows, int column) {
    return rows->driver->is_null(rows, column);
}

int64_t store_rows_int(StoreRows *rows, int column) {
    return rows->driver->integer(rows, column);
}

const char *store_rows_text(StoreRows *rows, int column) {
    return rows->driver->text(rows, column);
}

const void *store_rows_bytes(StoreRows *rows, int column, size_t *ret_size) {
    return rows->driver->bytes(rows, column, ret_size);
}
