/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for the portal's benchmark: many clients with a connection each, over TLS.
 *
 * bench-portal consents CA CERTIFICATE KEY CLIENTS URL [URL…] redeems every code on standard input, signs its text and
 * submits it; clients are shared out over the URLs.
 *
 * bench-portal pages CA CLIENTS SECONDS THINK-MS URL: each client gets the page, waits THINK-MS, and again. Cookies, a
 * line for each client, from standard input.
 *
 * Prints one JSON object. Times are in milliseconds, from the call to the whole answer.
 */
#include <curl/curl.h>
#include <glib.h>
#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../portal/signer.h"

#define CLIENTS_MAX 256

typedef struct Load {
    const char *ca;
    Signer *signer;
    char **urls;
    int n_urls;
    int n_clients;
    GPtrArray *lines; /* codes, or cookies */
    int next;         /* atomic */
    double seconds, think;
    double start;
} Load;

typedef struct Client {
    Load *load;
    int number;
    CURL *curl;
    GString *answer;
    GArray *redeem, *submit; /* double, milliseconds */
    unsigned failed;
    pthread_t thread;
} Client;

static double now(void) {
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1000 + (double)ts.tv_nsec / 1e6;
}

static size_t take(char *bytes, size_t size, size_t n, void *data) {
    g_string_append_len(data, bytes, (gssize)(size * n));
    return size * n;
}

static void client_open(Client *c) {
    c->curl = curl_easy_init();
    c->answer = g_string_new(NULL);
    c->redeem = g_array_new(FALSE, FALSE, sizeof(double));
    c->submit = g_array_new(FALSE, FALSE, sizeof(double));
    curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->load->ca);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c->answer);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
}

static void client_close(Client *c) {
    curl_easy_cleanup(c->curl);
    g_string_free(c->answer, TRUE);
}

/* The answer's object, or NULL. */
static json_t *post(Client *c, const char *path, const char *body, struct curl_slist *headers, GArray *times) {
    g_autofree char *url = g_strconcat(c->load->urls[c->number % c->load->n_urls], path, NULL);
    double start = now(), taken = 0;
    long status = 0;

    g_string_truncate(c->answer, 0);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
    CURLcode result = curl_easy_perform(c->curl);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    taken = now() - start;
    g_array_append_val(times, taken);
    if (result != CURLE_OK || status != 200) {
        if (c->failed == 0)
            (void)fprintf(stderr, "bench-portal: %s: %s, %ld %s\n", path, curl_easy_strerror(result), status,
                          c->answer->str);
        return NULL;
    }
    return json_loads(c->answer->str, 0, NULL);
}

static bool submit(Client *c, const char *transaction, const char *key, const char *text) {
    g_autofree char *transaction_header = g_strconcat("Eonay-Transaction: ", transaction, NULL);
    g_autofree char *key_header = g_strconcat("Idempotency-Key: ", key, NULL);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    gsize size = 0;
    g_autofree guchar *bytes = g_base64_decode(text, &size);
    uint8_t *cms = NULL;
    size_t cms_size = 0;

    if (signer_sign(c->load->signer, bytes, size, time(NULL), &cms, &cms_size) != 0)
        return false;
    g_autofree char *base64 = g_base64_encode(cms, cms_size);
    g_autofree char *body = g_strconcat("{\"signatures\":[\"", base64, "\"]}", NULL);
    free(cms);
    headers = curl_slist_append(headers, transaction_header);
    headers = curl_slist_append(headers, key_header);
    headers = curl_slist_append(headers, "Expect:");
    json_t *answer = post(c, "/v1/transaction/signatures", body, headers, c->submit);
    bool done = json_string_value(json_object_get(answer, "receipt_id"));
    json_decref(answer);
    curl_slist_free_all(headers);
    return done;
}

static bool consent(Client *c, const char *code) {
    char key[33];
    g_autofree char *key_header = NULL;
    g_autofree char *body = g_strconcat("{\"code\":\"", code, "\"}", NULL);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

    (void)snprintf(key, sizeof key, "%08x%08x%08x%08x", g_random_int(), g_random_int(), g_random_int(), g_random_int());
    key_header = g_strconcat("Idempotency-Key: ", key, NULL);
    headers = curl_slist_append(headers, key_header);
    json_t *answer = post(c, "/v1/redemptions", body, headers, c->redeem);
    curl_slist_free_all(headers);
    const char *text = json_string_value(json_object_get(json_array_get(json_object_get(answer, "texts"), 0), "bytes"));
    const char *transaction = json_string_value(json_object_get(answer, "transaction"));
    bool done = text && transaction && submit(c, transaction, key, text);
    json_decref(answer);
    return done;
}

