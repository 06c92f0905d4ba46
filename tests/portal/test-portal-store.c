/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records, on the database that PORTAL_TEST_POSTGRES names, else on SQLite in a new folder: what is in, what is
 * undone, what others see, and works that meet. Rows of the table of guesses serve as something to write.
 */
#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "store.h"

#define THREADS 8
#define ROUNDS  50

static char *folder, *database;
static bool postgres;
static StorePool *pool;
static Store *store;

static void setup(void) {
    const char *given = g_getenv("PORTAL_TEST_POSTGRES");

    postgres = given != NULL;
    folder = g_dir_make_tmp("eonay-store-XXXXXX", NULL);
    database = given ? g_strdup(given) : g_strdup_printf("sqlite:%s/portal.db", folder);
    ck_assert_int_eq(store_pool_open(database, &pool), 0);
    ck_assert_int_eq(store_new(pool, &store), 0);
}

static void teardown(void) {
    static const char *const names[] = {"portal.db", "portal.db-wal", "portal.db-shm"};

    store_free(store);
    store_pool_free(pool);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(folder);
    g_free(folder);
    g_free(database);
}

typedef struct Row {
    const char *bucket;
    const void *bytes;
    size_t size;
    int64_t number;
    int answer; /* of the work */
} Row;

static int put(Store *s, void *data) {
    const Row *row = data;
    int r = store_change(s, STATEMENT_GUESS_ADD, NULL, "bbi", row->bucket, strlen(row->bucket), row->bytes, row->size,
                         row->number);

    return r != 0 ? r : row->answer;
}

typedef struct Seen {
    const char *bucket;
    bool found;
    uint8_t bytes[4096];
    size_t size;
} Seen;

static int get(Store *s, void *data) {
    Seen *seen = data;
    _rows_ StoreRows *row = NULL;
    int r = store_row(s, STATEMENT_GUESS_GET, &row, "bbb", seen->bucket, strlen(seen->bucket), "", (size_t)0, "",
                      (size_t)0);

    seen->found = r == 0 && row;
    if (!seen->found)
        return r;
    const void *bytes = store_rows_bytes(row, 1, &seen->size);
    ck_assert_uint_le(seen->size, sizeof seen->bytes);
    if (seen->size > 0)
        memcpy(seen->bytes, bytes, seen->size);
    ck_assert_int_eq(store_rows_next(row), 0);
    return 0;
}

START_TEST(test_what_is_written_is_there) {
    uint8_t all[256];
    Seen seen = {.bucket = "all bytes"};

    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    ck_assert_int_eq(store_write(store, put, &(Row){"all bytes", all, sizeof all, INT64_MIN, 0}), 0);
    ck_assert_int_eq(store_read(store, get, &seen), 0);
    ck_assert(seen.found);
    ck_assert_uint_eq(seen.size, sizeof all);
    ck_assert_mem_eq(seen.bytes, all, sizeof all);
}
END_TEST

START_TEST(test_empty_is_not_null) {
    Seen seen = {.bucket = "empty"};

    ck_assert_int_eq(store_write(store, put, &(Row){"empty", NULL, 0, 1, 0}), 0);
    ck_assert_int_eq(store_read(store, get, &seen), 0);
    ck_assert(seen.found);
    ck_assert_uint_eq(seen.size, 0);
}
END_TEST

START_TEST(test_refused_work_leaves_nothing) {
    Seen seen = {.bucket = "refused"};

    ck_assert_int_eq(store_write(store, put, &(Row){"refused", "x", 1, 1, EONAY_ERROR_CODE_USED}),
                     EONAY_ERROR_CODE_USED);
    ck_assert_int_eq(store_read(store, get, &seen), 0);
    ck_assert(!seen.found);
}
END_TEST

/* NOT NULL is broken: the database refuses, the work fails, and the store goes on. */
static int break_rule(Store *s, void *data) {
    (void)data;
    return store_change(s, STATEMENT_SETTING_PUT, NULL, "tB", "broken", NULL, (size_t)0);
}

START_TEST(test_broken_statement) {
    Seen seen = {.bucket = "after"};

    ck_assert_int_eq(store_write(store, break_rule, NULL), EONAY_ERROR_STORAGE_FAILED);
    ck_assert_int_eq(store_write(store, put, &(Row){"after", "x", 1, 1, 0}), 0);
    ck_assert_int_eq(store_read(store, get, &seen), 0);
    ck_assert(seen.found);
}
END_TEST

typedef struct Half {
    pthread_barrier_t written, looked;
} Half;

static int write_and_wait(Store *s, void *data) {
    Half *half = data;
    int r = put(s, &(Row){"half", "x", 1, 1, 0});

    pthread_barrier_wait(&half->written);
    pthread_barrier_wait(&half->looked);
    return r;
}

static void *write_half(void *data) {
    Store *own = NULL;

    ck_assert_int_eq(store_new(pool, &own), 0);
    ck_assert_int_eq(store_write(own, write_and_wait, data), 0);
    store_free(own);
    return NULL;
}

START_TEST(test_others_see_what_is_committed) {
    Half half;
    pthread_t thread;
    Seen seen = {.bucket = "half"};

    pthread_barrier_init(&half.written, NULL, 2);
    pthread_barrier_init(&half.looked, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, write_half, &half), 0);
    pthread_barrier_wait(&half.written);
    ck_assert_int_eq(store_read(store, get, &seen), 0);
    ck_assert(!seen.found);
    pthread_barrier_wait(&half.looked);
    pthread_join(thread, NULL);
    ck_assert_int_eq(store_read(store, get, &seen), 0);
    ck_assert(seen.found);
}
END_TEST

