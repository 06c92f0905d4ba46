/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each method: take the message apart, make the call, check what came back, reply. Nothing here is shared between two
 * requests but the plugin's context, so that several threads could each run such a handler for a concurrent plugin.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "answers.h"
#include "host-protocol.h"
#include "serve.h"
#include "util.h"

static const EonayCaOps *ca_ops(const Host *host) {
    return host->plugin->ca;
}

static void ca_begin(const Host *host, Call *call) {
    call_begin(call, host->deadlines[DEADLINE_CA]);
}

/* An operation that the plugin does not have. */
static int ca_unsupported(Call *call) {
    call_end_void(call);
    return call_fail(call, EONAY_ERROR_UNSUPPORTED, NULL);
}

/* A success whose content is rubbish is no success. */
static int ca_check(Call *call, const char *fault) {
    return fault ? call_fail(call, EONAY_ERROR_BACKEND_PROTOCOL, fault) : 0;
}

static int on_capabilities(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    Call call;
    EonayCapabilities c = {.struct_size = sizeof(c)};
    ca_begin(host, &call);
    int r = call_end(&call, ca_ops(host)->capabilities(host->context, &c));
    if (r < 0)
        return host_ruined(host, r);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    r = host_reply_new(m, &call, &reply);
    if (r >= 0)
        r = capabilities_append(&c, call.code == 0, reply);
    return host_reply_send(host, reply, r);
}

/* ------------------------------------------------------------------------------------------------------- codes -- */

static int read_code_option(EonayCodeRequest *request, const char *key, const char *value) {
    const struct {
        const char *key;
        const char **value;
    } known[] = {{"purpose", &request->purpose},
                 {"subject", &request->subject},
                 {"language", &request->language},
                 {"superseded-code", &request->superseded_code}};
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(known[i].key, key) != 0)
            continue;
        *known[i].value = value;
        return 0;
    }
    return -EINVAL;
}

