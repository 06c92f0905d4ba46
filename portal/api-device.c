/* SPDX-License-Identifier: Apache-2.0 */
/* The two paths of RFC 8628. Their faults are OAuth's (RFC 6749 section 5.2), but for those that any path has. */
#include <openssl/crypto.h>
#include <string.h>

#include "api.h"
#include "client.h"
#include "clock.h"
#include "device-grant.h"

#define GRANT_TYPE  "urn:ietf:params:oauth:grant-type:device_code"
#define DEVICE_PATH "/device"

/* error: the condition that means the same; 0: none does. */
static Reply *oauth_error(unsigned status, const char *name, int error, const char *description) {
    json_t *object = json_pack("{s:s}", "error", name);

    if (description)
        json_object_set_new(object, "error_description", json_string(description));
    if (error != 0)
        json_object_set_new(object, "code", json_string(error_name((EonayError)error)));
    return reply_json(status, object);
}

/* NULL when the client may go on. */
static Reply *refuse_client(Request *r, const char **ret_id) {
    const char *client = NULL;

    if (client_identify(r, r->portal->config->require_client, &client) != 0) {
        Reply *reply = oauth_error(401, "invalid_client", EONAY_ERROR_BACKEND_REJECTED, NULL);
        reply_header(reply, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"eonay-portal\"");
        return reply;
    }
    *ret_id = request_form(r, "client_id");
    if (!*ret_id || **ret_id == '\0' || strlen(*ret_id) > DEVICE_CLIENT_MAX)
        return oauth_error(400, "invalid_request", EONAY_ERROR_BACKEND_PROTOCOL, "client_id: 1 to 64 characters");
    for (const char *c = *ret_id; *c; c++)
        if (*c < '!' || *c > '~')
            return oauth_error(400, "invalid_request", EONAY_ERROR_BACKEND_PROTOCOL, "client_id: visible ASCII");
    return NULL;
}

static Reply *start_refusal(const Request *r, int error, unsigned retry_after) {
    switch (error) {
    case EONAY_ERROR_UNSUPPORTED:
        return oauth_error(400, "invalid_scope", error, "no such purpose");
    case EONAY_ERROR_SUBJECT_INVALID:
        return oauth_error(400, "invalid_request", error, "subject: no identity number");
    case EONAY_ERROR_CODE_INVALID:
        return oauth_error(400, "invalid_request", error, "superseded_code: no code");
    default:
        return problem_reply_full(r->language, (EonayError)error, 0, retry_after, NULL);
    }
}

Reply *api_device_authorization(Request *r) {
    const char *scope = request_form(r, "scope");
    DeviceRequest request = {.purpose = scope && *scope ? scope : PURPOSE_NES_APPLICATION,
                             .subject = request_form(r, "subject"),
                             .superseded_code = request_form(r, "superseded_code")};
    DeviceGrant grant = {0};
    Reply *reply = refuse_client(r, &request.client);

    if (reply)
        return reply;
    int error = device_start(r->portal, r->store, &request, r->address, r->now, &grant);
    if (error != 0)
        return start_refusal(r, error, grant.retry_after);
    g_autofree char *uri = g_strconcat(r->portal->config->public_url, DEVICE_PATH, NULL);
    /* The user code opens nothing: it is one half of a comparison that a person makes, logged in. */
    g_autofree char *complete = g_strconcat(uri, "?user_code=", grant.user_code, NULL);
    reply = reply_json(200, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "device_code", grant.device_code, "user_code",
                                      grant.user_code, "verification_uri", uri, "verification_uri_complete", complete,
                                      "expires_in", DEVICE_LIFETIME_SECONDS, "interval", DEVICE_INTERVAL_SECONDS));
    OPENSSL_cleanse(&grant, sizeof grant);
    return reply;
}

static Reply *token_answer(IssuedCode *code, const char *purpose) {
    const int64_t now = clock_now();
    const int64_t left = MAX(code->expires_at - now, 0) / SECOND_USEC;
    Reply *reply = reply_json(200, json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:I}", "access_token", code->digits,
                                             "token_type", "verification_code", "expires_in", (json_int_t)left,
                                             "purpose", purpose, "created_at", (json_int_t)code->created_at,
                                             "expires_at", (json_int_t)code->expires_at, "now", (json_int_t)now));

    OPENSSL_cleanse(code, sizeof *code);
    return reply;
}

Reply *api_token(Request *r) {
    static const struct {
        const char *name;
        int error;
    } faults[] = {
        [DEVICE_POLL_PENDING] = {"authorization_pending", EONAY_ERROR_CODE_PENDING},
        [DEVICE_POLL_SLOW_DOWN] = {"slow_down", EONAY_ERROR_RATE_LIMITED},
        [DEVICE_POLL_DENIED] = {"access_denied", EONAY_ERROR_CODE_DENIED},
        [DEVICE_POLL_EXPIRED] = {"expired_token", EONAY_ERROR_CODE_EXPIRED},
        [DEVICE_POLL_INVALID] = {"invalid_grant", EONAY_ERROR_CODE_UNKNOWN},
    };
    const char *grant_type = request_form(r, "grant_type");
    const char *device_code = request_form(r, "device_code");
    const char *client = NULL;
    IssuedCode code = {0};
    DevicePoll poll = DEVICE_POLL_INVALID;
    char purpose[65] = "";
    Reply *reply = refuse_client(r, &client);

    if (reply)
        return reply;
    if (!grant_type || !device_code)
        return oauth_error(400, "invalid_request", EONAY_ERROR_BACKEND_PROTOCOL, "grant_type, device_code, client_id");
    if (strcmp(grant_type, GRANT_TYPE) != 0)
        return oauth_error(400, "unsupported_grant_type", EONAY_ERROR_UNSUPPORTED, NULL);
    int error = device_poll(r->portal, r->store, device_code, client, r->now, &poll, &code, purpose);
    if (error != 0)
        return problem_reply(r, (EonayError)error, NULL);
    if (poll == DEVICE_POLL_CODE)
        return token_answer(&code, purpose);
    return oauth_error(400, faults[poll].name, faults[poll].error, NULL);
}
