/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite in WAL mode with synchronous=FULL: a commit is one append and one flush, readers of other processes are not
 * in the way, and what store_commit() said stays true through a power cut. A transaction takes the write lock at its
 * beginning, so that it never has to be repeated because another process wrote in between.
 *
 * Statements are prepared once and kept. Whatever SQLite reports (damage, a full or read-only disk, a lock held for
 * too long) becomes STORAGE_FAILED with SQLite's extended number.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fault.h"
#include "schema.h"

#define BUSY_TIMEOUT_MSEC  8000
#define WAL_SWITCH_RETRIES 200 /* of 20 ms: SQLite does not always wait there by itself */

struct Store {
    const EonayHost *host;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    Key key;
};

static const char *const statement_sql[STATEMENT_COUNT] = {
#define STATEMENT_SQL_(id, sql) [STATEMENT_##id] = (sql),
    STATEMENT_TABLE(STATEMENT_SQL_)
#undef STATEMENT_SQL_
};

int store_fault(const EonayHost *host, int result, const char *doing) {
    return fault(host, EONAY_ERROR_STORAGE_FAILED, (uint64_t)(unsigned)result, "%s: SQLite: %s (%d)", doing,
                 sqlite3_errstr(result), result);
}

static int statement_fault(Store *s, StatementId id) {
    static const char *const names[STATEMENT_COUNT] = {
#define STATEMENT_NAME_(name, sql) [STATEMENT_##name] = #name,
        STATEMENT_TABLE(STATEMENT_NAME_)
#undef STATEMENT_NAME_
    };

    return store_fault(s->host, sqlite3_extended_errcode(s->db), names[id]);
}

