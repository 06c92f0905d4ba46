/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite in WAL mode with synchronous=FULL. All threads write through one connection, one after the other, and share
 * the flush: a work is a savepoint in a transaction that the last one of those waiting commits. While that flush runs
 * the next ones gather, so under load many works cost one flush and without load each has its own. Each thread reads
 * through a connection of its own and sees what is committed.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eonay/plugin.h"
#include "log.h"
#include "store-internal.h"

#define BATCH_MAX      64
#define WAL_RETRIES    200 /* of 20 ms: SQLite does not always wait there by itself */
#define WAL_PAUSE_USEC 20000

typedef struct Connection {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
} Connection;

typedef struct SqlitePool {
    StorePool base;
    char *path;
    pthread_mutex_t lock; /* the writer, and everything below */
    pthread_cond_t committed;
    Connection writer;
    bool in_transaction;
    unsigned n_works;      /* in the transaction */
    unsigned waiting;      /* threads that want the lock to write; changed atomically */
    uint64_t batch;        /* the present transaction */
    uint64_t batches_done; /* all up to this one are over */
    uint64_t batch_failed; /* the last one whose commit failed */
} SqlitePool;

typedef struct SqliteStore {
    Store base;
    Connection reader;
    Connection *active; /* the writer's or the reader's, while a work runs */
} SqliteStore;

typedef struct SqliteRows {
    StoreRows base;
    sqlite3_stmt *stmt;
    sqlite3 *db;
    bool peeked; /* the first row was fetched by query() */
    int step;
} SqliteRows;

static int fault(sqlite3 *db, const char *doing) {
    log_error("SQLite: %s: %s (%d)", doing, db ? sqlite3_errmsg(db) : "no memory",
              db ? sqlite3_extended_errcode(db) : 0);
    return EONAY_ERROR_STORAGE_FAILED;
}

static int switch_to_wal(sqlite3 *db) {
    int r = SQLITE_OK;

    for (int i = 0; i < WAL_RETRIES; i++) {
        r = sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((r & 0xff) != SQLITE_BUSY && (r & 0xff) != SQLITE_LOCKED)
            break;
        g_usleep(WAL_PAUSE_USEC);
    }
    return r;
}

static int connection_open(const char *path, Connection *ret) {
    int r = sqlite3_open_v2(path, &ret->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (r != SQLITE_OK)
        return fault(ret->db, path);
    (void)sqlite3_extended_result_codes(ret->db, 1);
    (void)sqlite3_busy_timeout(ret->db, STORE_BUSY_MSEC);
    r = switch_to_wal(ret->db);
    /* Erased rows must not stay readable. */
    if (r == SQLITE_OK)
        r = sqlite3_exec(ret->db,
                         "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                         "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -512;",
                         NULL, NULL, NULL);
    return r == SQLITE_OK ? 0 : fault(ret->db, "opening the database");
}

static void connection_close(Connection *c) {
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(c->statements[i]);
    sqlite3_close(c->db);
}

/* The file is made by us, for us alone: SQLite would leave its mode to the umask. */
static int prepare_file(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat st;
    bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fchmod(fd, 0600) == 0;

    if (!good)
        log_error("%s: cannot be opened as a file of our own: %s", path, strerrordesc_np(errno));
    if (fd >= 0)
        close(fd);
    return good ? 0 : EONAY_ERROR_STORAGE_FAILED;
}

static void sqlite_pool_free(StorePool *base) {
    SqlitePool *pool = (SqlitePool *)base;

    connection_close(&pool->writer);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->committed);
    g_free(pool->path);
    g_free(pool);
}

static int sqlite_pool_open(const char *database, StorePool **ret) {
    const char *path = database + strlen("sqlite:");
    SqlitePool *pool = NULL;
    int r = prepare_file(path);

    if (r != 0)
        return r;
    pool = g_new0(SqlitePool, 1);
    pool->base.driver = &store_sqlite;
    pool->path = g_strdup(path);
    pool->batch = 1;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->committed, NULL);
    if ((r = connection_open(path, &pool->writer)) != 0)
        return sqlite_pool_free(&pool->base), r;
    *ret = &pool->base;
    return 0;
}

static void sqlite_free(Store *base) {
    SqliteStore *s = (SqliteStore *)base;

    connection_close(&s->reader);
    g_free(s);
}

