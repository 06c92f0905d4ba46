/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A code for a local program: the device grant of RFC 8628. The user logs in and accepts in his browser; the code comes
 * with the answer to a later poll, and its life begins then. How often to poll, and slow_down, are the daemon's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "fault.h"
#include "rest.h"
#include "scope.h"

#define FORM       "application/x-www-form-urlencoded"
#define GRANT      "urn:ietf:params:oauth:grant-type:device_code"
#define HANDLE_MAX 1024u
#define LIFE_MAX   86400u /* seconds */
#define PURPOSE    "e-onay.nes-application"

static void erase(char **form) {
    if (*form)
        explicit_bzero(*form, strlen(*form));
    free(*form);
}

/* Adds one field, percent-encoded. NULL values are left out. */
static int add_field(char **form, const char *name, const char *value) {
    char *longer = NULL, *escaped = value ? curl_easy_escape(NULL, value, 0) : NULL;

    if (!value)
        return 0;
    int r = escaped ? asprintf(&longer, "%s%s%s=%s", *form ? *form : "", *form ? "&" : "", name, escaped) : -1;
    if (escaped)
        explicit_bzero(escaped, strlen(escaped));
    curl_free(escaped);
    if (r < 0)
        return -ENOMEM;
    erase(form);
    *form = longer;
    return 0;
}

static int post(const Rest *rest, const char *path, const char *form, const char *language, json_t **ret) {
    _cleanup_(answer_clear) Answer answer = {0};
    char accepted[32];
    const Request request = {.method = "POST",
                             .path = path,
                             .content_type = FORM,
                             .body = form,
                             .body_size = strlen(form),
                             .headers = {language ? accepted : NULL}};

    (void)snprintf(accepted, sizeof accepted, "Accept-Language: %s", language ? language : "");
    int r = transfer_run(rest->transfers, &request, transfer_deadline(rest->transfers), &answer);
    return r != 0 ? r : answer_read_oauth(rest->host, &answer, ret);
}

static uint64_t now_usec(void) {
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* What a browser will be sent to must be a page of https. */
static bool is_page(const char *uri) {
    return strncmp(uri, "https://", 8) == 0 && strlen(uri) <= HANDLE_MAX;
}

static int read_pending(const Rest *rest, const json_t *json, const char *purpose, EonayCode *ret) {
    const char *handle = NULL, *user_code = NULL, *uri = NULL, *complete = "";
    uint32_t life = 0, interval = 5;

    if (!member_string(json, "device_code", &handle) || !*handle || strlen(handle) > HANDLE_MAX ||
        !member_string(json, "user_code", &user_code) || !member_string(json, "verification_uri", &uri) ||
        !is_page(uri) || !member_number(json, "expires_in", &life) || life == 0 || life > LIFE_MAX)
        return answer_garbled(rest->host, "the answer to device_authorization lacks a member");
    if (member_string(json, "verification_uri_complete", &complete) && !is_page(complete))
        return answer_garbled(rest->host, "verification_uri_complete is no https address");
    (void)member_number(json, "interval", &interval); /* 5 when it is not there */
    *ret = (EonayCode){.struct_size = sizeof *ret,
                       .pending = true,
                       .purpose = host_strdup(rest->host, purpose),
                       .handle = host_strdup(rest->host, handle),
                       .user_code = host_strdup(rest->host, user_code),
                       .verification_uri = host_strdup(rest->host, uri),
                       .verification_uri_complete = host_strdup(rest->host, complete),
                       .interval = interval > 0 ? interval : 5};
    /* this answer carries no clock, only a length: ours serves to tell it */
    ret->now = ret->created_at = now_usec();
    ret->expires_at = ret->now + (uint64_t)life * 1000000;
    return 0;
}

int code_ask(const Rest *rest, const EonayCodeRequest *request, EonayCode *ret) {
    const char *language = request->language ? request->language : "tr";
    const char *purpose = request->purpose ? request->purpose : PURPOSE;
    _cleanup_(erase) char *form = NULL;
    _cleanup_json_ json_t *json = NULL;
    int r = 0;

    if (strcmp(language, "tr") != 0 && strcmp(language, "en") != 0)
        return fault(rest->host, EONAY_ERROR_UNSUPPORTED, 0, "the language is neither tr nor en");
    if ((r = add_field(&form, "client_id", rest->settings.client_id)) != 0 ||
        (r = add_field(&form, "scope", purpose)) != 0 || (r = add_field(&form, "subject", request->subject)) != 0 ||
        (r = add_field(&form, "superseded_code", request->superseded_code)) != 0 ||
        (r = post(rest, "/v1/device_authorization", form, language, &json)) != 0)
        return r;
    return json ? read_pending(rest, json, purpose, ret) : answer_garbled(rest->host, "an answer without content");
}

static int read_code(const Rest *rest, const json_t *json, EonayCode *ret) {
    const char *code = NULL, *purpose = NULL;
    uint64_t created_at = 0, expires_at = 0, now = 0;

    if (!member_string(json, "access_token", &code) || strlen(code) != 15 || strspn(code, "0123456789") != 15 ||
        !member_string(json, "purpose", &purpose) || !member_time(json, "created_at", &created_at) ||
        !member_time(json, "expires_at", &expires_at) || !member_time(json, "now", &now))
        return answer_garbled(rest->host, "the answer to token lacks a member, or its code has no 15 digits");
    *ret = (EonayCode){.struct_size = sizeof *ret,
                       .code = host_strdup(rest->host, code),
                       .purpose = host_strdup(rest->host, purpose),
                       .created_at = created_at,
                       .expires_at = expires_at,
                       .now = now};
    return 0;
}

int code_poll(const Rest *rest, const char *handle, EonayCode *ret) {
    _cleanup_(erase) char *form = NULL;
    _cleanup_json_ json_t *json = NULL;
    int r = 0;

    if ((r = add_field(&form, "grant_type", GRANT)) != 0 || (r = add_field(&form, "device_code", handle)) != 0 ||
        (r = add_field(&form, "client_id", rest->settings.client_id)) != 0 ||
        (r = post(rest, "/v1/token", form, NULL, &json)) != 0)
        return r;
    return json ? read_code(rest, json, ret) : answer_garbled(rest->host, "an answer without content");
}
