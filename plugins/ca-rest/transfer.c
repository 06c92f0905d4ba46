/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's handles belong to one thread at a time. A caller prepares its easy handle and puts the transfer into the
 * list; the driver thread adds it to the multi handle, and when it is over takes it out again and wakes the caller.
 * Each transfer has a time limit of its own in libcurl, so that no caller waits for ever.
 *
 * Redirects are never followed: this interface has none, and one would carry secrets to somebody else.
 */
#include "transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "connection.h"
#include "fault.h"
#include "scope.h"

#define CONNECTIONS_MAX 16L /* one for each call the host makes at once, should it be HTTP/1.1 */
#define BUSY_MS         1000
#define IDLE_MS         (3600 * 1000) /* a new transfer wakes the driver; nothing else does */

typedef struct Transfer {
    struct Transfer *next;
    CURL *easy;
    Answer answer;
    size_t capacity;
    CURLcode result;
    bool done;
    char reason[CURL_ERROR_SIZE];
} Transfer;

struct Transfers {
    const EonayHost *host;
    const Settings *settings;
    CURLM *multi;
    pthread_t driver;
    bool driven, stopping;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    Transfer *waiting; /* not yet with the driver */
};

static uint64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t transfer_deadline(const Transfers *t) {
    return now_ms() + t->settings->timeout_ms;
}

void answer_clear(Answer *a) {
    if (a->body)
        explicit_bzero(a->body, a->size);
    free(a->body);
    *a = (Answer){0};
}

/* ------------------------------------------------------------------------------------------------------ driver -- */

static void take_waiting(Transfers *t) {
    while (t->waiting) {
        Transfer *one = t->waiting;
        t->waiting = one->next;
        one->next = NULL;
        if (curl_multi_add_handle(t->multi, one->easy) == CURLM_OK)
            continue;
        one->result = CURLE_OUT_OF_MEMORY;
        one->done = true;
    }
}

static void give_back_ended(Transfers *t) {
    int left = 0;

    for (CURLMsg *m; (m = curl_multi_info_read(t->multi, &left));) {
        Transfer *one = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode result = m->data.result; /* the message dies with the handle's stay */
        CURL *easy = m->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &one);
        curl_multi_remove_handle(t->multi, easy);
        one->result = result;
        one->done = true;
    }
}

static void *drive(void *userdata) {
    Transfers *t = userdata;
    int running = 0;

    pthread_mutex_lock(&t->lock);
    while (!t->stopping) {
        take_waiting(t);
        pthread_mutex_unlock(&t->lock);
        curl_multi_perform(t->multi, &running);
        pthread_mutex_lock(&t->lock);
        give_back_ended(t);
        pthread_cond_broadcast(&t->ended);
        if (t->waiting || t->stopping)
            continue;
        pthread_mutex_unlock(&t->lock);
        curl_multi_poll(t->multi, NULL, 0, running > 0 ? BUSY_MS : IDLE_MS, NULL);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static int driver_start(Transfers *t) {
    sigset_t all, before;

    sigfillset(&all); /* signals are the host's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&t->driver, NULL, drive, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->driven = r == 0;
    return -r;
}

/* -------------------------------------------------------------------------------------------------------- one -- */

static size_t on_body(char *bytes, size_t size, size_t n, void *userdata) {
    Transfer *one = userdata;
    Answer *a = &one->answer;
    size_t more = size * n;

    if (more > ANSWER_SIZE_MAX - a->size)
        return 0; /* CURLE_WRITE_ERROR */
    if (a->size + more + 1 > one->capacity) {
        size_t capacity = (a->size + more + 1) * 2;
        char *grown = calloc(1, capacity);
        if (!grown)
            return 0;
        if (a->body) {
            memcpy(grown, a->body, a->size);
            explicit_bzero(a->body, a->size);
        }
        free(a->body);
        a->body = grown;
        one->capacity = capacity;
    }
    memcpy(a->body + a->size, bytes, more);
    a->size += more;
    return more;
}

static struct curl_slist *append(struct curl_slist *list, const char *line) {
    struct curl_slist *longer = curl_slist_append(list, line);

    if (!longer)
        curl_slist_free_all(list);
    return longer;
}

static struct curl_slist *request_headers(const Request *request) {
    char type[160];
    struct curl_slist *list = append(NULL, "Accept: application/json, application/problem+json");

    (void)snprintf(type, sizeof type, "Content-Type: %s", request->content_type ? request->content_type : "");
    if (list && request->body)
        list = append(append(list, type), "Expect:"); /* no pause before bodies that are small */
    for (size_t i = 0; list && i < TRANSFER_HEADERS && request->headers[i]; i++)
        list = append(list, request->headers[i]);
    return list;
}

static void set_request(Transfer *one, const Request *request, const char *url, struct curl_slist *headers,
                        long timeout_ms) {
    CURL *e = one->easy;

    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, request->body);
    }
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, one);
    curl_easy_setopt(e, CURLOPT_PRIVATE, one);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, one->reason);
}

