/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL through libpq: each thread has a connection, opened when it is first needed and again after it was lost.
 * Works run at READ COMMITTED: every change names the state it starts from, and unique constraints hold the rest.
 * What deadlocked or could not be serialised is run again. Every answer is waited for with a deadline.
 *
 * The connection is in libpq's pipeline mode. What has no answer that the work waits for (BEGIN, a change whose number
 * of rows nobody asked) is only put into the buffer and goes along with the next question or the COMMIT; a fault in it
 * is seen there. That halves the number of round trips.
 */
#include <errno.h>
#include <glib.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "eonay/plugin.h"
#include "log.h"
#include "store-internal.h"

typedef struct PgPool {
    StorePool base;
    char *uri;
} PgPool;

typedef struct PgStore {
    Store base;
    PGconn *connection;
    bool prepared[STATEMENT_COUNT];
    bool preparing;  /* some of them since the last mark that was read */
    bool committing; /* COMMIT is on its way: from here on a lost connection leaves the outcome open */
    bool unread;     /* a mark was sent whose answers are not read yet */
    bool again;      /* the failure at hand goes away by running the work again */
} PgStore;

typedef struct PgRows {
    StoreRows base;
    PGresult *result;
    int row; /* -1 before the first */
} PgRows;

static void result_clearp(PGresult **result) {
    PQclear(*result);
}
#define _result_ __attribute__((cleanup(result_clearp)))

static int pg_pool_open(const char *database, StorePool **ret) {
    PgPool *pool = g_new0(PgPool, 1);

    pool->base.driver = &store_pg;
    pool->uri = g_strdup(database);
    *ret = &pool->base;
    return 0;
}

static void pg_pool_free(StorePool *base) {
    g_free(((PgPool *)base)->uri);
    g_free(base);
}

static void disconnect(PgStore *s) {
    PQfinish(s->connection);
    s->connection = NULL;
    memset(s->prepared, 0, sizeof s->prepared);
    s->unread = s->preparing = false;
}

/* libpq's messages may quote values of the statement; SQLSTATE and our name of it say enough. */
static int fault(PgStore *s, const char *doing, const PGresult *result) {
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    s->again = state && (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0);
    if (!s->again)
        log_error("PostgreSQL: %s: SQLSTATE %s", doing, state ? state : "none (connection)");
    /* Which of the statements being prepared are there now is not known. */
    if (!s->connection || PQstatus(s->connection) != CONNECTION_OK || s->preparing)
        disconnect(s);
    return EONAY_ERROR_STORAGE_FAILED;
}

static int connect_now(PgStore *s) {
    const PgPool *pool = (const PgPool *)s->base.pool;
    const char *keywords[] = {"dbname", "connect_timeout", "tcp_user_timeout", "application_name", "options", NULL};
    const char *values[] = {pool->uri,
                            "5",
                            "10000",
                            "eonay-portal",
                            "-c statement_timeout=8000 -c lock_timeout=8000 "
                            "-c idle_in_transaction_session_timeout=20000 -c synchronous_commit=on -c "
                            "client_min_messages=warning -c plan_cache_mode=force_generic_plan -c jit=off",
                            NULL};

    s->connection = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(s->connection) != CONNECTION_OK) {
        log_error("PostgreSQL: cannot connect: %s", PQerrorMessage(s->connection));
        disconnect(s);
        return EONAY_ERROR_STORAGE_FAILED;
    }
    if (PQenterPipelineMode(s->connection) != 1)
        return fault(s, "pipeline mode", NULL);
    return 0;
}

/* The next result, or NULL between two commands; a database that is stopped must not stop us. */
static int next_result(PgStore *s, int64_t until, PGresult **ret) {
    while (PQisBusy(s->connection)) {
        struct pollfd fd = {.fd = PQsocket(s->connection), .events = POLLIN};
        int64_t left = (until - g_get_monotonic_time()) / 1000;
        int n = left > 0 ? poll(&fd, 1, (int)left) : 0;

        if (n == 0)
            return -ETIMEDOUT;
        if ((n < 0 && errno != EINTR) || (n > 0 && PQconsumeInput(s->connection) != 1))
            return -EIO;
    }
    *ret = PQgetResult(s->connection);
    return PQstatus(s->connection) == CONNECTION_OK ? 0 : -EIO;
}

/* The server undoes a transaction whose connection is gone, so a work may run again if it was not being committed. */
static int lost(PgStore *s, const char *doing) {
    int r = fault(s, doing, NULL);

    s->again = !s->committing;
    return r;
}

