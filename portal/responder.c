/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread owns the transfers; workers put questions into a list and wake it. Memory of what was answered is a small
 * table that is forgotten as a whole when it is full.
 */
#include "responder.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

#include "certificate-locations.h"
#include "clock.h"
#include "log.h"
#include "ocsp.h"
#include "trust.h"

#define REMEMBERED_MAX   4096
#define POLL_MSEC        1000
#define FINGERPRINT_SIZE 32
#define ASKED_MAX        8 /* by one request: it may bring several certificates */

typedef struct Question {
    Request *request;
    uint8_t fingerprint[FINGERPRINT_SIZE];
    GBytes *certificate, *issuer;
    char *url;
    uint8_t nonce[OCSP_NONCE_SIZE];
    uint8_t *body;
    size_t body_size;
    GByteArray *answer;
    struct curl_slist *headers;
    CURL *curl;
    struct Question *next;
} Question;

typedef struct Remembered {
    uint8_t fingerprint[FINGERPRINT_SIZE];
    ResponderState state;
    int64_t until;
} Remembered;

struct Responder {
    Portal *portal;
    CURLM *multi;
    pthread_mutex_t lock; /* asked, n, remembered, closed */
    Question *asked;      /* not on their way yet */
    unsigned n;           /* these, and those on their way */
    GHashTable *remembered;
    bool closed;
    bool running;
    Question *under_way; /* the thread's alone */
    pthread_t thread;
};

static guint remembered_hash(gconstpointer key) {
    guint hash = 0;

    memcpy(&hash, key, sizeof hash);
    return hash;
}

static gboolean remembered_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, FINGERPRINT_SIZE) == 0;
}

static Question *question_free(Question *q) {
    if (!q)
        return NULL;
    curl_slist_free_all(q->headers);
    if (q->curl)
        curl_easy_cleanup(q->curl);
    if (q->answer)
        g_byte_array_unref(q->answer);
    g_clear_pointer(&q->certificate, g_bytes_unref);
    g_clear_pointer(&q->issuer, g_bytes_unref);
    free(q->body);
    g_free(q->url);
    g_free(q);
    return NULL;
}

static bool issued(const CadesBlob *blob, X509 *certificate) {
    const uint8_t *p = blob->bytes;
    X509 *issuer = d2i_X509(NULL, &p, (long)blob->size);
    bool good = issuer && X509_check_issued(issuer, certificate) == X509_V_OK &&
                X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;

    X509_free(issuer);
    ERR_clear_error();
    return good;
}

/* NULL: its chain went over a certificate that came with the signature and is not configured. */
static const CadesBlob *find_issuer(const Trust *trust, const uint8_t *der, size_t size) {
    const TrustList *lists[] = {&trust->intermediates, &trust->anchors};
    const uint8_t *p = der;
    X509 *certificate = d2i_X509(NULL, &p, (long)size);
    const CadesBlob *found = NULL;

    for (size_t k = 0; certificate && !found && k < G_N_ELEMENTS(lists); k++)
        for (size_t i = 0; !found && i < lists[k]->n; i++)
            if (issued(&lists[k]->blobs[i], certificate))
                found = &lists[k]->blobs[i];
    X509_free(certificate);
    return found;
}

/* What the certificate says comes first; NULL: nobody. */
static char *find_url(const Config *config, const CadesBlob *certificate) {
    char urls[LOCATIONS_MAX][LOCATION_SIZE_MAX];

    if (certificate_locations(certificate, LOCATION_OCSP, urls) > 0)
        return g_strdup(urls[0]);
    return g_strdup(config->ocsp_responder);
}

static Question *question_new(Responder *r, Request *request, const CadesBlob *certificate,
                              const uint8_t fingerprint[FINGERPRINT_SIZE], char *url) {
    const CadesBlob *issuer = find_issuer(r->portal->trust, certificate->bytes, certificate->size);
    Question *q = g_new0(Question, 1);

    q->request = request;
    q->url = url;
    memcpy(q->fingerprint, fingerprint, sizeof q->fingerprint);
    secret_random(q->nonce, sizeof q->nonce);
    if (!issuer)
        log_warning("OCSP: the issuer of a certificate is not among TrustAnchors= and Intermediates=");
    if (!issuer || ocsp_request(certificate, issuer, q->nonce, sizeof q->nonce, &q->body, &q->body_size) != 0)
        return question_free(q);
    q->certificate = g_bytes_new(certificate->bytes, certificate->size);
    q->issuer = g_bytes_new(issuer->bytes, issuer->size);
    return q;
}

