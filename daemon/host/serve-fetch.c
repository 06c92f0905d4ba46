/* SPDX-License-Identifier: Apache-2.0 */
#include "serve-fetch.h"

#include <errno.h>
#include <glib.h>

#include "host-protocol.h"
#include "serve.h"
#include "util.h"
#include "workers.h"

/* Beyond the transfer's own time limit: a library that does not keep it is ended with its process. */
#define ALLOWANCE_MS 5000u

typedef struct FetchJob {
    Host *host;
    sd_bus_message *message; /* the request points into it */
    Call call;
    int result;
    EonayFetchRequest request;
    EonayFetched fetched;
} FetchJob;

static void job_free(FetchJob *job) {
    if (!job)
        return;
    if (job->fetched.body)
        job->host->services.host.release(&job->host->services.host, job->fetched.body);
    sd_bus_message_unref(job->message);
    g_free(job);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FetchJob, job_free)

static int job_read(FetchJob *job) {
    EonayFetchRequest *q = &job->request;
    sd_bus_message *m = job->message;
    const void *body, *imprint;
    int internal, r = sd_bus_message_read(m, "ss", &q->url, &q->content_type);
    if (r >= 0)
        r = sd_bus_message_read_array(m, 'y', &body, &q->body_size);
    if (r >= 0)
        r = sd_bus_message_read(m, "uus", &q->size_max, &q->timeout_ms, &q->identity);
    if (r >= 0)
        r = sd_bus_message_read_array(m, 'y', &imprint, &q->imprint_size);
    if (r >= 0)
        r = sd_bus_message_read(m, "b", &internal);
    if (r < 0)
        return r;
    q->body = body;
    q->imprint = imprint;
    q->internal_allowed = internal;
    q->content_type = *q->content_type ? q->content_type : NULL;
    q->identity = *q->identity ? q->identity : NULL;
    return 0;
}

static void job_run(void *userdata) {
    FetchJob *job = userdata;
    const Host *host = job->host;
    call_begin(&job->call, job->request.timeout_ms + ALLOWANCE_MS);
    job->result = call_end(&job->call, host->plugin->fetch->fetch(host->context, &job->request, &job->fetched));
}

static int job_reply(FetchJob *job) {
    if (job->result < 0)
        return host_ruined(job->host, job->result);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    bool success = job->call.code == 0;
    int r = host_reply_new(job->message, &job->call, &reply);
    if (r >= 0)
        r = sd_bus_message_append(reply, "u", success ? job->fetched.status : 0);
    if (r >= 0)
        r = sd_bus_message_append_array(reply, 'y', job->fetched.body, success ? job->fetched.size : 0);
    return host_reply_send(job->host, reply, r);
}

static int on_fetch(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    g_autoptr(FetchJob) job = g_new0(FetchJob, 1);
    *job = (FetchJob){.host = host,
                      .message = sd_bus_message_ref(m),
                      .request = {.struct_size = sizeof(EonayFetchRequest)},
                      .fetched = {.struct_size = sizeof(EonayFetched)}};
    int r = job_read(job);
    if (r < 0)
        return r;
    r = workers_push(host->workers, job);
    if (r < 0)
        return host_ruined(host, r);
    g_steal_pointer(&job);
    return 1;
}

int fetch_prepare(Host *host) {
    return workers_new(job_run, &host->workers);
}

int fetch_answer(Host *host) {
    g_autoptr(FetchJob) job = workers_take(host->workers);
    return job ? job_reply(job) : 0;
}

const HostMethod fetch_methods[] = {{HOST_METHOD_FETCH, HOST_FETCH_IN, on_fetch}, {0}};
