/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority names its refusals as the error table does, but only those that are an authority's to give are
 * believed: none may speak of a PIN or a card. Trouble inside the authority, or in a proxy before it, is for us the
 * same as no authority at all: another try may succeed.
 */
#include "answer.h"

#include <string.h>

#include "fault.h"
#include "scope.h"

#define ERROR_ROW(number, id, name, ...) [EONAY_ERROR_##id] = (name),
static const char *const error_names[] = {EONAY_ERROR_TABLE(ERROR_ROW)};
#undef ERROR_ROW

static const EonayError believed[] = {EONAY_ERROR_CODE_INVALID,        EONAY_ERROR_CODE_UNKNOWN,
                                      EONAY_ERROR_CODE_EXPIRED,        EONAY_ERROR_CODE_USED,
                                      EONAY_ERROR_CODE_SUPERSEDED,     EONAY_ERROR_CODE_PENDING,
                                      EONAY_ERROR_CODE_DENIED,         EONAY_ERROR_RATE_LIMITED,
                                      EONAY_ERROR_ALREADY_APPROVED,    EONAY_ERROR_CERTIFICATE_NOT_SUITABLE,
                                      EONAY_ERROR_CERTIFICATE_EXPIRED, EONAY_ERROR_CERTIFICATE_NOT_YET_VALID,
                                      EONAY_ERROR_CERTIFICATE_REVOKED, EONAY_ERROR_CERTIFICATE_SUSPENDED,
                                      EONAY_ERROR_IDENTITY_MISMATCH,   EONAY_ERROR_CANCELLED,
                                      EONAY_ERROR_BACKEND_REJECTED,    EONAY_ERROR_BACKEND_PROTOCOL,
                                      EONAY_ERROR_NOT_FOUND,           EONAY_ERROR_SUBJECT_INVALID,
                                      EONAY_ERROR_UNSUPPORTED};

int answer_garbled(const EonayHost *host, const char *what) {
    return fault(host, EONAY_ERROR_BACKEND_PROTOCOL, 0, "%s", what);
}

static EonayError error_of_name(const char *name) {
    for (size_t i = 0; i < sizeof believed / sizeof *believed; i++)
        if (strcmp(error_names[believed[i]], name) == 0)
            return believed[i];
    return EONAY_OK;
}

static bool is_json(const Answer *a, const char *type) {
    size_t n = strlen(type);

    return strncmp(a->content_type, type, n) == 0 &&
           (a->content_type[n] == '\0' || a->content_type[n] == ';' || a->content_type[n] == ' ');
}

static json_t *parse(const Answer *a) {
    json_t *json = a->body ? json_loadb(a->body, a->size, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

/* A machine that is ill or busy, be it the authority's or one before it. */
static bool is_passing(long status) {
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static int read_success(const EonayHost *host, const Answer *a, json_t **ret_json) {
    *ret_json = NULL;
    if (a->status == 204)
        return 0;
    if (is_json(a, "application/json"))
        *ret_json = parse(a);
    return *ret_json ? 0 : answer_garbled(host, "the authority answered 200 with something that is no JSON object");
}

static int read_unnamed(const EonayHost *host, const Answer *a, const char *name) {
    if (a->status == 429)
        return fault(host, EONAY_ERROR_RATE_LIMITED, a->retry_after, "HTTP 429");
    if (is_passing(a->status))
        return fault(host, EONAY_ERROR_BACKEND_UNREACHABLE, a->retry_after, "HTTP %ld%s%.40s", a->status,
                     *name ? ": " : "", name);
    if (a->status >= 300 && a->status < 400)
        return fault(host, EONAY_ERROR_BACKEND_PROTOCOL, 0, "HTTP %ld: redirects are not followed", a->status);
    return fault(host, EONAY_ERROR_BACKEND_PROTOCOL, 0, "HTTP %ld%s", a->status,
                 *name ? " with a condition that is none of an authority's" : " without a condition");
}

int answer_read(const EonayHost *host, const Answer *a, json_t **ret_json) {
    _cleanup_json_ json_t *problem = NULL;
    const char *name = "";

    if (a->status == 200 || a->status == 204)
        return read_success(host, a, ret_json);
    if (is_json(a, "application/problem+json") && a->status >= 400)
        problem = parse(a);
    if (problem && !member_string(problem, "code", &name))
        name = "";
    if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] != '\0')
        name = "";
    EonayError code = a->status >= 500 || a->status == 408 ? EONAY_OK : error_of_name(name);
    return code ? fault(host, code, a->retry_after, "HTTP %ld", a->status) : read_unnamed(host, a, name);
}

static const struct {
    const char *name;
    EonayError code;
} oauth[] = {{"authorization_pending", EONAY_ERROR_CODE_PENDING}, {"slow_down", EONAY_ERROR_RATE_LIMITED},
             {"access_denied", EONAY_ERROR_CODE_DENIED},          {"expired_token", EONAY_ERROR_CODE_EXPIRED},
             {"invalid_grant", EONAY_ERROR_CODE_EXPIRED},         {"invalid_scope", EONAY_ERROR_UNSUPPORTED},
             {"invalid_client", EONAY_ERROR_BACKEND_REJECTED},    {"unauthorized_client", EONAY_ERROR_BACKEND_REJECTED},
             {"unsupported_grant_type", EONAY_ERROR_UNSUPPORTED}};

/* `code`, where the authority gives it, is more exact than what OAuth has words for. */
static EonayError oauth_condition(const json_t *json, const char **ret_name) {
    const char *code = NULL;

    if (!member_string(json, "error", ret_name))
        return EONAY_OK;
    for (size_t i = 0; i < sizeof oauth / sizeof *oauth; i++)
        if (strcmp(oauth[i].name, *ret_name) == 0)
            return oauth[i].code;
    return member_string(json, "code", &code) ? error_of_name(code) : EONAY_OK;
}

int answer_read_oauth(const EonayHost *host, const Answer *a, json_t **ret_json) {
    _cleanup_json_ json_t *refusal = NULL;
    const char *name = "";

    if ((a->status != 400 && a->status != 401) || !is_json(a, "application/json"))
        return answer_read(host, a, ret_json);
    refusal = parse(a);
    EonayError code = refusal ? oauth_condition(refusal, &name) : EONAY_OK;
    if (!code)
        return fault(host, EONAY_ERROR_BACKEND_PROTOCOL, 0, "HTTP %ld without an OAuth error that we know", a->status);
    return fault(host, code, a->retry_after, "%.40s", name);
}

/* ----------------------------------------------------------------------------------------------------- members -- */

bool member_string(const json_t *object, const char *key, const char **ret) {
    const json_t *value = json_object_get(object, key);

    /* a NUL inside would end it early for us and not for the authority */
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return false;
    *ret = json_string_value(value);
    return true;
}

bool member_time(const json_t *object, const char *key, uint64_t *ret) {
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret = (uint64_t)json_integer_value(value);
    return true;
}

bool member_number(const json_t *object, const char *key, uint32_t *ret) {
    uint64_t value = 0;

    if (!member_time(object, key, &value) || value > UINT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

bool member_bool(const json_t *object, const char *key, bool *ret) {
    const json_t *value = json_object_get(object, key);

    if (!json_is_boolean(value))
        return false;
    *ret = json_is_true(value);
    return true;
}

bool member_word(const json_t *object, const char *key, const char *const *words, unsigned *ret) {
    const char *value = NULL;

    if (!member_string(object, key, &value))
        return false;
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], value) != 0)
            continue;
        *ret = i;
        return true;
    }
    return false;
}