/* Reads the answers up to the mark that was sent last. *ret (may be NULL) is the last command's. */
static int drain(PgStore *s, const char *doing, PGresult **ret) {
    const int64_t until = g_get_monotonic_time() + (int64_t)STORE_ANSWER_MSEC * 1000;
    _result_ PGresult *last = NULL;
    _result_ PGresult *error = NULL;

    for (;;) {
        PGresult *result = NULL;
        int r = next_result(s, until, &result);
        if (r != 0) {
            PQclear(result);
            disconnect(s);
            r = r == -ETIMEDOUT ? fault(s, doing, NULL) : lost(s, doing);
            return r;
        }
        ExecStatusType status = PQresultStatus(result);
        if (result && status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            break;
        }
        if (result && (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)) {
            PQclear(last);
            last = result;
        } else if (result && !error && status != PGRES_PIPELINE_ABORTED) {
            error = result;
        } else {
            PQclear(result);
        }
    }
    s->unread = false;
    if (!error)
        s->preparing = false;
    if (error)
        return fault(s, doing, error);
    if (ret) {
        *ret = last;
        last = NULL;
    }
    return 0;
}

/* Into the buffer only. */
static int queue(PgStore *s, const char *sql) {
    if (!s->connection)
        return EONAY_ERROR_STORAGE_FAILED;
    return PQsendQueryParams(s->connection, sql, 0, NULL, NULL, NULL, NULL, 1) == 1 ? 0 : fault(s, sql, NULL);
}

/* Sends what is in the buffer, and a mark at which the answers end. */
static int send_mark(PgStore *s, const char *doing) {
    if (!s->connection || PQpipelineSync(s->connection) != 1)
        return fault(s, doing, NULL);
    s->unread = true;
    return 0;
}

static int command(PgStore *s, const char *sql) {
    int r = queue(s, sql);

    if (r == 0)
        r = send_mark(s, sql);
    return r != 0 ? r : drain(s, sql, NULL);
}

static int queue_statement(PgStore *s, StatementId id, const StoreValue *values, int n) {
    const char *bytes[STORE_PARAMETERS_MAX];
    int sizes[STORE_PARAMETERS_MAX], formats[STORE_PARAMETERS_MAX];
    char numbers[STORE_PARAMETERS_MAX][24];

    if (!s->connection)
        return EONAY_ERROR_STORAGE_FAILED;
    for (int i = 0; i < n; i++) {
        const StoreValue *v = &values[i];

        formats[i] = v->type == 'b';
        sizes[i] = (int)v->size;
        bytes[i] = v->type == 'n' ? NULL : v->bytes;
        if (v->type == 'b' && v->size == 0)
            bytes[i] = "";
        if (v->type == 'i') {
            (void)snprintf(numbers[i], sizeof numbers[i], "%lld", (long long)v->integer);
            bytes[i] = numbers[i];
        }
    }
    if (!s->prepared[id] && PQsendPrepare(s->connection, store_statement_names[id], store_statements[id], 0, NULL) != 1)
        return fault(s, store_statement_names[id], NULL);
    s->preparing = s->preparing || !s->prepared[id];
    s->prepared[id] = true;
    if (PQsendQueryPrepared(s->connection, store_statement_names[id], n, bytes, sizes, formats, 1) != 1)
        return fault(s, store_statement_names[id], NULL);
    return 0;
}

static int execute(PgStore *s, StatementId id, const StoreValue *values, int n, PGresult **ret) {
    int r = queue_statement(s, id, values, n);

    if (r == 0)
        r = send_mark(s, store_statement_names[id]);
    return r != 0 ? r : drain(s, store_statement_names[id], ret);
}

/* A connection that was lost while idle shows it here, or when the first answer is read: nothing was done yet. */
static int begin(PgStore *s, const char *sql) {
    if (s->connection && s->unread)
        (void)drain(s, "the end of reading", NULL);
    if (s->connection && PQconsumeInput(s->connection) != 1)
        disconnect(s);
    int r = s->connection ? 0 : connect_now(s);
    return r != 0 ? r : queue(s, sql);
}

static void undo(PgStore *s) {
    if (!s->connection)
        return;
    /* What was only put into the buffer must not be left there. */
    if (command(s, "ROLLBACK") != 0)
        disconnect(s);
}

/* The answer to the end of a reading is not waited for: begin() takes it. */
static int end(PgStore *s, bool reading) {
    int r = 0;

    s->committing = !reading;
    if (!reading)
        return command(s, "COMMIT");
    if ((r = queue(s, "COMMIT")) == 0 && (r = send_mark(s, "COMMIT")) == 0 && PQflush(s->connection) < 0)
        r = fault(s, "COMMIT", NULL);
    return r;
}