static int sqlite_open(StorePool *base, Store **ret) {
    SqlitePool *pool = (SqlitePool *)base;
    SqliteStore *s = g_new0(SqliteStore, 1);
    int r = connection_open(pool->path, &s->reader);

    s->base = (Store){.driver = &store_sqlite, .pool = base};
    if (r != 0)
        return sqlite_free(&s->base), r;
    *ret = &s->base;
    return 0;
}

static int run_sql(Connection *c, const char *sql) {
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fault(c->db, sql);
}

/* Ends the transaction for all whose work is in it. Under the lock. */
static void finish_batch(SqlitePool *pool) {
    int r = run_sql(&pool->writer, "COMMIT");

    if (r != 0) {
        pool->batch_failed = pool->batch;
        if (!sqlite3_get_autocommit(pool->writer.db))
            (void)run_sql(&pool->writer, "ROLLBACK");
    }
    pool->in_transaction = false;
    pool->n_works = 0;
    pool->batches_done = pool->batch++;
    pthread_cond_broadcast(&pool->committed);
}

static int run_work(SqlitePool *pool, Store *store, StoreWork work, void *data) {
    int r = run_sql(&pool->writer, "SAVEPOINT work");

    if (r != 0)
        return r;
    r = work(store, data);
    if (r == 0)
        r = run_sql(&pool->writer, "RELEASE work");
    /* A full disk may have ended the whole transaction already. */
    if (r != 0 && !sqlite3_get_autocommit(pool->writer.db))
        (void)sqlite3_exec(pool->writer.db, "ROLLBACK TO work; RELEASE work", NULL, NULL, NULL);
    return r;
}

/* The transaction is gone, and with it the works of others that wait for its commit. */
static void lose_batch(SqlitePool *pool) {
    log_error("SQLite: the transaction was ended by a failure");
    pool->batch_failed = pool->batch;
    pool->in_transaction = false;
    pool->n_works = 0;
    pool->batches_done = pool->batch++;
    pthread_cond_broadcast(&pool->committed);
}

static int sqlite_write(Store *base, StoreWork work, void *data) {
    SqliteStore *s = (SqliteStore *)base;
    SqlitePool *pool = (SqlitePool *)base->pool;
    int r = 0;

    __atomic_add_fetch(&pool->waiting, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&pool->lock);
    __atomic_sub_fetch(&pool->waiting, 1, __ATOMIC_SEQ_CST);
    if (!pool->in_transaction && (r = run_sql(&pool->writer, "BEGIN IMMEDIATE")) != 0)
        return pthread_mutex_unlock(&pool->lock), r;
    pool->in_transaction = true;
    s->active = &pool->writer;
    r = run_work(pool, base, work, data);
    s->active = NULL;

    const uint64_t mine = pool->batch;
    if (sqlite3_get_autocommit(pool->writer.db)) {
        lose_batch(pool);
        r = r != 0 ? r : EONAY_ERROR_STORAGE_FAILED;
    } else {
        pool->n_works++;
        if (__atomic_load_n(&pool->waiting, __ATOMIC_SEQ_CST) == 0 || pool->n_works >= BATCH_MAX)
            finish_batch(pool);
    }
    /* A refusal waits too: it may rest on what another work of the same transaction did. */
    while (pool->batches_done < mine)
        pthread_cond_wait(&pool->committed, &pool->lock);
    if (r == 0 && pool->batch_failed == mine)
        r = EONAY_ERROR_STORAGE_FAILED;
    pthread_mutex_unlock(&pool->lock);
    return r;
}