/* The file is made by us, for us alone: SQLite would leave its mode to the umask. WAL files take the mode over. */
static int prepare_file(const EonayHost *host, const char *path) {
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat st;

    if (fd < 0)
        return fault(host, EONAY_ERROR_STORAGE_FAILED, (uint64_t)(unsigned)errno, "%s: %s", path,
                     strerrordesc_np(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return fault(host, EONAY_ERROR_STORAGE_FAILED, 0, "%s: is not a regular file", path);
    /* By descriptor: in the host's sandbox nothing can be changed by path. */
    if (fchmod(fd, 0600) < 0)
        return fault(host, EONAY_ERROR_STORAGE_FAILED, (uint64_t)(unsigned)errno, "%s: cannot be closed to others",
                     path);
    return 0;
}

static int switch_to_wal(sqlite3 *db) {
    const struct timespec pause = {.tv_nsec = 20000000};
    int r = SQLITE_OK;

    for (int i = 0; i < WAL_SWITCH_RETRIES; i++) {
        r = sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((r & 0xff) != SQLITE_BUSY && (r & 0xff) != SQLITE_LOCKED)
            break;
        (void)nanosleep(&pause, NULL);
    }
    return r;
}

static int configure(Store *s) {
    int r = 0;

    (void)sqlite3_extended_result_codes(s->db, 1);
    (void)sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MSEC);
    if ((r = schema_check(s->host, s->db)) != 0)
        return r;
    r = switch_to_wal(s->db);
    /* Temporary files would land outside of what the sandbox lets us write; erased rows must not stay readable. */
    if (r == SQLITE_OK)
        r = sqlite3_exec(s->db,
                         "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                         "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -1024;",
                         NULL, NULL, NULL);
    return r == SQLITE_OK ? 0 : store_fault(s->host, r, "opening the database");
}

/* The database remembers what its key makes of a fixed word, so that a key of another database is noticed. */
static int check_key(Store *s, bool fresh) {
    uint8_t hash[KEYED_HASH_SIZE];
    _row_ sqlite3_stmt *row = NULL;
    int r = key_hash(s->host, &s->key, "check", "key", hash);

    if (r != 0)
        return r;
    if (fresh)
        return store_change(s, STATEMENT_SETTING_PUT, NULL, "tb", "key-check", hash, sizeof hash);
    if ((r = store_row(s, STATEMENT_SETTING_GET, &row, "t", "key-check")) != 0)
        return r;
    if (!row || sqlite3_column_bytes(row, 0) != (int)sizeof hash ||
        memcmp(sqlite3_column_blob(row, 0), hash, sizeof hash) != 0)
        return fault(s->host, EONAY_ERROR_STORAGE_FAILED, 0, "the key file is not the one of this database");
    return 0;
}

/* Looks twice at the version: without a lock in the usual case, and again under it when there is work. */
static int upgrade(Store *s, const char *path) {
    _transaction_ Store *transaction = NULL;
    bool fresh = false;
    int r = 0;

    if (schema_is_current(s->db)) {
        r = key_open(s->host, path, false, &s->key);
        return r != 0 ? r : check_key(s, false);
    }
    if ((r = store_begin(s, &transaction)) != 0 || (r = schema_upgrade(s->host, s->db, &fresh)) != 0 ||
        (r = key_open(s->host, path, fresh, &s->key)) != 0 || (r = check_key(s, fresh)) != 0)
        return r;
    return store_commit(&transaction);
}

static void store_freep(Store **s) {
    store_free(*s);
}

int store_open(const EonayHost *host, const char *path, Store **ret) {
    _cleanup_(store_freep) Store *s = calloc(1, sizeof *s);
    int r = 0;

    if (!s)
        return -ENOMEM;
    s->host = host;
    if ((r = prepare_file(host, path)) != 0)
        return r;
    r = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (r != SQLITE_OK)
        return store_fault(host, r, path);
    if ((r = configure(s)) != 0 || (r = upgrade(s, path)) != 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

Store *store_free(Store *s) {
    if (!s)
        return NULL;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    key_erase(&s->key);
    free(s);
    return NULL;
}

const Key *store_key(const Store *s) {
    return &s->key;
}

static int bind_one(sqlite3_stmt *stmt, int position, char type, va_list *ap) {
    if (type == 'i')
        return sqlite3_bind_int64(stmt, position, va_arg(*ap, int64_t));
    if (type == 't')
        return sqlite3_bind_text(stmt, position, va_arg(*ap, const char *), -1, SQLITE_TRANSIENT);
    if (type != 'b')
        return SQLITE_MISUSE;

    const void *bytes = va_arg(*ap, const void *);
    size_t size = va_arg(*ap, size_t);
    /* A pointer of NULL would bind SQL NULL where an empty value is meant. */
    return sqlite3_bind_blob64(stmt, position, size > 0 ? bytes : "", size, SQLITE_TRANSIENT);
}

/* Prepares at first use, binds and takes the first step. Returns SQLite's result. */
static int start(Store *s, StatementId id, const char *types, va_list *ap) {
    int r = SQLITE_OK;

    if (!s->statements[id])
        r = sqlite3_prepare_v3(s->db, statement_sql[id], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[id], NULL);
    for (int i = 0; r == SQLITE_OK && types[i] != '\0'; i++)
        r = bind_one(s->statements[id], i + 1, types[i], ap);
    return r == SQLITE_OK ? sqlite3_step(s->statements[id]) : r;
}

static void finish(sqlite3_stmt *stmt) {
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
}

int store_row(Store *s, StatementId id, sqlite3_stmt **ret_row, const char *types, ...) {
    va_list ap;

    va_start(ap, types);
    int step = start(s, id, types, &ap);
    va_end(ap);
    if (step == SQLITE_ROW)
        return *ret_row = s->statements[id], 0;

    int r = step == SQLITE_DONE ? 0 : statement_fault(s, id);
    if (s->statements[id])
        finish(s->statements[id]);
    if (r == 0)
        *ret_row = NULL;
    return r;
}

void store_row_endp(sqlite3_stmt **row) {
    if (*row)
        finish(*row);
    *row = NULL;
}

int store_change(Store *s, StatementId id, int *ret_changes, const char *types, ...) {
    va_list ap;

    va_start(ap, types);
    int step = start(s, id, types, &ap);
    va_end(ap);

    int r = step == SQLITE_DONE ? 0 : statement_fault(s, id);
    if (s->statements[id])
        finish(s->statements[id]);
    if (r == 0 && ret_changes)
        *ret_changes = sqlite3_changes(s->db);
    return r;
}

int64_t store_last_id(const Store *s) {
    return sqlite3_last_insert_rowid(s->db);
}

int store_begin(Store *s, Store **ret_transaction) {
    int r = store_change(s, STATEMENT_BEGIN, NULL, "");

    if (r == 0)
        *ret_transaction = s;
    return r;
}

/* A commit that fails leaves the transaction open in some cases; the scope's end then undoes it. */
int store_commit(Store **transaction) {
    int r = store_change(*transaction, STATEMENT_COMMIT, NULL, "");

    if (r == 0)
        *transaction = NULL;
    return r;
}

void store_rollbackp(Store **transaction) {
    Store *s = *transaction;

    *transaction = NULL;
    if (!s || sqlite3_get_autocommit(s->db))
        return;
    /* The reason of the failure is recorded already and must not be overwritten by this one's. */
    (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}
