/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two queues under one lock, a condition for those who run and an eventfd for the one who waits in poll(). There is no
 * end: the process leaves with _exit(), and a thread that hangs in a plugin could not be joined anyway. Each thread has
 * a deadline timer of its own.
 */
#include "workers.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "deadline.h"

#define STACK_SIZE (1u << 20)

struct Workers {
    void (*run)(void *job);
    pthread_mutex_t lock;
    pthread_cond_t pushed;
    GQueue waiting, ended;
    unsigned threads, resting;
    unsigned inside; /* pushed and not taken; the owner's alone */
    int event;
};

static void tell(const Workers *w) {
    const uint64_t one = 1;
    if (write(w->event, &one, sizeof(one)) < 0 && errno != EAGAIN)
        g_error("the threads cannot tell that they are done");
}

static void *work(void *userdata) {
    Workers *w = userdata;
    if (deadline_init() < 0)
        g_error("a thread has no deadline"); /* without one no call may begin */
    pthread_mutex_lock(&w->lock);
    for (;;) {
        void *job = g_queue_pop_head(&w->waiting);
        if (!job) {
            w->resting++;
            pthread_cond_wait(&w->pushed, &w->lock);
            w->resting--;
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        w->run(job);
        pthread_mutex_lock(&w->lock);
        g_queue_push_tail(&w->ended, job);
        tell(w);
    }
    return NULL;
}

static int start_thread(Workers *w) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&thread, &attributes, work, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (r == 0)
        w->threads++;
    return -r;
}

int workers_new(void (*run)(void *job), Workers **ret) {
    Workers *w = g_new0(Workers, 1);
    w->run = run;
    w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->event < 0) {
        int r = -errno;
        g_free(w);
        return r;
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->pushed, NULL);
    *ret = w;
    return 0;
}

int workers_push(Workers *w, void *job) {
    int r = 0;
    pthread_mutex_lock(&w->lock);
    if (w->resting <= g_queue_get_length(&w->waiting) && w->threads < WORKERS_MAX)
        r = start_thread(w);
    if (w->threads > 0) {
        r = 0;
        w->inside++;
        g_queue_push_tail(&w->waiting, job);
        pthread_cond_signal(&w->pushed);
    }
    pthread_mutex_unlock(&w->lock);
    return r;
}

void *workers_take(Workers *w) {
    uint64_t n;
    if (read(w->event, &n, sizeof(n)) < 0 && errno != EAGAIN)
        return NULL;
    pthread_mutex_lock(&w->lock);
    void *job = g_queue_pop_head(&w->ended);
    if (job && !g_queue_is_empty(&w->ended))
        tell(w); /* there is more to take */
    pthread_mutex_unlock(&w->lock);
    if (job)
        w->inside--;
    return job;
}

int workers_fd(const Workers *w) {
    return w->event;
}

bool workers_idle(const Workers *w) {
    return w->inside == 0;
}
