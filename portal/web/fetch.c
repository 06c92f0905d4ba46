/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, one handle a request: logins are rare beside everything else. */
#include "fetch.h"

#include <curl/curl.h>
#include <string.h>

typedef struct Body {
    GString *bytes;
} Body;

static size_t take(char *data, size_t size, size_t n, void *userdata) {
    Body *body = userdata;

    if (n * size > FETCH_BYTES_MAX - body->bytes->len)
        return 0;
    g_string_append_len(body->bytes, data, (gssize)(n * size));
    return n * size;
}

/* A token may be in it. */
static void body_end(Body *body) {
    if (body->bytes) {
        explicit_bzero(body->bytes->str, body->bytes->len);
        g_string_free(body->bytes, TRUE);
    }
}

static void curl_endp(CURL **curl) {
    if (*curl)
        curl_easy_cleanup(*curl);
}

static void slist_endp(struct curl_slist **list) {
    curl_slist_free_all(*list);
}

static void set_request(CURL *curl, const FetchRequest *request, Body *body) {
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)FETCH_SECONDS_MAX);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)FETCH_SECONDS_MAX / 2);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (request->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
    if (request->form)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->form);
    if (request->user) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
    }
    if (request->bearer) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request->bearer);
    }
}

json_t *fetch_json(const FetchRequest *request, long *ret_status, FetchFault *fault) {
    __attribute__((cleanup(curl_endp))) CURL *curl = curl_easy_init();
    __attribute__((cleanup(slist_endp))) struct curl_slist *headers =
        curl_slist_append(NULL, "Accept: application/json");
    __attribute__((cleanup(body_end))) Body body = {.bytes = g_string_new(NULL)};
    json_error_t error;
    json_t *json = NULL;
    CURLcode code = CURLE_FAILED_INIT;
    long status = 0;

    if (curl && headers) {
        set_request(curl, request, &body);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    if (code != CURLE_OK) {
        g_snprintf(fault->text, sizeof fault->text, "no answer: %s", curl_easy_strerror(code));
        return NULL;
    }
    json = json_loadb(body.bytes->str, body.bytes->len, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        g_snprintf(fault->text, sizeof fault->text, "answer %ld is no JSON", status);
    if (ret_status)
        *ret_status = status;
    return json;
}
