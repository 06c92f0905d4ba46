/* SPDX-License-Identifier: Apache-2.0 */
/* What the authority has on record, and what it offers. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "fault.h"
#include "rest.h"
#include "scope.h"

int approval_ask(const Rest *rest, const char *subject, EonayApproval *ret) {
    const char *receipt = NULL, *version = NULL;
    _cleanup_free_ char *body = NULL;
    _cleanup_json_ json_t *json = NULL;
    int r = rest_body(json_pack("{s:s}", "subject", subject), &body);

    if (r == 0)
        r = rest_ask(rest,
                     &(const Request){.method = "POST",
                                      .path = "/v1/approvals/query",
                                      .content_type = "application/json",
                                      .body = body,
                                      .body_size = strlen(body)},
                     &json);
    if (r != 0)
        return r;
    if (!json || !member_bool(json, "approved", &ret->approved))
        return answer_garbled(rest->host, "the approval lacks a member");
    if (!ret->approved)
        return 0;
    if (!member_string(json, "receipt_id", &receipt) || !member_string(json, "text_version", &version) ||
        !member_time(json, "approved_at", &ret->approved_at))
        return answer_garbled(rest->host, "the approval lacks a member");
    ret->receipt_id = host_strdup(rest->host, receipt);
    ret->text_version = host_strdup(rest->host, version);
    return 0;
}

/* Functions this version does not know are none of its business. */
static uint32_t functions(const json_t *array) {
    static const struct {
        const char *name;
        uint32_t flag;
    } known[] = {{"get-code", EONAY_CA_GET_CODE}, {"regenerate", EONAY_CA_REGENERATE}, {"status", EONAY_CA_STATUS},
                 {"approval", EONAY_CA_APPROVAL}, {"cancel", EONAY_CA_CANCEL},         {"poll", EONAY_CA_POLL}};
    uint32_t flags = 0;

    for (size_t i = 0; i < json_array_size(array); i++)
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (json_is_string(json_array_get(array, i)) &&
                strcmp(known[k].name, json_string_value(json_array_get(array, i))) == 0)
                flags |= known[k].flag;
    return flags;
}

int capabilities_ask(const Rest *rest, EonayCapabilities *ret) {
    const char *name = NULL;
    _cleanup_json_ json_t *json = NULL;
    int r = rest_ask(rest, &(const Request){.method = "GET", .path = "/v1/capabilities"}, &json);

    if (r != 0)
        return r;
    if (!json || !member_string(json, "name", &name) || !member_number(json, "code_length", &ret->code_length) ||
        !member_number(json, "code_lifetime", &ret->code_lifetime) ||
        !json_is_array(json_object_get(json, "functions")))
        return answer_garbled(rest->host, "the capabilities lack a member");
    ret->flags = functions(json_object_get(json, "functions"));
    (void)snprintf(ret->name, sizeof ret->name, "%s", name);
    return 0;
}
