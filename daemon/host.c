/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host's life is its connection. Open is sent first and the calls right behind it, so a cold start costs no extra
 * round trip; if Open fails, the calls behind it are answered with its fault. When the connection breaks, sd-bus
 * answers every open call with an error, which becomes PluginCrashed, or PluginTimeout when the deadline was over.
 */
#include "host.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "eonay/plugin.h"
#include "error.h"
#include "host-protocol.h"
#include "host-spawn.h"
#include "log.h"
#include "messages.h"
#include "util.h"

#define HOST_CRASHES_MAX      5u                     /* in a row, then it is left alone */
#define HOST_BACKOFF_FIRST    (100u * USEC_PER_MSEC) /* after the second crash in a row, then doubled */
#define HOST_QUARANTINE       (60u * USEC_PER_SEC)
#define HOST_ANSWER_ALLOWANCE (1u * USEC_PER_SEC) /* beyond the host's own deadline */

struct Host {
    unsigned n_ref;
    const HostContext *context;
    const Manifest *manifest;
    const InstanceConfig *instance;
    GHashTable *files;
    char *purpose;

    sd_bus *bus;    /* NULL while no process runs */
    bool connected; /* it has answered: what is sent before would wait for its start, and we with it */
    sd_bus_slot *filter;
    int leash;        /* ends the process at once: it may be another user's, and we may not know its id */
    GPtrArray *calls; /* HostCall*, those not answered */
    Fault open_fault;
    unsigned crashes;    /* in a row: none of the calls in which it died has come back well in between */
    const char *died_in; /* the method, interned; NULL: it was idle */
    uint64_t not_before; /* CLOCK_MONOTONIC, no start before */
    bool died_late;      /* of its deadline: what is not begun meanwhile is told the same */
    bool quarantined;
    bool unwanted; /* ended by us: no crash */
    HostSignal on_signal;
    HostClosed on_closed;
    void *userdata;
};

struct HostCall {
    Host *host;
    sd_bus_slot *slot;
    HostHandler handler; /* NULL: forgotten */
    void *userdata;
    uint64_t deadline;
    uint64_t sent_at;
    uint64_t timeout;
    sd_bus_message *waiting; /* for the connection; NULL once it is sent */
    const char *method;      /* interned */
    bool is_open;
};

static uint64_t now_monotonic(void) {
    return (uint64_t)g_get_monotonic_time();
}

Host *host_new(const HostContext *context, const Manifest *manifest, const InstanceConfig *instance, GHashTable *files,
               const char *purpose) {
    Host *h = g_new0(Host, 1);
    h->n_ref = 1;
    h->context = context;
    h->manifest = manifest;
    h->instance = instance;
    h->files = files;
    h->purpose = g_strdup(purpose);
    h->leash = -1;
    h->calls = g_ptr_array_new();
    h->open_fault = FAULT_NONE;
    return h;
}

void host_watch(Host *h, HostSignal on_signal, HostClosed on_closed, void *userdata) {
    h->on_signal = on_signal;
    h->on_closed = on_closed;
    h->userdata = userdata;
}

static void host_unref(Host *h) {
    if (--h->n_ref > 0)
        return;
    fault_clear(&h->open_fault);
    g_ptr_array_unref(h->calls);
    g_free(h->purpose);
    g_free(h);
}

static void host_call_end(HostCall *call, const Fault *fault, sd_bus_message *reply) {
    HostHandler handler = call->handler;
    void *userdata = call->userdata;
    g_ptr_array_remove(call->host->calls, call);
    sd_bus_slot_unref(call->slot);
    sd_bus_message_unref(call->waiting);
    g_free(call);
    if (handler)
        handler(fault, reply, userdata);
}

/* Takes the connection away from the host; the process sees it close and ends, or is ended by its own deadline. Killed
 * it would take along what its module is just writing: SoftHSM rewrites the whole token at every login. */
static void host_disconnect(Host *h) {
    sd_bus *bus = TAKE_PTR(h->bus);
    if (!bus)
        return;
    h->connected = false;
    h->leash = safe_close(h->leash);
    h->filter = sd_bus_slot_unref(h->filter); /* sd-bus may be in the middle of a message, and we may not outlive it */
    sd_bus_detach_event(bus);
    sd_bus_close(bus);
    sd_bus_unref(bus);
}

/* The calls of the process that is gone: a handler may start another process, whose calls are not among them. */
static GPtrArray *host_take_calls(Host *h) {
    GPtrArray *calls = h->calls;
    h->calls = g_ptr_array_new();
    return calls;
}

