/* SPDX-License-Identifier: Apache-2.0 */
/* What the authority says about itself. */
#include "api.h"
#include "code.h"
#include "portal.h"

static int look(Store *store, void *data) {
    _rows_ StoreRows *row = NULL;

    (void)data;
    return store_row(store, STATEMENT_SETTING_GET, &row, "t", "key-check");
}

Reply *api_health(Request *r) {
    int error = store_read(r->store, look, NULL);

    if (error != 0)
        return problem_reply(r, EONAY_ERROR_STORAGE_FAILED, NULL);
    return reply_json(200, json_pack("{s:s, s:I}", "status", "ok", "now", (json_int_t)r->now));
}

Reply *api_capabilities(Request *r) {
    const Config *config = r->portal->config;
    json_t *functions =
        json_pack("[s, s, s, s, s, s]", "get-code", "regenerate", "status", "approval", "cancel", "poll");
    json_t *purposes = json_pack("[s, s, s]", PURPOSE_NES_APPLICATION, PURPOSE_PIN_CREATE, PURPOSE_PIN_UNBLOCK);
    json_t *limits = json_pack("{s:i, s:i, s:i, s:i}", "texts", 8, "text_bytes", 65536 + 256, "signature_bytes", 262144,
                               "request_bytes", (int)REQUEST_SIGNATURES_MAX);

    return reply_json(200,
                      json_pack("{s:s, s:o, s:o, s:i, s:i, s:[s], s:o, s:I}", "name", config->name, "functions",
                                functions, "purposes", purposes, "code_length", CODE_DIGITS, "code_lifetime",
                                config->code_lifetime, "levels", "B-B", "limits", limits, "now", (json_int_t)r->now));
}