/* ----------------------------------------------------------------------------------------------------- memory -- */

/* With the lock held. */
static void remember(Responder *r, const uint8_t fingerprint[FINGERPRINT_SIZE], ResponderState state, int64_t until) {
    Remembered *m = g_new0(Remembered, 1);

    if (g_hash_table_size(r->remembered) >= REMEMBERED_MAX)
        g_hash_table_remove_all(r->remembered);
    memcpy(m->fingerprint, fingerprint, sizeof m->fingerprint);
    m->state = state;
    m->until = until;
    (void)g_hash_table_replace(r->remembered, m->fingerprint, m);
}

static bool recall(Responder *r, const uint8_t fingerprint[FINGERPRINT_SIZE], ResponderState *ret) {
    const Remembered *m = g_hash_table_lookup(r->remembered, fingerprint);

    if (!m || m->until <= clock_now())
        return false;
    *ret = m->state;
    return true;
}

/* ------------------------------------------------------------------------------------------------ the thread -- */

static size_t take_bytes(char *data, size_t size, size_t n, void *userdata) {
    Question *q = userdata;

    if (n * size > RESPONDER_ANSWER_MAX - q->answer->len)
        return 0;
    g_byte_array_append(q->answer, (const guint8 *)data, (guint)(n * size));
    return n * size;
}