static void answer_calls(GPtrArray *calls, const Fault *fault) {
    for (guint i = 0; i < calls->len; i++)
        host_call_end(calls->pdata[i], fault, NULL);
    g_ptr_array_unref(calls);
}

static void host_answer_all(Host *h, const Fault *fault) {
    answer_calls(host_take_calls(h), fault);
}

Host *host_free(Host *h) {
    if (!h)
        return NULL;
    Fault f = FAULT(EONAY_ERROR_PLUGIN_FAILED);
    h->on_closed = NULL;
    h->unwanted = true;
    host_disconnect(h);
    host_answer_all(h, &f);
    host_unref(h);
    return NULL;
}

void host_stop(Host *h) {
    Fault f = FAULT(EONAY_ERROR_CANCELLED);
    h->n_ref++;
    h->crashes = 0;
    if (h->calls->len > 0)
        host_kill(h);
    host_disconnect(h);
    host_answer_all(h, &f);
    host_unref(h);
}

void host_call_forget(HostCall *call) {
    call->handler = NULL;
}

void host_kill(Host *h) {
    h->unwanted = true;
    if (h->leash >= 0)
        (void)!write(h->leash, "", 1); /* one that has gone needs no ending */
}

void host_kill_busy(Host *h) {
    if (h && h->calls->len > 0)
        host_kill(h);
}

const Fault *host_open_fault(const Host *h) {
    return &h->open_fault;
}

bool host_quarantined(const Host *h) {
    return h->quarantined && now_monotonic() < h->not_before;
}

uint64_t host_pause(const Host *h) {
    uint64_t now = now_monotonic();
    return now < h->not_before ? h->not_before - now : 0;
}

void host_forgive(Host *h) {
    if (!h)
        return;
    h->crashes = 0;
    h->died_in = NULL;
    h->not_before = 0;
    h->quarantined = false;
}

bool host_running(const Host *h) {
    return h->bus;
}

/* ------------------------------------------------------------------------------------------------ the process -- */

static int on_child_exit(sd_event_source *source, const siginfo_t *info, void *userdata) {
    const char *how = info->si_code == CLD_EXITED ? "exited with status" : "was ended by signal";
    int clean = info->si_code == CLD_EXITED && info->si_status == 0;
    char *purpose = userdata;
    if (clean)
        log_debug("plugin host %d (%s) ended", (int)info->si_pid, purpose);
    else
        log_event(LOG_WARNING, MESSAGE_HOST_ENDED, NULL, "plugin host %d (%s) %s %d", (int)info->si_pid, purpose, how,
                  info->si_status);
    g_free(purpose);
    sd_event_source_unref(source);
    return 0;
}

/* The source outlives the Host: a process that ends late is still reaped. */
static int watch_child(Host *h, pid_t pid) {
    sd_event_source *source = NULL;
    char *purpose = g_strdup_printf("%s, %s", h->instance->name, h->purpose);
    int r = sd_event_add_child(h->context->event, &source, pid, WEXITED, on_child_exit, purpose);
    if (r < 0)
        g_free(purpose);
    return r;
}

static void host_crashed(Host *h) {
    if (h->unwanted)
        return;
    if (h->context->config->host_sockets) /* how it ended is in the journal of its unit */
        log_event(LOG_WARNING, MESSAGE_HOST_ENDED, NULL, "plugin host (%s, %s) ended unexpectedly", h->instance->name,
                  h->purpose);
    h->crashes++;
    if (h->crashes < 2)
        return;
    h->quarantined = h->crashes >= HOST_CRASHES_MAX;
    uint64_t pause = h->quarantined ? HOST_QUARANTINE : HOST_BACKOFF_FIRST << (h->crashes - 2);
    h->not_before = now_monotonic() + pause;
    if (h->quarantined)
        log_event(LOG_ERR, MESSAGE_HOST_QUARANTINED, NULL, "%s (%s): ended %u times in a row, left alone for %u s",
                  h->instance->name, h->purpose, h->crashes, (unsigned)(pause / USEC_PER_SEC));
}

/* ------------------------------------------------------------------------------------------------- the answer -- */

static Fault fault_of_broken_call(Host *h, const HostCall *call, sd_bus_message *reply) {
    if (h->open_fault.code != 0 && !call->is_open)
        return fault_copy(&h->open_fault);
    const sd_bus_error *e = sd_bus_message_get_error(reply);
    log_debug("%s (%s): no answer: %s", h->instance->name, h->purpose, e && e->message ? e->message : "?");
    bool late = now_monotonic() - call->sent_at >= call->deadline;
    return FAULT(late ? EONAY_ERROR_PLUGIN_TIMEOUT : EONAY_ERROR_PLUGIN_CRASHED);
}

