/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call in three steps: read the message, make the call and check what came back, reply. The first and the last touch
 * the connection and belong to the thread that owns it; the one between knows nothing but its job, and for a concurrent
 * plugin runs in a thread of workers.c. The table at the end names the steps of each method.
 */
#include "serve-ca.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "answers.h"
#include "host-protocol.h"
#include "serve.h"
#include "util.h"
#include "workers.h"

typedef struct CaMethod CaMethod;

typedef struct CaJob {
    Host *host;
    const CaMethod *method;
    sd_bus_message *message; /* what is read points into it */
    Call call;
    int result;
    const char *argument; /* code, handle, transaction or subject */
    EonayCodeRequest request;
    EonaySubmission submission;
    const uint8_t *signatures[EONAY_TEXTS_MAX];
    size_t sizes[EONAY_TEXTS_MAX];
    EonayCapabilities capabilities;
    EonayCode code;
    EonayRedemption redemption;
    EonayTransactionState state;
    EonayReceipt receipt;
    EonayApproval approval;
} CaJob;

struct CaMethod {
    const char *name;
    int (*read)(sd_bus_message *m, CaJob *job);
    bool (*offered)(const EonayCaOps *ops); /* NULL: always */
    int (*make)(const EonayCaOps *ops, void *context, CaJob *job);
    const char *(*fault)(const CaJob *job); /* NULL, or what is wrong with a success; may be NULL itself */
    int (*append)(const CaJob *job, bool success, sd_bus_message *reply);
};

/* -------------------------------------------------------------------------------------------------------- read -- */

static int read_nothing(sd_bus_message *m, CaJob *job) {
    (void)m;
    (void)job;
    return 0;
}

static int read_argument(sd_bus_message *m, CaJob *job) {
    return sd_bus_message_read(m, "s", &job->argument);
}

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