static int read_code_request(sd_bus_message *m, EonayCodeRequest *request) {
    const char *key, *value;
    int k = 0, r = sd_bus_message_enter_container(m, 'a', "{ss}");
    while (r >= 0 && k == 0 && (r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0)
        k = read_code_option(request, key, value);
    return r < 0 ? r : k;
}

static int reply_code(Host *host, sd_bus_message *m, Call *call, int r, const EonayCode *code) {
    if (r == 0)
        r = ca_check(call, code_fault(code));
    if (r < 0)
        return host_ruined(host, r);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    r = host_reply_new(m, call, &reply);
    if (r >= 0)
        r = code_append(code, call->code == 0, reply);
    return host_reply_send(host, reply, r);
}

static int on_get_code(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    EonayCodeRequest request = {.struct_size = sizeof(request)};
    int r = read_code_request(m, &request);
    if (r < 0)
        return r;
    Call call;
    _cleanup_(code_clear) EonayCode code = {.struct_size = sizeof(code)};
    ca_begin(host, &call);
    r = call_end(&call, ca_ops(host)->get_code(host->context, &request, &code));
    return reply_code(host, m, &call, r, &code);
}

static int on_poll_code(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    const char *handle;
    int r = sd_bus_message_read(m, "s", &handle);
    if (r < 0)
        return r;
    Call call;
    _cleanup_(code_clear) EonayCode code = {.struct_size = sizeof(code)};
    if (!ca_ops(host)->poll_code)
        return reply_code(host, m, &call, ca_unsupported(&call), &code);
    ca_begin(host, &call);
    r = call_end(&call, ca_ops(host)->poll_code(host->context, handle, &code));
    return reply_code(host, m, &call, r, &code);
}

static int on_redeem(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    const char *code;
    int r = sd_bus_message_read(m, "s", &code);
    if (r < 0)
        return r;
    Call call;
    _cleanup_(redemption_clear) EonayRedemption redemption = {.struct_size = sizeof(redemption)};
    ca_begin(host, &call);
    r = call_end(&call, ca_ops(host)->redeem(host->context, code, &redemption));
    if (r == 0)
        r = ca_check(&call, redemption_fault(&redemption));
    if (r < 0)
        return host_ruined(host, r);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    r = host_reply_new(m, &call, &reply);
    if (r >= 0)
        r = redemption_append(&redemption, call.code == 0, reply);
    return host_reply_send(host, reply, r);
}

/* ------------------------------------------------------------------------------------------------------ submit -- */

typedef struct Signatures {
    const uint8_t *bytes[EONAY_TEXTS_MAX];
    size_t sizes[EONAY_TEXTS_MAX];
    size_t n;
} Signatures;

static int read_signatures(sd_bus_message *m, Signatures *s) {
    const void *bytes;
    size_t size;
    int r = sd_bus_message_enter_container(m, 'a', "ay");
    while (r >= 0 && (r = sd_bus_message_read_array(m, 'y', &bytes, &size)) > 0) {
        if (s->n == EONAY_TEXTS_MAX || size == 0)
            return -EINVAL;
        s->bytes[s->n] = bytes;
        s->sizes[s->n++] = size;
    }
    if (r < 0)
        return r;
    return s->n > 0 ? 0 : -EINVAL;
}

static int on_submit(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    Signatures signatures = {.n = 0};
    EonaySubmission submission = {.struct_size = sizeof(submission)};
    int r = sd_bus_message_read(m, "ss", &submission.transaction, &submission.idempotency_key);
    if (r >= 0)
        r = read_signatures(m, &signatures);
    if (r < 0)
        return r;
    submission.signatures = signatures.bytes;
    submission.signature_sizes = signatures.sizes;
    submission.n_signatures = signatures.n;
    Call call;
    _cleanup_(receipt_clear) EonayReceipt receipt = {.struct_size = sizeof(receipt)};
    ca_begin(host, &call);
    r = call_end(&call, ca_ops(host)->submit(host->context, &submission, &receipt));
    if (r == 0)
        r = ca_check(&call, receipt.receipt_id ? receipt_fault(&receipt) : "the plugin returned no receipt");
    if (r < 0)
        return host_ruined(host, r);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    r = host_reply_new(m, &call, &reply);
    if (r >= 0)
        r = receipt_append(&receipt, call.code == 0, reply);
    return host_reply_send(host, reply, r);
}

/* ---------------------------------------------------------------------------------------------------- optional -- */

static int status_call(Host *host, const char *transaction, EonayTransactionState *ret, EonayReceipt *receipt,
                       Call *call) {
    if (!ca_ops(host)->status)
        return ca_unsupported(call);
    ca_begin(host, call);
    int r = call_end(call, ca_ops(host)->status(host->context, transaction, ret, receipt));
    if (r != 0)
        return r;
    if ((unsigned)*ret > EONAY_TRANSACTION_SUPERSEDED)
        return ca_check(call, "the plugin returned a state that is none");
    return ca_check(call, receipt_fault(receipt));
}

static int on_status(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    const char *transaction;
    int r = sd_bus_message_read(m, "s", &transaction);
    if (r < 0)
        return r;
    Call call;
    EonayTransactionState state = EONAY_TRANSACTION_OPEN;
    _cleanup_(receipt_clear) EonayReceipt receipt = {.struct_size = sizeof(receipt)};
    r = status_call(host, transaction, &state, &receipt, &call);
    if (r < 0)
        return host_ruined(host, r);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    r = host_reply_new(m, &call, &reply);
    if (r >= 0)
        r = status_append(state, &receipt, call.code == 0, reply);
    return host_reply_send(host, reply, r);
}

static int approval_call(Host *host, const char *subject, EonayApproval *ret, Call *call) {
    if (!ca_ops(host)->approval)
        return ca_unsupported(call);
    ca_begin(host, call);
    int r = call_end(call, ca_ops(host)->approval(host->context, subject, ret));
    return r != 0 ? r : ca_check(call, approval_fault(ret));
}

static int on_approval(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    const char *subject;
    int r = sd_bus_message_read(m, "s", &subject);
    if (r < 0)
        return r;
    Call call;
    _cleanup_(approval_clear) EonayApproval approval = {.struct_size = sizeof(approval)};
    r = approval_call(host, subject, &approval, &call);
    if (r < 0)
        return host_ruined(host, r);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    r = host_reply_new(m, &call, &reply);
    if (r >= 0)
        r = approval_append(&approval, call.code == 0, reply);
    return host_reply_send(host, reply, r);
}

static int cancel_call(Host *host, const char *transaction, Call *call) {
    if (!ca_ops(host)->cancel)
        return ca_unsupported(call);
    ca_begin(host, call);
    return call_end(call, ca_ops(host)->cancel(host->context, transaction));
}

static int on_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    const char *transaction;
    int r = sd_bus_message_read(m, "s", &transaction);
    if (r < 0)
        return r;
    Call call;
    r = cancel_call(host, transaction, &call);
    if (r < 0)
        return host_ruined(host, r);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    r = host_reply_new(m, &call, &reply);
    return host_reply_send(host, reply, r);
}

const HostMethod ca_methods[] = {{HOST_METHOD_CAPABILITIES, "", on_capabilities},
                                 {HOST_METHOD_GET_CODE, HOST_GET_CODE_IN, on_get_code},
                                 {HOST_METHOD_POLL_CODE, HOST_POLL_CODE_IN, on_poll_code},
                                 {HOST_METHOD_REDEEM, HOST_REDEEM_IN, on_redeem},
                                 {HOST_METHOD_SUBMIT, HOST_SUBMIT_IN, on_submit},
                                 {HOST_METHOD_STATUS, HOST_STATUS_IN, on_status},
                                 {HOST_METHOD_APPROVAL, HOST_APPROVAL_IN, on_approval},
                                 {HOST_METHOD_CANCEL, HOST_CANCEL_IN, on_cancel},
                                 {0}};