static int read_outcome(sd_bus_message *reply, Fault *ret) {
    int32_t code, tries_left;
    uint64_t native_code;
    const char *text;
    int r = sd_bus_message_read(reply, HOST_OUTCOME, &code, &tries_left, &native_code, &text);
    if (r < 0)
        return r;
    *ret = (Fault){
        .code = code, .tries_left = tries_left, .native_code = native_code, .text = *text ? g_strdup(text) : NULL};
    if (code < 0 || (code > 0 && !eonay_error_name(code)))
        ret->code = EONAY_ERROR_PLUGIN_FAILED;
    return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    HostCall *call = userdata;
    Host *h = call->host;
    Fault fault = FAULT_NONE;
    bool broken = sd_bus_message_is_method_error(reply, NULL) || read_outcome(reply, &fault) < 0;

    GPtrArray *others = NULL;
    h->n_ref++;
    if (broken) {
        g_ptr_array_remove(h->calls, call);
        others = host_take_calls(h); /* before any handler runs */
        fault = fault_of_broken_call(h, call, reply);
        if (h->bus && h->open_fault.code == 0) { /* the first broken call of this process; the others find no bus */
            h->died_in = call->method;
            h->died_late = fault.code == EONAY_ERROR_PLUGIN_TIMEOUT;
            host_crashed(h);
        }
        host_kill(h);
        host_disconnect(h);
    } else if (fault.code == 0 && (h->died_in ? h->died_in == call->method : !call->is_open)) {
        h->crashes = 0, h->quarantined = false; /* a Login that works is no cure for a Sign that does not */
        h->died_in = NULL;
    }
    host_call_end(call, &fault, broken ? NULL : reply);
    if (broken) {
        Fault rest = fault_copy(&fault);
        answer_calls(others, &rest);
        fault_clear(&rest);
        if (h->on_closed)
            h->on_closed(h->userdata);
    }
    fault_clear(&fault);
    host_unref(h);
    return 1; /* an answer is for nobody else, and the host may be gone */
}

/* Sends what has waited. */
static void on_connected(Host *h) {
    h->connected = true;
    for (guint i = 0; i < h->calls->len; i++) {
        HostCall *call = h->calls->pdata[i];
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = TAKE_PTR(call->waiting);
        call->sent_at = now_monotonic();
        if (m && sd_bus_call_async(h->bus, &call->slot, m, on_reply, call, call->timeout) < 0)
            host_kill(h); /* its end answers the call */
    }
}

/* Signals of the host, and its end: sd-bus has answered the calls under way, but not those that found it dead already.
 */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *h = userdata;
    if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Connected")) {
        on_connected(h);
        return 0;
    }
    if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Disconnected")) {
        Fault f = h->open_fault.code != 0 ? fault_copy(&h->open_fault) : FAULT(EONAY_ERROR_PLUGIN_CRASHED);
        h->n_ref++;
        host_crashed(h);
        host_disconnect(h);
        host_answer_all(h, &f);
        if (h->on_closed)
            h->on_closed(h->userdata);
        fault_clear(&f);
        host_unref(h);
        return 0;
    }
    if (sd_bus_message_is_signal(m, HOST_INTERFACE, HOST_SIGNAL_ENOUGH)) {
        if (h->calls->len == 0) /* else it says so again */
            host_disconnect(h);
        return 0;
    }
    if (h->on_signal && sd_bus_message_is_signal(m, HOST_INTERFACE, NULL))
        h->on_signal(m, h->userdata);
    return 0;
}

static void on_opened(const Fault *fault, sd_bus_message *reply, void *userdata) {
    (void)reply;
    Host *h = userdata;
    fault_clear(&h->open_fault);
    if (fault->code == 0 || h->unwanted)
        return;
    if (fault->code != EONAY_ERROR_PLUGIN_CRASHED && fault->code != EONAY_ERROR_PLUGIN_TIMEOUT) {
        h->open_fault = fault_copy(fault);
        log_event(LOG_ERR, MESSAGE_HOST_FAILED, NULL, "%s (%s): %s: %s", h->instance->name, h->purpose,
                  eonay_error_short_name(fault->code), fault->text ? fault->text : "no detail");
        Fault told = fault_copy(&h->open_fault);
        host_disconnect(h); /* first: a handler that asks again gets another process */
        host_answer_all(h, &told);
        fault_clear(&told);
    }
}

/* --------------------------------------------------------------------------------------------------- the call -- */

/* The process has just died, and we have not been told yet: the call is answered when we are. */
static bool is_disconnected(int r) {
    return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE || r == -ESHUTDOWN;
}