static int read_code_request(sd_bus_message *m, CaJob *job) {
    const char *key, *value;
    int k = 0, r = sd_bus_message_enter_container(m, 'a', "{ss}");
    while (r >= 0 && k == 0 && (r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0)
        k = read_code_option(&job->request, key, value);
    return r < 0 ? r : k;
}

static int read_signatures(sd_bus_message *m, CaJob *job) {
    const void *bytes;
    size_t size, n = 0;
    int r = sd_bus_message_enter_container(m, 'a', "ay");
    while (r >= 0 && (r = sd_bus_message_read_array(m, 'y', &bytes, &size)) > 0) {
        if (n == EONAY_TEXTS_MAX || size == 0)
            return -EINVAL;
        job->signatures[n] = bytes;
        job->sizes[n++] = size;
    }
    job->submission.signatures = job->signatures;
    job->submission.signature_sizes = job->sizes;
    job->submission.n_signatures = n;
    if (r < 0)
        return r;
    return n > 0 ? 0 : -EINVAL;
}

static int read_submission(sd_bus_message *m, CaJob *job) {
    int r = sd_bus_message_read(m, "ss", &job->submission.transaction, &job->submission.idempotency_key);
    return r < 0 ? r : read_signatures(m, job);
}

/* -------------------------------------------------------------------------------------------------------- make -- */

static int make_capabilities(const EonayCaOps *ops, void *context, CaJob *job) {
    return ops->capabilities(context, &job->capabilities);
}

static int make_code(const EonayCaOps *ops, void *context, CaJob *job) {
    return ops->get_code(context, &job->request, &job->code);
}

static bool offers_poll(const EonayCaOps *ops) {
    return ops->poll_code;
}

static int make_poll(const EonayCaOps *ops, void *context, CaJob *job) {
    return ops->poll_code(context, job->argument, &job->code);
}

static int make_redemption(const EonayCaOps *ops, void *context, CaJob *job) {
    return ops->redeem(context, job->argument, &job->redemption);
}

static int make_submission(const EonayCaOps *ops, void *context, CaJob *job) {
    return ops->submit(context, &job->submission, &job->receipt);
}

static bool offers_status(const EonayCaOps *ops) {
    return ops->status;
}

static int make_status(const EonayCaOps *ops, void *context, CaJob *job) {
    return ops->status(context, job->argument, &job->state, &job->receipt);
}

static bool offers_approval(const EonayCaOps *ops) {
    return ops->approval;
}

static int make_approval(const EonayCaOps *ops, void *context, CaJob *job) {
    return ops->approval(context, job->argument, &job->approval);
}

static bool offers_cancel(const EonayCaOps *ops) {
    return ops->cancel;
}

static int make_cancel(const EonayCaOps *ops, void *context, CaJob *job) {
    return ops->cancel(context, job->argument);
}

/* ------------------------------------------------------------------------------------------------ what came back -- */

static const char *fault_of_code(const CaJob *job) {
    return code_fault(&job->code);
}

static const char *fault_of_redemption(const CaJob *job) {
    return redemption_fault(&job->redemption);
}

static const char *fault_of_submission(const CaJob *job) {
    return job->receipt.receipt_id ? receipt_fault(&job->receipt) : "the plugin returned no receipt";
}

static const char *fault_of_status(const CaJob *job) {
    if ((unsigned)job->state > EONAY_TRANSACTION_SUPERSEDED)
        return "the plugin returned a state that is none";
    return receipt_fault(&job->receipt);
}

static const char *fault_of_approval(const CaJob *job) {
    return approval_fault(&job->approval);
}

static int append_capabilities(const CaJob *job, bool success, sd_bus_message *reply) {
    return capabilities_append(&job->capabilities, success, reply);
}

static int append_code(const CaJob *job, bool success, sd_bus_message *reply) {
    return code_append(&job->code, success, reply);
}

static int append_redemption(const CaJob *job, bool success, sd_bus_message *reply) {
    return redemption_append(&job->redemption, success, reply);
}

static int append_receipt(const CaJob *job, bool success, sd_bus_message *reply) {
    return receipt_append(&job->receipt, success, reply);
}

static int append_status(const CaJob *job, bool success, sd_bus_message *reply) {
    return status_append(job->state, &job->receipt, success, reply);
}

static int append_approval(const CaJob *job, bool success, sd_bus_message *reply) {
    return approval_append(&job->approval, success, reply);
}

static int append_nothing(const CaJob *job, bool success, sd_bus_message *reply) {
    (void)job;
    (void)success;
    (void)reply;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ the job -- */

static const CaMethod methods[] = {
    {HOST_METHOD_CAPABILITIES, read_nothing, NULL, make_capabilities, NULL, append_capabilities},
    {HOST_METHOD_GET_CODE, read_code_request, NULL, make_code, fault_of_code, append_code},
    {HOST_METHOD_POLL_CODE, read_argument, offers_poll, make_poll, fault_of_code, append_code},
    {HOST_METHOD_REDEEM, read_argument, NULL, make_redemption, fault_of_redemption, append_redemption},
    {HOST_METHOD_SUBMIT, read_submission, NULL, make_submission, fault_of_submission, append_receipt},
    {HOST_METHOD_STATUS, read_argument, offers_status, make_status, fault_of_status, append_status},
    {HOST_METHOD_APPROVAL, read_argument, offers_approval, make_approval, fault_of_approval, append_approval},
    {HOST_METHOD_CANCEL, read_argument, offers_cancel, make_cancel, NULL, append_nothing}};

static CaJob *job_new(Host *host, sd_bus_message *m) {
    CaJob *job = g_new0(CaJob, 1);
    job->host = host;
    job->message = sd_bus_message_ref(m);
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        if (strcmp(methods[i].name, sd_bus_message_get_member(m)) == 0)
            job->method = &methods[i];
    job->request.struct_size = sizeof(job->request);
    job->submission.struct_size = sizeof(job->submission);
    job->capabilities.struct_size = sizeof(job->capabilities);
    job->code.struct_size = sizeof(job->code);
    job->redemption.struct_size = sizeof(job->redemption);
    job->receipt.struct_size = sizeof(job->receipt);
    job->approval.struct_size = sizeof(job->approval);
    return job;
}

static void job_free(CaJob *job) {
    code_clear(&job->code);
    redemption_clear(&job->redemption);
    receipt_clear(&job->receipt);
    approval_clear(&job->approval);
    sd_bus_message_unref(job->message);
    g_free(job);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CaJob, job_free)

/* A success whose content is rubbish is no success. */
static void job_run(void *userdata) {
    CaJob *job = userdata;
    const Host *host = job->host;
    const EonayCaOps *ops = host->plugin->ca;
    if (job->method->offered && !job->method->offered(ops)) {
        call_end_void(&job->call);
        job->result = call_fail(&job->call, EONAY_ERROR_UNSUPPORTED, NULL);
        return;
    }
    call_begin(&job->call, host->deadlines[DEADLINE_CA]);
    job->result = call_end(&job->call, job->method->make(ops, host->context, job));
    const char *fault = job->result == 0 && job->method->fault ? job->method->fault(job) : NULL;
    if (fault)
        job->result = call_fail(&job->call, EONAY_ERROR_BACKEND_PROTOCOL, fault);
}

static int job_reply(CaJob *job) {
    if (job->result < 0)
        return host_ruined(job->host, job->result);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = host_reply_new(job->message, &job->call, &reply);
    if (r >= 0)
        r = job->method->append(job, job->call.code == 0, reply);
    return host_reply_send(job->host, reply, r);
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    g_autoptr(CaJob) job = job_new(host, m);
    int r = job->method->read(m, job);
    if (r < 0)
        return r;
    if (host->workers) {
        r = workers_push(host->workers, job);
        if (r < 0)
            return host_ruined(host, r);
        g_steal_pointer(&job);
        return 1;
    }
    job_run(job);
    return job_reply(job);
}

int ca_prepare(Host *host) {
    return host->plugin->flags & EONAY_PLUGIN_CONCURRENT ? workers_new(job_run, &host->workers) : 0;
}

/* The connection has no deadlines of its own, so a failed reply is a broken connection: nobody is left to tell. */
int ca_answer(Host *host) {
    g_autoptr(CaJob) job = workers_take(host->workers);
    return job ? job_reply(job) : 0;
}

const HostMethod ca_methods[] = {{HOST_METHOD_CAPABILITIES, "", on_call},
                                 {HOST_METHOD_GET_CODE, HOST_GET_CODE_IN, on_call},
                                 {HOST_METHOD_POLL_CODE, HOST_POLL_CODE_IN, on_call},
                                 {HOST_METHOD_REDEEM, HOST_REDEEM_IN, on_call},
                                 {HOST_METHOD_SUBMIT, HOST_SUBMIT_IN, on_call},
                                 {HOST_METHOD_STATUS, HOST_STATUS_IN, on_call},
                                 {HOST_METHOD_APPROVAL, HOST_APPROVAL_IN, on_call},
                                 {HOST_METHOD_CANCEL, HOST_CANCEL_IN, on_call},
                                 {0}};
