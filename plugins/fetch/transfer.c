/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An easy handle keeps its connections when it is used again, so handles are kept: the second stamp needs no second
 * handshake. A handle belongs to one thread at a time. Addresses come from certificates nobody vouches for yet, so what
 * they lead to is looked at when the socket is made, after the name was resolved, and again on every redirect.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch.h"

typedef struct Transfer {
    Fetch *f;
    bool internal;
    bool refused; /* an address was not public */
    uint8_t *body;
    size_t size, capacity, size_max;
    char reason[CURL_ERROR_SIZE];
} Transfer;

static CURL *handle_take(Fetch *f) {
    CURL *e = NULL;
    pthread_mutex_lock(&f->lock);
    if (f->n_idle > 0)
        e = f->idle[--f->n_idle];
    pthread_mutex_unlock(&f->lock);
    if (!e)
        return curl_easy_init();
    curl_easy_reset(e);
    return e;
}

static void handle_keep(Fetch *f, CURL *e) {
    pthread_mutex_lock(&f->lock);
    if (f->n_idle < HANDLES_MAX) {
        f->idle[f->n_idle++] = e;
        e = NULL;
    }
    pthread_mutex_unlock(&f->lock);
    curl_easy_cleanup(e);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *userdata) {
    Transfer *t = userdata;
    size_t more = size * n;
    if (more > t->size_max - t->size)
        return 0;
    if (t->size + more > t->capacity) {
        size_t capacity = (t->size + more) * 2;
        uint8_t *grown = realloc(t->body, capacity);
        if (!grown)
            return 0;
        t->body = grown;
        t->capacity = capacity;
    }
    memcpy(t->body + t->size, bytes, more);
    t->size += more;
    return more;
}

static curl_socket_t on_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address) {
    Transfer *t = userdata;
    (void)purpose;
    if (!t->internal && !address_is_public(&address->addr)) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool setup(CURL *e, const Fetch *f, const EonayFetchRequest *q, Transfer *t, const struct curl_slist *headers) {
    bool set = curl_easy_setopt(e, CURLOPT_URL, q->url) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_PROXY, f->proxy) == CURLE_OK &&
               (!f->ca_file || curl_easy_setopt(e, CURLOPT_CAINFO, f->ca_file) == CURLE_OK);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, q->content_type ? 0L : 1L);
    curl_easy_setopt(e, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "eonayd/" EONAY_VERSION);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)q->timeout_ms);
    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->reason);
    if (q->content_type) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_size);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body);
    }
    return set;
}

static int headers_make(const Fetch *f, const EonayFetchRequest *q, struct curl_slist **ret) {
    char type[160];
    char *identity = NULL;
    int r = q->identity ? identity_header(f, q->identity, q->imprint, q->imprint_size, &identity) : 0;
    if (r != 0)
        return r;
    (void)snprintf(type, sizeof type, "Content-Type: %s", q->content_type ? q->content_type : "");
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no pause before bodies that are small */
    if (q->content_type)
        list = curl_slist_append(list, type);
    if (identity)
        list = curl_slist_append(list, identity);
    free(identity);
    *ret = list;
    return 0;
}

static int fault_of(const Fetch *f, CURLcode r, const Transfer *t) {
    EonayError code = EONAY_ERROR_BACKEND_UNREACHABLE;
    if (t->refused)
        return fetch_fault(f, code, "the address is not in the public network (Internal=)");
    switch (r) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        code = EONAY_ERROR_BACKEND_UNTRUSTED;
        break;
    case CURLE_WRITE_ERROR:
        return fetch_fault(f, EONAY_ERROR_BACKEND_PROTOCOL, "the answer is too large");
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
        code = EONAY_ERROR_BACKEND_PROTOCOL;
        break;
    case CURLE_SSL_CACERT_BADFILE:
        code = EONAY_ERROR_FILE_INVALID;
        break;
    default:
        break;
    }
    return fetch_fault(f, code, "%s", t->reason[0] ? t->reason : curl_easy_strerror(r));
}

static int answer_take(const Fetch *f, CURL *e, const Transfer *t, EonayFetched *ret) {
    long status = 0;
    curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    ret->status = (uint32_t)status;
    ret->size = t->size;
    ret->body = f->host->alloc(f->host, t->size > 0 ? t->size : 1);
    if (t->size > 0)
        memcpy(ret->body, t->body, t->size);
    return 0;
}

int transfer_run(Fetch *f, const EonayFetchRequest *q, EonayFetched *ret) {
    Transfer t = {.f = f, .internal = f->internal || q->internal_allowed, .size_max = q->size_max};
    struct curl_slist *headers = NULL;
    int r = headers_make(f, q, &headers);
    CURL *e = r == 0 ? handle_take(f) : NULL;
    if (r == 0 && !e)
        r = -ENOMEM;
    if (r == 0 && !setup(e, f, q, &t, headers))
        r = fetch_fault(f, EONAY_ERROR_BACKEND_PROTOCOL, "this address cannot be fetched from");
    if (r == 0) {
        CURLcode result = curl_easy_perform(e);
        r = result == CURLE_OK ? answer_take(f, e, &t, ret) : fault_of(f, result, &t);
    }
    if (e)
        handle_keep(f, e);
    curl_slist_free_all(headers);
    free(t.body);
    return r;
}
