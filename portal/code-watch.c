/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever takes a page off the list, under the lock, is the one that wakes it. A bell that rings between a page's look
 * and its wait is missed and made good by the next look at the records.
 */
#include "code-watch.h"

#include <pthread.h>
#include <time.h>

#include "clock.h"

#define LOOK_SECONDS 1

typedef struct Page {
    Request *request;
    int64_t code_id;
    CodeProgress known;
    int64_t until;
} Page;

struct CodeWatch {
    Store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Page pages[CODE_WATCH_MAX];
    size_t n;
    bool closed;
    bool running;
    pthread_t thread;
};

/* With the lock held; the last one takes its place. */
static Request *take(CodeWatch *w, size_t i) {
    Request *request = w->pages[i].request;

    w->pages[i] = w->pages[--w->n];
    return request;
}

static void wake_where(CodeWatch *w, bool (*matches)(const Page *page, const void *data), const void *data) {
    pthread_mutex_lock(&w->lock);
    for (size_t i = w->n; i > 0; i--)
        if (matches(&w->pages[i - 1], data))
            request_wake(take(w, i - 1));
    pthread_mutex_unlock(&w->lock);
}

static bool every(const Page *page, const void *data) {
    (void)page, (void)data;
    return true;
}

static bool of_code(const Page *page, const void *data) {
    return page->code_id == *(const int64_t *)data;
}

static bool is_late(const Page *page, const void *data) {
    return page->until <= *(const int64_t *)data;
}

static bool differs(const Page *page, const void *data) {
    const Page *now = data;

    return page->code_id == now->code_id && page->known != now->known;
}

/* One question a code; the pages are woken without the lock being held over it. */
static void look(CodeWatch *w) {
    g_autofree Page *pages = NULL;
    size_t n = 0;

    pthread_mutex_lock(&w->lock);
    n = w->n;
    pages = g_memdup2(w->pages, n * sizeof *pages);
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < n; i++) {
        CodeStatus status = {0};
        if (code_status(w->store, pages[i].code_id, clock_now(), &status) != 0)
            continue;
        pages[i].known = status.progress;
        wake_where(w, differs, &pages[i]);
    }
    const int64_t now = clock_now();
    wake_where(w, is_late, &now);
}

static void *run(void *data) {
    CodeWatch *w = data;
    struct timespec until;

    pthread_mutex_lock(&w->lock);
    while (!w->closed) {
        if (w->n == 0) {
            pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_SECONDS;
        (void)pthread_cond_timedwait(&w->changed, &w->lock, &until);
        pthread_mutex_unlock(&w->lock);
        look(w);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int code_watch_start(Portal *portal, CodeWatch **ret) {
    CodeWatch *w = g_new0(CodeWatch, 1);
    int r = 0;

    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    if ((r = store_new(portal->stores, &w->store)) != 0 || (r = -pthread_create(&w->thread, NULL, run, w)) != 0)
        return code_watch_stop(w), r;
    w->running = true;
    *ret = w;
    return 0;
}

void code_watch_close(CodeWatch *w) {
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->closed = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    wake_where(w, every, NULL);
}

CodeWatch *code_watch_stop(CodeWatch *w) {
    if (!w)
        return NULL;
    if (w->running)
        pthread_join(w->thread, NULL);
    store_free(w->store);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    g_free(w);
    return NULL;
}

bool code_watch_wait(CodeWatch *w, Request *request, int64_t code_id, CodeProgress known, int64_t until) {
    size_t same = 0;

    if (!w)
        return false;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->n; i++)
        same += w->pages[i].code_id == code_id;
    bool room = !w->closed && w->n < CODE_WATCH_MAX && same < CODE_WATCH_SAME_MAX;
    if (room) {
        w->pages[w->n++] = (Page){request, code_id, known, until};
        if (w->n == 1)
            pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return room;
}

void code_watch_bell(CodeWatch *w, int64_t code_id) {
    if (w)
        wake_where(w, of_code, &code_id);
}