static bool begin(Responder *r, Question *q) {
    q->curl = curl_easy_init();
    q->answer = g_byte_array_new();
    q->headers = curl_slist_append(NULL, "Content-Type: application/ocsp-request");
    if (!q->curl || !q->headers)
        return false;
    curl_easy_setopt(q->curl, CURLOPT_URL, q->url);
    curl_easy_setopt(q->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(q->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(q->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(q->curl, CURLOPT_TIMEOUT, (long)r->portal->config->ocsp_seconds);
    curl_easy_setopt(q->curl, CURLOPT_HTTPHEADER, q->headers);
    curl_easy_setopt(q->curl, CURLOPT_POSTFIELDSIZE, (long)q->body_size);
    curl_easy_setopt(q->curl, CURLOPT_POSTFIELDS, q->body);
    curl_easy_setopt(q->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(q->curl, CURLOPT_WRITEDATA, q);
    curl_easy_setopt(q->curl, CURLOPT_PRIVATE, q);
    return curl_multi_add_handle(r->multi, q->curl) == CURLM_OK;
}

static CadesBlob blob_of(GBytes *bytes) {
    gsize size = 0;
    const void *data = g_bytes_get_data(bytes, &size);

    return (CadesBlob){data, size};
}

static ResponderState judge(const Question *q, CURLcode code, int64_t now, int64_t *ret_until) {
    const CadesBlob answer = {q->answer->data, q->answer->len};
    const CadesBlob certificate = blob_of(q->certificate), issuer = blob_of(q->issuer);
    const RevocationExpectation expect = {.at = now / SECOND_USEC, .nonce = q->nonce, .nonce_size = sizeof q->nonce};
    RevocationAnswer found = {0};
    const char *why = NULL;
    long status = 0;

    *ret_until = now + RESPONDER_SILENT_SECONDS * SECOND_USEC;
    curl_easy_getinfo(q->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        why = curl_easy_strerror(code);
    else if (status != 200)
        why = "the HTTP status is not 200";
    else
        why = ocsp_verify(&answer, &certificate, &issuer, &expect, &found);
    if (why || found.status == REVOCATION_UNKNOWN) {
        log_warning("OCSP: %s: %s", q->url, why ? why : "the responder does not know a certificate");
        return RESPONDER_SILENT;
    }
    *ret_until = now + RESPONDER_BELIEVED_SECONDS * SECOND_USEC;
    if (found.next_update != 0 && found.next_update * SECOND_USEC < *ret_until)
        *ret_until = MAX(found.next_update * SECOND_USEC, now + SECOND_USEC);
    return found.status == REVOCATION_GOOD        ? RESPONDER_GOOD
           : found.status == REVOCATION_SUSPENDED ? RESPONDER_SUSPENDED
                                                  : RESPONDER_REVOKED;
}

/* The request is woken last: from then on it is another thread's. */
static void finish(Responder *r, Question *q, ResponderState state, int64_t until) {
    Request *request = q->request;

    pthread_mutex_lock(&r->lock);
    remember(r, q->fingerprint, state, until);
    r->n--;
    pthread_mutex_unlock(&r->lock);
    (void)question_free(q);
    request_wake(request);
}

static void begin_all(Responder *r) {
    pthread_mutex_lock(&r->lock);
    Question *asked = g_steal_pointer(&r->asked);
    pthread_mutex_unlock(&r->lock);

    while (asked) {
        Question *q = asked;
        asked = q->next;
        if (!begin(r, q)) {
            finish(r, q, RESPONDER_SILENT, clock_now() + RESPONDER_SILENT_SECONDS * SECOND_USEC);
            continue;
        }
        q->next = r->under_way;
        r->under_way = q;
    }
}

static void end(Responder *r, Question *q, CURLcode code) {
    int64_t until = 0;
    ResponderState state = judge(q, code, clock_now(), &until);

    for (Question **p = &r->under_way; *p; p = &(*p)->next)
        if (*p == q) {
            *p = q->next;
            break;
        }
    (void)curl_multi_remove_handle(r->multi, q->curl);
    finish(r, q, state, until);
}

static bool closed(Responder *r) {
    pthread_mutex_lock(&r->lock);
    bool is = r->closed;
    pthread_mutex_unlock(&r->lock);
    return is;
}

static void *run(void *data) {
    Responder *r = data;
    CURLMsg *message = NULL;
    int running = 0, left = 0;

    while (!closed(r)) {
        begin_all(r);
        (void)curl_multi_perform(r->multi, &running);
        while ((message = curl_multi_info_read(r->multi, &left)))
            if (message->msg == CURLMSG_DONE) {
                Question *q = NULL;
                const CURLcode code = message->data.result;
                curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &q);
                end(r, q, code);
            }
        (void)curl_multi_poll(r->multi, NULL, 0, POLL_MSEC, NULL);
    }
    begin_all(r); /* none comes after that: see responder_ask() */
    while (r->under_way)
        end(r, r->under_way, CURLE_ABORTED_BY_CALLBACK);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------- its users -- */

int responder_start(Portal *portal, Responder **ret) {
    Responder *r = NULL;
    int error = 0;

    *ret = NULL;
    if (portal->config->ocsp_seconds == 0)
        return 0;
    r = g_new0(Responder, 1);
    r->portal = portal;
    pthread_mutex_init(&r->lock, NULL);
    r->remembered = g_hash_table_new_full(remembered_hash, remembered_equal, NULL, g_free);
    r->multi = curl_multi_init();
    if (!r->multi || (error = -pthread_create(&r->thread, NULL, run, r)) != 0)
        return responder_stop(r), error != 0 ? error : -1;
    r->running = true;
    *ret = r;
    return 0;
}

void responder_close(Responder *r) {
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->closed = true;
    pthread_mutex_unlock(&r->lock);
    if (r->multi)
        (void)curl_multi_wakeup(r->multi);
    if (r->running)
        pthread_join(r->thread, NULL);
    r->running = false;
}

Responder *responder_stop(Responder *r) {
    if (!r)
        return NULL;
    responder_close(r);
    if (r->multi)
        curl_multi_cleanup(r->multi);
    g_hash_table_unref(r->remembered);
    pthread_mutex_destroy(&r->lock);
    g_free(r);
    return NULL;
}

ResponderState responder_ask(Responder *r, Request *request, const uint8_t *certificate, size_t size,
                             const uint8_t fingerprint[32]) {
    const CadesBlob blob = {certificate, size};
    ResponderState state = RESPONDER_NONE;
    char *url = r ? find_url(r->portal->config, &blob) : NULL;

    if (!url)
        return RESPONDER_NONE;
    pthread_mutex_lock(&r->lock);
    bool known = recall(r, fingerprint, &state);
    pthread_mutex_unlock(&r->lock);
    const bool enough = request->asked >= ASKED_MAX;
    Question *q = known || enough ? NULL : question_new(r, request, &blob, fingerprint, url);
    if (!q) {
        if (known || enough)
            g_free(url);
        return known ? state : RESPONDER_SILENT;
    }
    request->asked++; /* beforehand: given away it is another thread's */
    pthread_mutex_lock(&r->lock);
    bool room = !r->closed && r->n < RESPONDER_QUESTIONS_MAX;
    if (room) {
        q->next = r->asked;
        r->asked = q;
        r->n++;
        (void)curl_multi_wakeup(r->multi);
    }
    pthread_mutex_unlock(&r->lock);
    if (room)
        return RESPONDER_LATER;
    (void)question_free(q);
    return RESPONDER_SILENT;
}

const char *responder_name(ResponderState state) {
    static const char *const names[] = {"none", "good", "suspended", "revoked", "silent", "later"};

    return names[state];
}
