/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority may want a login in the browser first (RFC 8628). Then the caller gets a handle, and we ask the
 * authority again at the pace it wants until it gives the code, refuses, or the login's time is over; the result is a
 * signal to the caller alone. The handle the caller sees is ours; the authority's stays here.
 */
#include "code.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "bus-util.h"
#include "error.h"
#include "host-protocol.h"
#include "names.h"
#include "util.h"

#define INTERVAL_DEFAULT 5u   /* seconds, RFC 8628 section 3.2 */
#define INTERVAL_MAX     300u /* an authority that asks for more is asked this often */

struct PendingCode {
    Manager *manager;
    Client *client;
    User *user; /* counted */
    Backend *backend;
    char *handle;    /* ours */
    char *authority; /* theirs */
    uint32_t interval;
    uint64_t deadline; /* CLOCK_BOOTTIME is not needed: a login does not survive sleep */
    sd_event_source *timer;
    HostCall *call;
};

/* An answer to GetCode or PollCode. Strings borrowed from the message. */
typedef struct CodeAnswer {
    bool pending;
    const char *code, *purpose, *handle, *user_code, *uri, *uri_complete;
    uint64_t created_at, expires_at, now;
    uint32_t interval;
} CodeAnswer;

static int read_answer(sd_bus_message *reply, CodeAnswer *a) {
    *a = (CodeAnswer){.code = "", .purpose = "", .handle = "", .user_code = "", .uri = "", .uri_complete = ""};
    const BusOption table[] = {{"Pending", "b", &a->pending},      {"Code", "s", &a->code},
                               {"Purpose", "s", &a->purpose},      {"CreatedAt", "t", &a->created_at},
                               {"ExpiresAt", "t", &a->expires_at}, {"Now", "t", &a->now},
                               {"Handle", "s", &a->handle},        {"UserCode", "s", &a->user_code},
                               {"VerificationUri", "s", &a->uri},  {"VerificationUriComplete", "s", &a->uri_complete},
                               {"Interval", "u", &a->interval},    {NULL, NULL, NULL}};
    if (bus_read_dict(reply, table) < 0 || (!a->pending && !*a->code) || (a->pending && !*a->handle))
        return EONAY_ERROR_BACKEND_PROTOCOL;
    return 0;
}

static int append_code_details(const Backend *b, const CodeAnswer *a, sd_bus_message *m) {
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 ||
        (r = bus_append_string(m, "Backend", b->instance->name)) < 0 ||
        (r = bus_append_string(m, "Purpose", a->purpose)) < 0 ||
        (r = bus_append_u64(m, "CreatedAt", a->created_at)) < 0 ||
        (r = bus_append_u64(m, "ExpiresAt", a->expires_at)) < 0 ||
        (r = bus_append_u64(m, "RemainingUSec", a->expires_at > a->now ? a->expires_at - a->now : 0)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

/* ----------------------------------------------------------------------------------------------------- pending -- */

void pending_code_free(PendingCode *p) {
    if (!p)
        return;
    if (p->call)
        host_call_forget(p->call);
    sd_event_source_disable_unref(p->timer);
    user_call_end(p->manager, p->user);
    g_free(p->handle);
    g_free(p->authority);
    g_free(p);
}

static void pending_drop(PendingCode *p) {
    g_hash_table_remove(p->manager->codes, p->handle); /* frees it */
}

static int new_signal(PendingCode *p, const char *member, sd_bus_message **ret) {
    int r = sd_bus_message_new_signal(p->manager->bus, ret, EONAY_PATH, EONAY_INTERFACE_MANAGER, member);
    if (r >= 0)
        r = sd_bus_message_set_destination(*ret, p->client->name);
    return r < 0 ? r : sd_bus_message_append(*ret, "s", p->handle);
}

static void pending_fail(PendingCode *p, const Fault *fault) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    if (new_signal(p, "CodeFailed", &m) >= 0 &&
        sd_bus_message_append(m, "ss", eonay_error_name(fault->code), eonay_error_text(fault->code)) >= 0)
        sd_bus_send(p->manager->bus, m, NULL);
    pending_drop(p);
}

static void pending_ready(PendingCode *p, const CodeAnswer *a) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    if (new_signal(p, "CodeReady", &m) >= 0 && sd_bus_message_sensitive(m) >= 0 &&
        sd_bus_message_append(m, "s", a->code) >= 0 && append_code_details(p->backend, a, m) >= 0)
        sd_bus_send(p->manager->bus, m, NULL);
    pending_drop(p);
}