int host_call(Host *h, sd_bus_message *m, uint64_t deadline, HostHandler handler, void *userdata, HostCall **ret_call) {
    if (!h->bus)
        return -ENOTCONN;
    HostCall *call = g_new0(HostCall, 1);
    *call = (HostCall){
        .host = h, .handler = handler, .userdata = userdata, .deadline = deadline, .sent_at = now_monotonic()};
    call->is_open = handler == on_opened;
    call->method = g_intern_string(sd_bus_message_get_member(m));
    /* the host works in order: a call waits for those before it, each with a deadline of its own */
    uint64_t timeout = HOST_ANSWER_ALLOWANCE + deadline;
    for (guint i = 0; i < h->calls->len; i++)
        timeout += ((HostCall *)h->calls->pdata[i])->deadline;
    call->timeout = timeout;
    int r = 0;
    if (h->connected)
        r = sd_bus_call_async(h->bus, &call->slot, m, on_reply, call, timeout);
    else
        call->waiting = sd_bus_message_ref(m);
    if (r < 0 && !is_disconnected(r)) {
        g_free(call);
        return r;
    }
    g_ptr_array_add(h->calls, call);
    if (h->connected)
        sd_bus_flush(h->bus);
    if (ret_call)
        *ret_call = call;
    return 0;
}

static char **paths_of_keys(const InstanceConfig *instance, char **keys, bool folder) {
    GPtrArray *paths = g_ptr_array_new();
    for (char **key = keys; *key; key++) {
        const char *value = g_hash_table_lookup(instance->keys, *key);
        g_auto(GStrv) parts = g_strsplit(value ? value : "", ";", -1);
        for (char **part = parts; *part; part++) {
            g_strstrip(*part);
            if (**part)
                g_ptr_array_add(paths, folder ? g_path_get_dirname(*part) : g_strdup(*part));
        }
    }
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(paths, FALSE);
}

