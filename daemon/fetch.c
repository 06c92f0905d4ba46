/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include "eonay/plugin.h"
#include "host-protocol.h"
#include "host.h"
#include "util.h"

#define HTTP_OK   200
#define ALLOWANCE (6u * USEC_PER_SEC) /* what the host grants the library beyond its own time limit, and a little */

struct Fetcher {
    Manager *manager;
    Host *host; /* NULL: no such plugin */
};

struct FetchCall {
    FetchHandler handler; /* NULL: forgotten */
    void *userdata;
};

Fetcher *fetcher_new(Manager *m) {
    Fetcher *f = g_new0(Fetcher, 1);
    InstanceConfig *instance = m->config->fetch;
    const Manifest *manifest = g_hash_table_lookup(m->manifests, instance->plugin);
    f->manager = m;
    if (manifest && manifest->kind == EONAY_PLUGIN_FETCH)
        f->host = host_new(&m->host_context, manifest, instance, NULL, "fetch");
    return f;
}

Fetcher *fetcher_free(Fetcher *f) {
    if (!f)
        return NULL;
    host_free(f->host);
    g_free(f);
    return NULL;
}

static void on_answer(const Fault *fault, sd_bus_message *reply, void *userdata) {
    g_autofree FetchCall *call = userdata;
    uint32_t status = 0;
    const void *body = NULL;
    size_t size = 0;
    Fault f = fault_copy(fault);
    if (f.code == 0 &&
        (sd_bus_message_read(reply, "u", &status) < 0 || sd_bus_message_read_array(reply, 'y', &body, &size) < 0))
        f = FAULT(EONAY_ERROR_PLUGIN_FAILED);
    if (f.code == 0 && status != HTTP_OK)
        f = fault_printf(EONAY_ERROR_BACKEND_PROTOCOL, "HTTP status %u", status);
    if (call->handler)
        call->handler(&f, body, size, call->userdata);
    fault_clear(&f);
}

static int append_request(sd_bus_message *m, const FetchRequest *q, uint32_t timeout_ms) {
    int r = sd_bus_message_append(m, "ss", q->url, q->content_type ? q->content_type : "");
    if (r >= 0)
        r = sd_bus_message_append_array(m, 'y', q->body, q->body_size);
    if (r >= 0)
        r = sd_bus_message_append(m, "uus", q->size_max, timeout_ms, q->identity ? q->identity : "");
    if (r >= 0)
        r = sd_bus_message_append_array(m, 'y', q->imprint, q->imprint_size);
    return r < 0 ? r : sd_bus_message_append(m, "b", q->configured);
}

int fetch_start(Fetcher *f, const FetchRequest *request, FetchHandler handler, void *userdata, FetchCall **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    uint64_t timeout_ms = f->manager->config->fetch_deadline;
    if (!f->host)
        return EONAY_ERROR_MODULE_MISSING;
    int r = host_begin(f->host, HOST_METHOD_FETCH, &m);
    if (r != 0)
        return r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED;
    if (append_request(m, request, (uint32_t)timeout_ms) < 0)
        return EONAY_ERROR_PLUGIN_FAILED;
    FetchCall *call = g_new0(FetchCall, 1);
    *call = (FetchCall){handler, userdata};
    if (host_call(f->host, m, timeout_ms * USEC_PER_MSEC + ALLOWANCE, on_answer, call, NULL) < 0) {
        g_free(call);
        return EONAY_ERROR_PLUGIN_FAILED;
    }
    *ret = call;
    return 0;
}

FetchCall *fetch_forget(FetchCall *call) {
    if (call)
        call->handler = NULL;
    return NULL;
}