static int sqlite_read(Store *base, StoreWork work, void *data) {
    SqliteStore *s = (SqliteStore *)base;
    int r = run_sql(&s->reader, "BEGIN");

    if (r != 0)
        return r;
    s->active = &s->reader;
    r = work(base, data);
    s->active = NULL;
    (void)sqlite3_exec(s->reader.db, r == 0 ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
    if (!sqlite3_get_autocommit(s->reader.db))
        (void)sqlite3_exec(s->reader.db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

/* SQLite numbers its parameters with ?. */
static sqlite3_stmt *statement(Connection *c, StatementId id) {
    if (!c->statements[id]) {
        g_autofree char *sql = g_strdup(store_statements[id]);
        for (char *p = sql; *p != '\0'; p++)
            if (*p == '$')
                *p = '?';
        (void)sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &c->statements[id], NULL);
    }
    return c->statements[id];
}

static int bind(sqlite3_stmt *stmt, int position, const StoreValue *v) {
    if (v->type == 'i')
        return sqlite3_bind_int64(stmt, position, v->integer);
    if (v->type == 't')
        return sqlite3_bind_text64(stmt, position, v->bytes, v->size, SQLITE_TRANSIENT, SQLITE_UTF8);
    if (v->type == 'n')
        return sqlite3_bind_null(stmt, position);
    /* A pointer of NULL would bind SQL NULL where an empty value is meant. */
    return sqlite3_bind_blob64(stmt, position, v->size > 0 ? v->bytes : "", v->size, SQLITE_TRANSIENT);
}

static void finish(sqlite3_stmt *stmt) {
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
}

/* Binds and takes the first step. */
static int start(SqliteStore *s, StatementId id, const StoreValue *values, int n, sqlite3_stmt **ret) {
    sqlite3_stmt *stmt = statement(s->active, id);

    if (!stmt)
        return fault(s->active->db, store_statement_names[id]);
    for (int i = 0; i < n; i++)
        if (bind(stmt, i + 1, &values[i]) != SQLITE_OK)
            return finish(stmt), fault(s->active->db, store_statement_names[id]);
    int step = sqlite3_step(stmt);
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        int r = fault(s->active->db, store_statement_names[id]);
        return finish(stmt), r;
    }
    *ret = stmt;
    return 0;
}

static int sqlite_query(Store *base, StatementId id, const StoreValue *values, int n, StoreRows **ret) {
    SqliteStore *s = (SqliteStore *)base;
    sqlite3_stmt *stmt = NULL;
    int r = start(s, id, values, n, &stmt);

    if (r != 0)
        return r;
    SqliteRows *rows = g_new0(SqliteRows, 1);
    *rows = (SqliteRows){.base = {&store_sqlite}, .stmt = stmt, .db = s->active->db, .peeked = true};
    rows->step = sqlite3_data_count(stmt) > 0 ? SQLITE_ROW : SQLITE_DONE;
    *ret = &rows->base;
    return 0;
}

static int sqlite_next(StoreRows *base) {
    SqliteRows *rows = (SqliteRows *)base;

    if (!rows->peeked && rows->step == SQLITE_ROW)
        rows->step = sqlite3_step(rows->stmt);
    rows->peeked = false;
    if (rows->step == SQLITE_ROW)
        return 1;
    if (rows->step == SQLITE_DONE)
        return 0;
    (void)fault(rows->db, "reading rows");
    return -EIO;
}

static void sqlite_end(StoreRows *base) {
    SqliteRows *rows = (SqliteRows *)base;

    finish(rows->stmt);
    g_free(rows);
}

static int sqlite_change(Store *base, StatementId id, const StoreValue *values, int n, int64_t *ret_changes) {
    SqliteStore *s = (SqliteStore *)base;
    sqlite3_stmt *stmt = NULL;
    int r = start(s, id, values, n, &stmt);

    if (r != 0)
        return r;
    finish(stmt);
    if (ret_changes)
        *ret_changes = sqlite3_changes(s->active->db);
    return 0;
}

static int sqlite_run(Store *base, const char *sql) {
    return run_sql(((SqliteStore *)base)->active, sql);
}

static bool sqlite_is_null(StoreRows *rows, int column) {
    return sqlite3_column_type(((SqliteRows *)rows)->stmt, column) == SQLITE_NULL;
}

static int64_t sqlite_integer(StoreRows *rows, int column) {
    return sqlite3_column_int64(((SqliteRows *)rows)->stmt, column);
}

static const char *sqlite_text(StoreRows *rows, int column) {
    const unsigned char *text = sqlite3_column_text(((SqliteRows *)rows)->stmt, column);

    return text ? (const char *)text : "";
}

static const void *sqlite_bytes(StoreRows *rows, int column, size_t *ret_size) {
    sqlite3_stmt *stmt = ((SqliteRows *)rows)->stmt;
    const void *bytes = sqlite3_column_blob(stmt, column);

    *ret_size = (size_t)sqlite3_column_bytes(stmt, column);
    return bytes;
}

const StoreDriver store_sqlite = {
    .name = "sqlite",
    .pool_open = sqlite_pool_open,
    .pool_free = sqlite_pool_free,
    .open = sqlite_open,
    .free = sqlite_free,
    .write = sqlite_write,
    .read = sqlite_read,
    .query = sqlite_query,
    .change = sqlite_change,
    .run = sqlite_run,
    .next = sqlite_next,
    .end = sqlite_end,
    .is_null = sqlite_is_null,
    .integer = sqlite_integer,
    .text = sqlite_text,
    .bytes = sqlite_bytes,
};