/* What is configured, what the values of some keys name, and of more keys: the same, or the folders they lie in. */
static int append_paths(sd_bus_message *m, char **configured, const InstanceConfig *instance, char **keys,
                        char **more_keys, bool folders) {
    char *no_keys[] = {NULL};
    g_auto(GStrv) named = paths_of_keys(instance, keys, false);
    g_auto(GStrv) more = paths_of_keys(instance, more_keys ? more_keys : no_keys, folders);
    char **lists[] = {configured, named, more};
    int r = sd_bus_message_open_container(m, 'a', "s");
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (char **path = lists[i]; r >= 0 && *path; path++)
            r = sd_bus_message_append(m, "s", *path);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

/* What the plugin will load itself, by key: the host picks the first that is good. */
static int append_libraries(sd_bus_message *m, const InstanceConfig *instance, char **keys) {
    int r = sd_bus_message_open_container(m, 'a', "{sas}");
    for (char **key = keys; r >= 0 && *key; key++) {
        char *one[] = {*key, NULL};
        g_auto(GStrv) paths = paths_of_keys(instance, one, false);
        if (!paths[0])
            continue;
        if ((r = sd_bus_message_open_container(m, 'e', "sas")) >= 0 && (r = sd_bus_message_append(m, "s", *key)) >= 0 &&
            (r = sd_bus_message_append_strv(m, paths)) >= 0)
            r = sd_bus_message_close_container(m);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_config(sd_bus_message *m, const InstanceConfig *instance) {
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, instance->keys);
    int r = sd_bus_message_open_container(m, 'a', "{ss}");
    while (r >= 0 && g_hash_table_iter_next(&iter, &key, &value))
        r = sd_bus_message_append(m, "{ss}", key, value);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_files(sd_bus_message *m, GHashTable *files) {
    GHashTableIter iter;
    gpointer key, value;
    int r = sd_bus_message_open_container(m, 'a', "{sh}");
    if (files) {
        g_hash_table_iter_init(&iter, files);
        while (r >= 0 && g_hash_table_iter_next(&iter, &key, &value))
            r = sd_bus_message_append(m, "{sh}", key, GPOINTER_TO_INT(value) - 1);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_deadlines(sd_bus_message *m, const Config *c) {
    return sd_bus_message_append(m, "a{su}", 6, HOST_DEADLINE_OPEN, (uint32_t)c->open_deadline, HOST_DEADLINE_LIST,
                                 (uint32_t)c->list_deadline, HOST_DEADLINE_LOGIN, (uint32_t)c->login_deadline,
                                 HOST_DEADLINE_PINPAD, (uint32_t)c->pinpad_deadline, HOST_DEADLINE_SIGN,
                                 (uint32_t)c->sign_deadline, HOST_DEADLINE_CA, (uint32_t)c->backend_deadline);
}

static int new_method_call(sd_bus *bus, const char *method, sd_bus_message **ret) {
    return sd_bus_message_new_method_call(bus, ret, NULL, HOST_PATH, HOST_INTERFACE, method);
}

/* Our end stays with us, the other goes with the message. */
static int append_leash(sd_bus_message *m, Host *h) {
    _cleanup_close_ int theirs = -1;
    int r = host_leash(&h->leash, &theirs);
    return r < 0 ? r : sd_bus_message_append(m, "ah", 1, theirs); /* which keeps a copy */
}

static const char *host_kind(const Manifest *f) {
    switch (f->kind) {
    case EONAY_PLUGIN_TOKEN:
        return "token";
    case EONAY_PLUGIN_CA:
        return "ca";
    case EONAY_PLUGIN_FETCH:
        return "fetch";
    }
    return "reader"; /* has no plugin */
}

static char **host_needs(const Host *h) {
    return h->instance->needs[0] ? h->instance->needs : h->manifest->needs;
}

static int host_send_open(Host *h) {
    const Manifest *f = h->manifest;
    const InstanceConfig *i = h->instance;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = new_method_call(h->bus, HOST_METHOD_OPEN, &m);
    if (r < 0)
        return r;
    if ((r = sd_bus_message_append(m, "ssss", host_kind(f), f->name, f->module, i->name)) < 0 ||
        (r = sd_bus_message_append_strv(m, host_needs(h))) < 0 || (r = append_config(m, i)) < 0 ||
        (r = append_files(m, h->files)) < 0 ||
        (r = append_paths(m, i->read_paths, i, f->read_paths, f->files, false)) < 0 ||
        (r = append_paths(m, i->write_paths, i, f->write_paths, f->write_folders, true)) < 0 ||
        (r = append_libraries(m, i, f->libraries)) < 0 || (r = sd_bus_message_append_strv(m, i->environment)) < 0 ||
        (r = append_deadlines(m, h->context->config)) < 0 || (r = append_leash(m, h)) < 0 ||
        (r = sd_bus_message_append(m, "s", i->pin_credential)) < 0)
        return r;
    return host_call(h, m, h->context->config->open_deadline * USEC_PER_MSEC, on_opened, h, NULL);
}

static int host_connect(Host *h) {
    pid_t pid = 0;
    const Config *c = h->context->config;
    const HostOrigin origin = {c->host_sockets, c->host_path, h->context->trust_own_uid};
    int r;
    if ((r = sd_bus_new(&h->bus)) < 0 ||
        (r = host_spawn(&origin, host_sandbox(host_kind(h->manifest), host_needs(h)), h->bus, &pid)) < 0 ||
        (pid > 0 && (r = watch_child(h, pid)) < 0) || (r = sd_bus_set_anonymous(h->bus, true)) < 0 ||
        (r = sd_bus_negotiate_fds(h->bus, true)) < 0 || (r = sd_bus_set_connected_signal(h->bus, true)) < 0 ||
        (r = sd_bus_add_filter(h->bus, &h->filter, on_message, h)) < 0 || (r = sd_bus_start(h->bus)) < 0 ||
        (r = sd_bus_attach_event(h->bus, h->context->event, SD_EVENT_PRIORITY_NORMAL)) < 0)
        return r;
    log_debug("plugin host %d started for %s (%s)", (int)pid, h->instance->name, h->purpose);
    return 0;
}

static int host_start(Host *h) {
    h->unwanted = false;
    int r = host_connect(h);
    if (r < 0 || (r = host_send_open(h)) < 0) {
        h->unwanted = true;
        host_disconnect(h);
    }
    return r;
}

int host_begin(Host *h, const char *method, sd_bus_message **ret) {
    if (!h->bus) {
        if (now_monotonic() < h->not_before)
            return h->died_late ? EONAY_ERROR_PLUGIN_TIMEOUT : EONAY_ERROR_PLUGIN_CRASHED;
        fault_clear(&h->open_fault);
        int r = host_start(h);
        if (r < 0) {
            const char *from =
                h->context->config->host_sockets ? h->context->config->host_sockets : h->context->config->host_path;
            log_event(LOG_ERR, MESSAGE_HOST_FAILED, NULL, "no plugin host for %s (%s) from %s: %s", h->instance->name,
                      h->purpose, from, g_strerror(-r));
            return EONAY_ERROR_PLUGIN_FAILED;
        }
    }
    return new_method_call(h->bus, method, ret);
}
