/* SPDX-License-Identifier: Apache-2.0 */
/* Every documented condition has one name, one status and one text, the same wherever it occurs. */
#include <stdio.h>

#include "request.h"

typedef struct ErrorRow {
    const char *name, *text, *hint;
} ErrorRow;

static const ErrorRow errors[] = {
#define ERROR_ROW_(number, id, name, text, hint, ...) [number] = {name, text, hint},
    EONAY_ERROR_TABLE(ERROR_ROW_)
#undef ERROR_ROW_
};

static const struct {
    EonayError error;
    unsigned status;
    unsigned retry_after;
} statuses[] = {
    {EONAY_ERROR_CODE_INVALID, 400, 0},
    {EONAY_ERROR_CODE_UNKNOWN, 404, 0},
    {EONAY_ERROR_CODE_EXPIRED, 410, 0},
    {EONAY_ERROR_CODE_USED, 409, 0},
    {EONAY_ERROR_CODE_SUPERSEDED, 410, 0},
    {EONAY_ERROR_CODE_DENIED, 403, 0},
    {EONAY_ERROR_RATE_LIMITED, 429, 60},
    {EONAY_ERROR_ALREADY_APPROVED, 409, 0},
    {EONAY_ERROR_CERTIFICATE_NOT_SUITABLE, 422, 0},
    {EONAY_ERROR_CERTIFICATE_EXPIRED, 422, 0},
    {EONAY_ERROR_CERTIFICATE_NOT_YET_VALID, 422, 0},
    {EONAY_ERROR_CERTIFICATE_REVOKED, 422, 0},
    {EONAY_ERROR_CERTIFICATE_SUSPENDED, 422, 0},
    {EONAY_ERROR_IDENTITY_MISMATCH, 403, 0},
    {EONAY_ERROR_CANCELLED, 410, 0},
    {EONAY_ERROR_BUSY, 503, 1},
    {EONAY_ERROR_TIMED_OUT, 408, 0},
    {EONAY_ERROR_BACKEND_REJECTED, 422, 0},
    {EONAY_ERROR_BACKEND_PROTOCOL, 400, 0},
    {EONAY_ERROR_STORAGE_FAILED, 503, 2},
    {EONAY_ERROR_NOT_FOUND, 404, 0},
    {EONAY_ERROR_SUBJECT_INVALID, 400, 0},
    {EONAY_ERROR_REVOCATION_UNKNOWN, 503, 5},
    {EONAY_ERROR_UNSUPPORTED, 501, 0},
};

const char *error_name(EonayError error) {
    return errors[error].name;
}

const char *error_text(EonayError error) {
    return errors[error].text;
}

const char *error_hint(EonayError error) {
    return errors[error].hint;
}

Reply *problem_reply_full(Language language, EonayError error, unsigned status, unsigned retry_after,
                          const char *detail) {
    g_autofree char *type = NULL;
    unsigned own_status = 500;
    Reply *reply = NULL;

    if ((size_t)error >= G_N_ELEMENTS(errors) || !errors[error].name)
        error = EONAY_ERROR_PLUGIN_FAILED;
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (statuses[i].error == error) {
            own_status = statuses[i].status;
            retry_after = retry_after ? retry_after : statuses[i].retry_after;
        }
    if (status == 0)
        status = own_status;
    type = g_strconcat("urn:eonay:error:", errors[error].name, NULL);
    json_t *object = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title",
                               language_text(language, errors[error].text), "status", (int)status, "code",
                               errors[error].name, "hint", language_text(language, errors[error].hint));
    if (detail)
        json_object_set_new(object, "detail", json_string(detail));
    reply = reply_json(status, object);
    reply_header(reply, MHD_HTTP_HEADER_CONTENT_LANGUAGE, language_code(language));
    if (status == 429 || status == 503) {
        char seconds[16];
        (void)snprintf(seconds, sizeof seconds, "%u", CLAMP(retry_after, 1u, 3600u));
        reply_header(reply, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    return reply;
}

Reply *problem_reply(const Request *r, EonayError error, const char *detail) {
    return problem_reply_full(r->language, error, 0, 0, detail);
}