static int transaction(PgStore *s, const char *sql, bool reading, StoreWork work, void *data) {
    int r = 0;

    s->again = s->committing = false;
    if ((r = begin(s, sql)) != 0)
        return r;
    r = work(&s->base, data);
    if (r == 0)
        r = end(s, reading);
    if (r != 0) {
        bool again = s->again;
        undo(s);
        s->again = again;
    }
    return r;
}

static int repeat(PgStore *s, const char *sql, bool reading, StoreWork work, void *data) {
    int r = 0;

    for (int attempt = 0; attempt < STORE_ATTEMPTS_MAX; attempt++) {
        r = transaction(s, sql, reading, work, data);
        if (r != EONAY_ERROR_STORAGE_FAILED || !s->again)
            return r;
        g_usleep((gulong)g_random_int_range(500, 2000) << attempt);
    }
    log_error("PostgreSQL: a work met others too often");
    return r;
}

static int pg_write(Store *base, StoreWork work, void *data) {
    return repeat((PgStore *)base, "BEGIN", false, work, data);
}

static int pg_read(Store *base, StoreWork work, void *data) {
    return repeat((PgStore *)base, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", true, work, data);
}

static int pg_open(StorePool *pool, Store **ret) {
    PgStore *s = g_new0(PgStore, 1);

    s->base = (Store){.driver = &store_pg, .pool = pool};
    *ret = &s->base;
    return 0;
}

static void pg_free(Store *base) {
    disconnect((PgStore *)base);
    g_free(base);
}

static int pg_query(Store *base, StatementId id, const StoreValue *values, int n, StoreRows **ret) {
    PGresult *result = NULL;
    int r = execute((PgStore *)base, id, values, n, &result);

    if (r != 0)
        return r;
    PgRows *rows = g_new0(PgRows, 1);
    *rows = (PgRows){.base = {&store_pg}, .result = result, .row = -1};
    *ret = &rows->base;
    return 0;
}

static int pg_change(Store *base, StatementId id, const StoreValue *values, int n, int64_t *ret_changes) {
    _result_ PGresult *result = NULL;

    if (!ret_changes)
        return queue_statement((PgStore *)base, id, values, n);
    int r = execute((PgStore *)base, id, values, n, &result);
    if (r == 0)
        *ret_changes = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
    return r;
}

/* A step is several statements, which the pipeline does not take at once. */
static int pg_run(Store *base, const char *sql) {
    g_auto(GStrv) statements = g_strsplit(sql, ";", -1);
    int r = 0;

    for (char **statement = statements; r == 0 && *statement; statement++)
        if (*g_strstrip(*statement) != '\0')
            r = command((PgStore *)base, *statement);
    return r;
}

static int pg_next(StoreRows *base) {
    PgRows *rows = (PgRows *)base;

    return ++rows->row < PQntuples(rows->result);
}

static void pg_end(StoreRows *base) {
    PQclear(((PgRows *)base)->result);
    g_free(base);
}

static bool pg_is_null(StoreRows *base, int column) {
    const PgRows *rows = (const PgRows *)base;

    return PQgetisnull(rows->result, rows->row, column);
}

/* Binary results: integers are big-endian, of 2, 4 or 8 bytes. */
static int64_t pg_integer(StoreRows *base, int column) {
    const PgRows *rows = (const PgRows *)base;
    const uint8_t *p = (const uint8_t *)PQgetvalue(rows->result, rows->row, column);
    int size = PQgetlength(rows->result, rows->row, column);
    uint64_t value = size > 0 && (p[0] & 0x80) ? UINT64_MAX : 0;

    if (size > 8)
        return 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | p[i];
    return (int64_t)value;
}

static const char *pg_text(StoreRows *base, int column) {
    const PgRows *rows = (const PgRows *)base;

    return PQgetvalue(rows->result, rows->row, column);
}

static const void *pg_bytes(StoreRows *base, int column, size_t *ret_size) {
    const PgRows *rows = (const PgRows *)base;

    *ret_size = (size_t)PQgetlength(rows->result, rows->row, column);
    return PQgetvalue(rows->result, rows->row, column);
}

const StoreDriver store_pg = {
    .name = "postgresql",
    .pool_open = pg_pool_open,
    .pool_free = pg_pool_free,
    .open = pg_open,
    .free = pg_free,
    .write = pg_write,
    .read = pg_read,
    .query = pg_query,
    .change = pg_change,
    .run = pg_run,
    .next = pg_next,
    .end = pg_end,
    .is_null = pg_is_null,
    .integer = pg_integer,
    .text = pg_text,
    .bytes = pg_bytes,
};