static void drive_to_its_end(Transfers *t, Transfer *one) {
    pthread_mutex_lock(&t->lock);
    one->next = t->waiting;
    t->waiting = one;
    curl_multi_wakeup(t->multi);
    while (!one->done)
        pthread_cond_wait(&t->ended, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static void read_head(Transfer *one) {
    Answer *a = &one->answer;
    const char *type = NULL;
    curl_off_t seconds = 0;

    curl_easy_getinfo(one->easy, CURLINFO_RESPONSE_CODE, &a->status);
    if (curl_easy_getinfo(one->easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
        (void)snprintf(a->content_type, sizeof a->content_type, "%s", type);
    if (curl_easy_getinfo(one->easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
        a->retry_after = seconds < RETRY_AFTER_MAX ? (uint32_t)seconds : RETRY_AFTER_MAX;
}

static int transfer_once(Transfers *t, Transfer *one, const Request *request, long timeout_ms) {
    _cleanup_slist_ struct curl_slist *headers = request_headers(request);
    _cleanup_free_ char *url = NULL;

    one->easy = curl_easy_init();
    if (!headers || !one->easy || asprintf(&url, "%s%s", t->settings->url, request->path) < 0)
        return -ENOMEM;
    int r = connection_setup(one->easy, t->settings);
    if (r < 0)
        return r;
    set_request(one, request, url, headers, timeout_ms);
    drive_to_its_end(t, one);
    read_head(one);
    return connection_fault(t->host, one->result, one->reason, one->answer.size);
}

int transfer_run(Transfers *t, const Request *request, uint64_t deadline, Answer *ret) {
    uint64_t now = now_ms();
    Transfer one = {0};

    if (now >= deadline)
        return fault(t->host, EONAY_ERROR_BACKEND_UNREACHABLE, 0, "the time for this call is over");
    int r = transfer_once(t, &one, request, (long)(deadline - now));
    curl_easy_cleanup(one.easy);
    if (r == 0)
        *ret = one.answer;
    else
        answer_clear(&one.answer);
    return r;
}

/* ------------------------------------------------------------------------------------------------------ making -- */

int transfers_new(const EonayHost *host, const Settings *settings, Transfers **ret) {
    Transfers *t = calloc(1, sizeof *t);

    if (!t || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(t->multi = curl_multi_init())) {
        free(t);
        return -ENOMEM;
    }
    t->host = host;
    t->settings = settings;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->ended, NULL);
    curl_multi_setopt(t->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
    curl_multi_setopt(t->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    int r = driver_start(t);
    if (r < 0) {
        transfers_free(t);
        return r;
    }
    *ret = t;
    return 0;
}

Transfers *transfers_free(Transfers *t) {
    if (!t)
        return NULL;
    if (t->driven) {
        pthread_mutex_lock(&t->lock);
        t->stopping = true;
        curl_multi_wakeup(t->multi);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->driver, NULL);
    }
    curl_multi_cleanup(t->multi);
    pthread_cond_destroy(&t->ended);
    pthread_mutex_destroy(&t->lock);
    free(t);
    return NULL;
}
