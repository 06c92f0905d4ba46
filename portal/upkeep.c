/* SPDX-License-Identifier: Apache-2.0 */
#include "upkeep.h"

#include <pthread.h>
#include <time.h>

#include "clock.h"
#include "publication.h"
#include "revocation.h"

#define PERIOD_SECONDS 60
#define BATCH          64 /* as in the statements */
#define ROUNDS_MAX     64

struct Upkeep {
    Portal *portal;
    Store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    bool running;
    pthread_t thread;
};

typedef struct Purge {
    int64_t before;
    int64_t removed;
} Purge;

static int purge_consents(Store *store, Purge *p) {
    int64_t ids[BATCH];
    int r = 0, n = 0;

    {
        _rows_ StoreRows *rows = NULL;
        if ((r = store_query(store, STATEMENT_CONSENT_PURGE, &rows, "i", p->before)) != 0)
            return r;
        while (n < BATCH && store_rows_next(rows) == 1)
            ids[n++] = store_rows_int(rows, 0);
    }
    for (int i = 0; r == 0 && i < n; i++)
        r = store_change(store, STATEMENT_TEXT_PURGE, NULL, "i", ids[i]);
    p->removed += n;
    return r;
}

static int purge(Store *store, void *data) {
    static const StatementId statements[] = {STATEMENT_CODE_PURGE, STATEMENT_DEVICE_PURGE};
    Purge *p = data;
    int r = 0;

    p->removed = 0;
    r = purge_consents(store, p);
    for (size_t i = 0; r == 0 && i < G_N_ELEMENTS(statements); i++) {
        int64_t changes = 0;
        r = store_change(store, statements[i], &changes, "i", p->before);
        p->removed += changes;
    }
    return r != 0 ? r : store_change(store, STATEMENT_GUESS_PURGE, NULL, "i", p->before + DAY_USEC - 10 * MINUTE_USEC);
}

static void tidy(Upkeep *u) {
    Purge p = {.before = clock_now() - DAY_USEC, .removed = 1};

    for (int i = 0; i < ROUNDS_MAX && p.removed > 0; i++)
        if (store_write(u->store, purge, &p) != 0)
            return;
}

static void *run(void *data) {
    Upkeep *u = data;
    struct timespec until;

    pthread_mutex_lock(&u->lock);
    while (!u->stopping) {
        pthread_mutex_unlock(&u->lock);
        tidy(u);
        revocation_refresh(u->portal->revocation);
        publication_tend(u->portal, u->store);
        pthread_mutex_lock(&u->lock);
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PERIOD_SECONDS;
        if (!u->stopping)
            (void)pthread_cond_timedwait(&u->changed, &u->lock, &until);
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

int upkeep_start(Portal *portal, Upkeep **ret) {
    Upkeep *u = g_new0(Upkeep, 1);
    int r = 0;

    u->portal = portal;
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->changed, NULL);
    if ((r = store_new(portal->stores, &u->store)) != 0 || (r = -pthread_create(&u->thread, NULL, run, u)) != 0)
        return upkeep_stop(u), r;
    u->running = true;
    *ret = u;
    return 0;
}

Upkeep *upkeep_stop(Upkeep *u) {
    if (!u)
        return NULL;
    pthread_mutex_lock(&u->lock);
    u->stopping = true;
    pthread_cond_signal(&u->changed);
    pthread_mutex_unlock(&u->lock);
    if (u->running)
        pthread_join(u->thread, NULL);
    store_free(u->store);
    pthread_cond_destroy(&u->changed);
    pthread_mutex_destroy(&u->lock);
    g_free(u);
    return NULL;
}