static int pending_wait(PendingCode *p, uint64_t seconds);

static void on_polled(const Fault *fault, sd_bus_message *reply, void *userdata) {
    PendingCode *p = userdata;
    CodeAnswer a;
    p->call = NULL;
    if (fault->code == EONAY_ERROR_RATE_LIMITED)
        p->interval += INTERVAL_DEFAULT; /* slow_down, RFC 8628 section 3.5 */
    bool again = fault->code == EONAY_ERROR_CODE_PENDING || fault->code == EONAY_ERROR_RATE_LIMITED ||
                 fault->code == EONAY_ERROR_BACKEND_UNREACHABLE || fault->code == EONAY_ERROR_BACKEND_UNTRUSTED;
    if (fault->code == 0 && read_answer(reply, &a) == 0) {
        if (!a.pending) {
            pending_ready(p, &a);
            return;
        }
        again = true;
    }
    if (again && pending_wait(p, fault->native_code) >= 0)
        return;
    Fault f = fault->code ? fault_copy(fault) : FAULT(EONAY_ERROR_BACKEND_PROTOCOL);
    pending_fail(p, &f);
    fault_clear(&f);
}

static int on_poll_time(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    PendingCode *p = userdata;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    p->timer = sd_event_source_disable_unref(p->timer);
    Fault expired = FAULT(EONAY_ERROR_CODE_EXPIRED);
    if (usec >= p->deadline) {
        pending_fail(p, &expired);
        return 0;
    }
    int r = backend_begin(p->backend, HOST_METHOD_POLL_CODE, &m);
    if (r == 0)
        r = sd_bus_message_append(m, HOST_POLL_CODE_IN, p->authority);
    if (r >= 0)
        r = backend_call(p->backend, m, on_polled, p, &p->call);
    if (r != 0) {
        Fault f = FAULT(r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED);
        pending_fail(p, &f);
    }
    return 0;
}

/* At the authority's pace, or later when it asks for a pause (Retry-After). */
static int pending_wait(PendingCode *p, uint64_t seconds) {
    seconds = CLAMP(seconds, p->interval, INTERVAL_MAX);
    return sd_event_add_time_relative(p->manager->event, &p->timer, CLOCK_MONOTONIC, seconds * USEC_PER_SEC, 0,
                                      on_poll_time, p);
}

static char *random_handle(void) {
    uint64_t n[2];
    if (getrandom(n, sizeof(n), 0) != sizeof(n))
        g_error("no random numbers");
    return g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", n[0], n[1]);
}

static PendingCode *pending_new(Client *client, Backend *b, const CodeAnswer *a) {
    PendingCode *p = g_new0(PendingCode, 1);
    p->manager = client->manager;
    p->client = client;
    p->backend = b;
    p->handle = random_handle();
    p->authority = g_strdup(a->handle);
    p->interval = a->interval == 0 ? INTERVAL_DEFAULT : a->interval > INTERVAL_MAX ? INTERVAL_MAX : a->interval;
    p->deadline = (uint64_t)g_get_monotonic_time() + (a->expires_at > a->now ? a->expires_at - a->now : 0);
    g_hash_table_replace(p->manager->codes, p->handle, p);
    return p;
}

int code_cancel(Client *client, const char *handle) {
    PendingCode *p = g_hash_table_lookup(client->manager->codes, handle);
    if (!p || p->client != client)
        return EONAY_ERROR_NOT_FOUND;
    pending_drop(p);
    return 0;
}

static gboolean is_of_client(gpointer key, gpointer value, gpointer client) {
    (void)key;
    return ((PendingCode *)value)->client == client;
}

void codes_client_gone(Manager *m, const Client *client) {
    g_hash_table_foreach_remove(m->codes, is_of_client, (gpointer)client);
}

