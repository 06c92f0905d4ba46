/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"
#include "approval.h"
#include "client.h"
#include "clock.h"
#include "code.h"
#include "tckn.h"

typedef struct Look {
    const char *subject;
    Approval approval;
} Look;

static int look(Store *store, void *data) {
    Look *l = data;

    return approval_newest(store, l->subject, PURPOSE_NES_APPLICATION, &l->approval);
}

static Reply *answer(const Approval *a) {
    json_t *object = json_pack("{s:b, s:I}", "approved", a->approved, "now", (json_int_t)clock_now());

    if (a->approved) {
        json_object_set_new(object, "receipt_id", json_string(a->receipt_id));
        json_object_set_new(object, "text_version", json_string(a->text_version));
        json_object_set_new(object, "approved_at", json_integer(a->approved_at));
    }
    return reply_json(200, object);
}

Reply *api_approval(Request *r) {
    const char *client = NULL;
    Look l = {0};
    Reply *reply = NULL;

    if (client_identify(r, true, &client) != 0)
        return client_refusal(r);
    json_t *body = request_json(r);
    l.subject = json_string_value(json_object_get(body, "subject"));
    if (!l.subject)
        reply =
            problem_reply(r, EONAY_ERROR_BACKEND_PROTOCOL, "the body must be a JSON object with the text \"subject\"");
    else if (!tckn_valid(l.subject))
        reply = problem_reply(r, EONAY_ERROR_SUBJECT_INVALID, NULL);
    if (!reply) {
        int error = store_read(r->store, look, &l);
        reply = error == 0 ? answer(&l.approval) : problem_reply(r, (EonayError)error, NULL);
    }
    json_decref(body);
    return reply;
}
