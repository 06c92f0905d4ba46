/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_version counts, for each area, the steps that a database has taken. The lists are written once and read with
 * the words of each database. Whichever instance comes first makes the tables; the others wait for it.
 */
#include <string.h>

#include "eonay/plugin.h"
#include "log.h"
#include "schema-core.h"
#include "schema-web.h"
#include "store-internal.h"

#define SCHEMA_STEP_(sql) sql,

#define ID_    "INTEGER PRIMARY KEY AUTOINCREMENT"
#define BYTES_ "BLOB"
#define INT_   "INTEGER"
static const char *const sqlite_core[] = {SCHEMA_CORE(SCHEMA_STEP_) NULL};
static const char *const sqlite_web[] = {SCHEMA_WEB(SCHEMA_STEP_) NULL};
#undef ID_
#undef BYTES_
#undef INT_

#define ID_    "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
#define BYTES_ "BYTEA"
#define INT_   "BIGINT"
static const char *const pg_core[] = {SCHEMA_CORE(SCHEMA_STEP_) NULL};
static const char *const pg_web[] = {SCHEMA_WEB(SCHEMA_STEP_) NULL};
#undef ID_
#undef BYTES_
#undef INT_

static int upgrade_area(Store *store, const char *area, const char *const *steps) {
    _rows_ StoreRows *row = NULL;
    int64_t version = 0, n_steps = 0;
    int r = store_row(store, STATEMENT_SCHEMA_VERSION, &row, "t", area);

    if (r != 0)
        return r;
    version = row ? store_rows_int(row, 0) : 0;
    store_rows_endp(&row);
    while (steps[n_steps])
        n_steps++;
    if (version > n_steps) {
        log_error("the database was made by a newer version of the portal");
        return EONAY_ERROR_STORAGE_FAILED;
    }
    for (int64_t step = version; step < n_steps; step++)
        if ((r = store->driver->run(store, steps[step])) != 0)
            return r;
    return version == n_steps ? 0 : store_change(store, STATEMENT_SCHEMA_SET, NULL, "ti", area, n_steps);
}

int schema_upgrade(Store *store, void *data) {
    bool pg = store->driver == &store_pg;
    int r = 0;

    (void)data;
    if (pg && (r = store->driver->run(store, "SELECT pg_advisory_xact_lock(1699704417)")) != 0)
        return r;
    r = store->driver->run(store, "CREATE TABLE IF NOT EXISTS schema_version "
                                  "(area TEXT PRIMARY KEY, version BIGINT NOT NULL)");
    if (r == 0)
        r = upgrade_area(store, "core", pg ? pg_core : sqlite_core);
    if (r == 0)
        r = upgrade_area(store, "web", pg ? pg_web : sqlite_web);
    return r;
}