/* Reads a number, adds one, writes it: what is lost when works mix. */
static int count(Store *s, void *data) {
    const char *bucket = data;
    uint64_t n = 0;
    _rows_ StoreRows *row = NULL;
    size_t size = 0;
    int r = store_change(s, STATEMENT_GUESS_ADD, NULL, "bbi", bucket, strlen(bucket), "", (size_t)0, (int64_t)0);

    if (r == 0)
        r = store_row(s, STATEMENT_GUESS_HOLD, &row, "b", bucket, strlen(bucket));
    if (r != 0)
        return r;
    const void *bytes = store_rows_bytes(row, 1, &size);
    if (size == sizeof n)
        memcpy(&n, bytes, size);
    store_rows_endp(&row);
    n++;
    return store_change(s, STATEMENT_GUESS_SET, NULL, "bbi", bucket, strlen(bucket), &n, sizeof n, (int64_t)0);
}

static void *count_often(void *data) {
    Store *own = NULL;

    ck_assert_int_eq(store_new(pool, &own), 0);
    for (int i = 0; i < ROUNDS; i++)
        ck_assert_int_eq(store_write(own, count, data), 0);
    store_free(own);
    return NULL;
}

START_TEST(test_many_threads_lose_nothing) {
    pthread_t threads[THREADS];
    Seen seen = {.bucket = "counter"};
    uint64_t n = 0;

    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_often, (void *)(uintptr_t) "counter"), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(store_read(store, get, &seen), 0);
    ck_assert_uint_eq(seen.size, sizeof n);
    memcpy(&n, seen.bytes, sizeof n);
    ck_assert_uint_eq(n, THREADS * ROUNDS);
}
END_TEST

typedef struct Crossing {
    const char *first, *second;
    pthread_barrier_t *both;
    int runs;
} Crossing;

/* Takes two rows in an order; two works in opposite orders block each other, and one has to give way. */
static int cross(Store *s, void *data) {
    Crossing *c = data;
    int r = count(s, (void *)(uintptr_t)c->first);

    if (c->runs++ == 0 && c->both)
        pthread_barrier_wait(c->both);
    return r != 0 ? r : count(s, (void *)(uintptr_t)c->second);
}

static void *run_crossing(void *data) {
    Store *own = NULL;

    ck_assert_int_eq(store_new(pool, &own), 0);
    ck_assert_int_eq(store_write(own, cross, data), 0);
    store_free(own);
    return NULL;
}

START_TEST(test_works_that_block_each_other) {
    pthread_barrier_t both;
    /* SQLite's works come one after the other and cannot meet. */
    Crossing one = {"a", "b", postgres ? &both : NULL, 0}, two = {"b", "a", postgres ? &both : NULL, 0};
    pthread_t threads[2];

    ck_assert_int_eq(store_write(store, count, (void *)(uintptr_t) "a"), 0);
    ck_assert_int_eq(store_write(store, count, (void *)(uintptr_t) "b"), 0);
    pthread_barrier_init(&both, NULL, 2);
    ck_assert_int_eq(pthread_create(&threads[0], NULL, run_crossing, &one), 0);
    ck_assert_int_eq(pthread_create(&threads[1], NULL, run_crossing, &two), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    if (postgres)
        ck_assert_int_ge(one.runs + two.runs, 3);
}
END_TEST

START_TEST(test_tables_are_made_once) {
    StorePool *again = NULL;

    ck_assert_int_eq(store_write(store, put, &(Row){"kept", "x", 1, 1, 0}), 0);
    ck_assert_int_eq(store_pool_open(database, &again), 0);
    store_pool_free(again);
    Seen seen = {.bucket = "kept"};
    ck_assert_int_eq(store_read(store, get, &seen), 0);
    ck_assert(seen.found);
}
END_TEST

START_TEST(test_no_database) {
    StorePool *none = NULL;

    ck_assert_int_eq(store_pool_open("mysql:nothing", &none), EONAY_ERROR_STORAGE_FAILED);
    ck_assert_int_eq(store_pool_open("sqlite:/nowhere/at/all.db", &none), EONAY_ERROR_STORAGE_FAILED);
    ck_assert_int_eq(store_pool_open("postgresql:///x?host=/nowhere", &none), EONAY_ERROR_STORAGE_FAILED);
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(test_code_form) {
    ck_assert(code_valid("168857414351237"));
    ck_assert(!code_valid("16885741435123"));
    ck_assert(!code_valid("1688574143512370"));
    ck_assert(!code_valid("16885741435123x"));
    ck_assert(!code_valid(NULL));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("portal-store");
    TCase *tests = tcase_create("store");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_what_is_written_is_there);
    tcase_add_test(tests, test_empty_is_not_null);
    tcase_add_test(tests, test_refused_work_leaves_nothing);
    tcase_add_test(tests, test_broken_statement);
    tcase_add_test(tests, test_others_see_what_is_committed);
    tcase_add_test(tests, test_many_threads_lose_nothing);
    tcase_add_test(tests, test_works_that_block_each_other);
    tcase_add_test(tests, test_tables_are_made_once);
    tcase_add_test(tests, test_no_database);
    tcase_add_test(tests, test_code_form);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