static void *run_consents(void *data) {
    Client *c = data;
    int i = 0;

    while ((i = __atomic_fetch_add(&c->load->next, 1, __ATOMIC_SEQ_CST)) < (int)c->load->lines->len)
        if (!consent(c, g_ptr_array_index(c->load->lines, i)))
            c->failed++;
    return NULL;
}

static void *run_pages(void *data) {
    Client *c = data;
    Load *l = c->load;

    curl_easy_setopt(c->curl, CURLOPT_URL, l->urls[0]);
    if (c->number < (int)l->lines->len)
        curl_easy_setopt(c->curl, CURLOPT_COOKIE, g_ptr_array_index(l->lines, c->number));
    /* Spread over the first interval; the first request, with the handshake, is not counted. */
    g_usleep((gulong)(l->think * 1000 * c->number / l->n_clients));
    for (bool first = true; now() - l->start < l->seconds * 1000; first = false) {
        double start = now(), taken = 0;
        long status = 0;

        g_string_truncate(c->answer, 0);
        if (curl_easy_perform(c->curl) != CURLE_OK)
            c->failed++;
        curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
        taken = now() - start;
        if (status != 200)
            c->failed++;
        if (!first)
            g_array_append_val(c->redeem, taken);
        g_usleep((gulong)(l->think * 1000));
    }
    return NULL;
}

static int compare(gconstpointer a, gconstpointer b) {
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static json_t *summary(Client *clients, int n, bool submits) {
    GArray *all = g_array_new(FALSE, FALSE, sizeof(double));
    json_t *object = NULL;

    for (int i = 0; i < n; i++) {
        GArray *times = submits ? clients[i].submit : clients[i].redeem;
        g_array_append_vals(all, times->data, times->len);
    }
    g_array_sort(all, compare);
    if (all->len > 0)
        object = json_pack("{s:i, s:f, s:f, s:f}", "n", (int)all->len, "p50", g_array_index(all, double, all->len / 2),
                           "p99", g_array_index(all, double, (guint)((double)all->len * 0.99)), "max",
                           g_array_index(all, double, all->len - 1));
    g_array_free(all, TRUE);
    return object ? object : json_null();
}

static void read_lines(Load *l) {
    char line[1024];

    l->lines = g_ptr_array_new();
    while (fgets(line, sizeof line, stdin))
        g_ptr_array_add(l->lines, g_strdup(g_strstrip(line)));
}

static int run(Load *l, void *(*work)(void *)) {
    static Client clients[CLIENTS_MAX];
    pthread_attr_t attributes;
    unsigned failed = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 512 * 1024);
    l->start = now();
    for (int i = 0; i < l->n_clients; i++) {
        clients[i] = (Client){.load = l, .number = i};
        client_open(&clients[i]);
        if (pthread_create(&clients[i].thread, &attributes, work, &clients[i]) != 0)
            return EXIT_FAILURE;
    }
    for (int i = 0; i < l->n_clients; i++) {
        pthread_join(clients[i].thread, NULL);
        failed += clients[i].failed;
        client_close(&clients[i]);
    }
    double seconds = (now() - l->start) / 1000;
    json_t *object = json_pack("{s:f, s:i, s:o, s:o}", "seconds", seconds, "failed", (int)failed, "first",
                               summary(clients, l->n_clients, false), "second", summary(clients, l->n_clients, true));
    (void)json_dumpf(object, stdout, 0);
    (void)puts("");
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    Load l = {0};

    if (argc < 7 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return 2;
    l.ca = argv[2];
    read_lines(&l);
    if (strcmp(argv[1], "consents") == 0) {
        if (signer_new(argv[3], argv[4], &l.signer) != 0)
            return 2;
        l.n_clients = CLAMP(atoi(argv[5]), 1, CLIENTS_MAX);
        l.urls = argv + 6;
        l.n_urls = argc - 6;
        return run(&l, run_consents);
    }
    l.n_clients = CLAMP(atoi(argv[3]), 1, CLIENTS_MAX);
    l.seconds = g_ascii_strtod(argv[4], NULL);
    l.think = g_ascii_strtod(argv[5], NULL);
    l.urls = argv + 6;
    l.n_urls = 1;
    return run(&l, run_pages);
}