/* ---------------------------------------------------------------------------------------------------- GetCode -- */

typedef struct CodeCall {
    Manager *manager;
    Backend *backend;
    User *user; /* counted */
    sd_bus_message *message;
} CodeCall;

static void code_call_free(CodeCall *c) {
    user_call_end(c->manager, c->user);
    sd_bus_message_unref(c->message);
    g_free(c);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CodeCall, code_call_free)

static int reply_pending(CodeCall *c, const CodeAnswer *a, sd_bus_message *reply) {
    Client *client = client_find(c->manager, sd_bus_message_get_sender(c->message));
    int r;
    if (!client)
        return -ENOTCONN;
    PendingCode *p = pending_new(client, c->backend, a);
    p->user = TAKE_PTR(c->user); /* goes on waiting */
    if ((r = pending_wait(p, 0)) < 0 || (r = sd_bus_message_append(reply, "s", "")) < 0 ||
        (r = sd_bus_message_open_container(reply, 'a', "{sv}")) < 0 ||
        (r = bus_append_bool(reply, "Pending", true)) < 0 || (r = bus_append_string(reply, "Handle", p->handle)) < 0 ||
        (r = bus_append_string(reply, "UserCode", a->user_code)) < 0 ||
        (r = bus_append_string(reply, "VerificationUri", a->uri)) < 0 ||
        (r = bus_append_string(reply, "VerificationUriComplete", a->uri_complete)) < 0 ||
        (r = bus_append_string(reply, "Backend", c->backend->instance->name)) < 0 ||
        (r = bus_append_u32(reply, "Interval", p->interval)) < 0 ||
        (r = bus_append_u64(reply, "ExpiresAt", a->expires_at)) < 0) {
        pending_drop(p);
        return r;
    }
    return sd_bus_message_close_container(reply);
}

static int reply_code(CodeCall *c, const CodeAnswer *a) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(c->message, &reply);
    if (r < 0 || (r = sd_bus_message_sensitive(reply)) < 0)
        return r;
    if (a->pending)
        r = reply_pending(c, a, reply);
    else if ((r = sd_bus_message_append(reply, "s", a->code)) >= 0)
        r = append_code_details(c->backend, a, reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void on_code(const Fault *fault, sd_bus_message *reply, void *userdata) {
    g_autoptr(CodeCall) c = userdata;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    CodeAnswer a;
    int r = fault->code;
    backend_answered(c->backend, fault);
    if (r != 0)
        fault_to_bus(fault, &error);
    else if ((r = read_answer(reply, &a)) != 0)
        fault_code_to_bus(r, &error);
    else if ((r = reply_code(c, &a)) < 0)
        sd_bus_error_set_errno(&error, r);
    if (sd_bus_error_is_set(&error))
        sd_bus_reply_method_error(c->message, &error);
}

static int append_request(sd_bus_message *m, const CodeRequest *request) {
    const struct {
        const char *key, *value;
    } rows[] = {{"purpose", request->purpose},
                {"subject", request->subject},
                {"language", request->language},
                {"superseded-code", request->superseded_code}};
    int r = sd_bus_message_open_container(m, 'a', "{ss}");
    for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(rows); i++)
        if (rows[i].value)
            r = sd_bus_message_append(m, "{ss}", rows[i].key, rows[i].value);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int code_get(Client *client, Backend *b, const CodeRequest *request, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    int r = backend_begin(b, HOST_METHOD_GET_CODE, &call);
    if (r != 0)
        return r > 0 ? fault_code_to_bus(r, error) : r;
    if ((r = sd_bus_message_sensitive(call)) < 0 || (r = append_request(call, request)) < 0)
        return r;
    CodeCall *c = g_new0(CodeCall, 1);
    *c = (CodeCall){.manager = client->manager, .backend = b, .message = sd_bus_message_ref(m)};
    if ((r = user_call_begin(client, &c->user, error)) < 0 || (r = backend_call(b, call, on_code, c, NULL)) < 0) {
        code_call_free(c);
        return r;
    }
    return 1;
}
