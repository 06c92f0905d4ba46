/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <pthread.h>

#include "clock.h"
#include "log.h"

#define WORKER_STACK (256u * 1024)

typedef struct Job {
    Request *request;
    void *data;
} Job;

typedef struct Worker {
    Workers *all;
    Store *store;
    pthread_t thread;
} Worker;

struct Workers {
    Portal *portal;
    WorkerDone done;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Job queue[WORKER_QUEUE_MAX];
    unsigned first, n;
    bool stopping;
    Worker *threads;
    int n_threads;
};

static bool take(Workers *w, Job *ret) {
    pthread_mutex_lock(&w->lock);
    while (w->n == 0 && !w->stopping)
        pthread_cond_wait(&w->changed, &w->lock);
    bool got = w->n > 0;
    if (got) {
        *ret = w->queue[w->first];
        w->first = (w->first + 1) % WORKER_QUEUE_MAX;
        w->n--;
    }
    pthread_mutex_unlock(&w->lock);
    return got;
}

static void *run(void *data) {
    Worker *worker = data;
    Workers *w = worker->all;
    Job job;

    while (take(w, &job)) {
        job.request->store = worker->store;
        job.request->now = clock_now();
        Reply *reply = job.request->route->handler(job.request);
        if (reply) /* else it waits, and may be gone already */
            w->done(job.request, reply, job.data);
    }
    return NULL;
}

static int start(Workers *w, Worker *worker) {
    pthread_attr_t attributes;
    int r = store_new(w->portal->stores, &worker->store);

    worker->all = w;
    if (r != 0)
        return r;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WORKER_STACK);
    r = -pthread_create(&worker->thread, &attributes, run, worker);
    pthread_attr_destroy(&attributes);
    if (r != 0)
        worker->store = store_free(worker->store);
    return r;
}

int workers_new(Portal *portal, WorkerDone done, Workers **ret) {
    Workers *w = g_new0(Workers, 1);
    int r = 0;

    w->portal = portal;
    w->done = done;
    w->threads = g_new0(Worker, portal->config->workers);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    while (r == 0 && w->n_threads < portal->config->workers)
        if ((r = start(w, &w->threads[w->n_threads])) == 0)
            w->n_threads++;
    if (r != 0)
        return workers_free(w), r;
    *ret = w;
    return 0;
}

void workers_stop(Workers *w) {
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->n_threads; i++) {
        pthread_join(w->threads[i].thread, NULL);
        store_free(w->threads[i].store);
    }
    w->n_threads = 0;
}

Workers *workers_free(Workers *w) {
    if (!w)
        return NULL;
    workers_stop(w);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    g_free(w->threads);
    g_free(w);
    return NULL;
}

bool workers_push(Workers *w, Request *request, void *data) {
    pthread_mutex_lock(&w->lock);
    bool room = w->n < WORKER_QUEUE_MAX && !w->stopping;
    if (room) {
        w->queue[(w->first + w->n++) % WORKER_QUEUE_MAX] = (Job){request, data};
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return room;
}
