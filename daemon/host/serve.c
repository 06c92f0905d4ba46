/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop: take a message, answer it, take the next. Before Open only Open is there, after it the methods of the
 * plugin's kind. A handler reads its message, makes its Call and fills its reply; only this loop touches the
 * connection. A concurrent authority's calls are made by other threads, and their answers come back through here.
 */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "host-protocol.h"
#include "log.h"
#include "serve-ca.h"
#include "serve-fetch.h"
#include "serve-reader.h"
#include "usage.h"

static const HostMethod *find_method(const HostMethod *table, const char *name) {
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

static const HostMethod *known_method(const Host *host, const char *name) {
    if (host->watch)
        return find_method(reader_methods, name);
    if (!host->plugin)
        return find_method(open_methods, name);
    switch (host->plugin->kind) {
    case EONAY_PLUGIN_TOKEN:
        return find_method(token_methods, name);
    case EONAY_PLUGIN_CA:
        return find_method(ca_methods, name);
    case EONAY_PLUGIN_FETCH:
        return find_method(fetch_methods, name);
    }
    return NULL;
}

static int hand(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Host *host = userdata;
    const char *name = sd_bus_message_get_member(m);
    if (!name || sd_bus_message_is_method_call(m, HOST_INTERFACE, NULL) <= 0)
        return 0;
    const HostMethod *method = known_method(host, name);
    if (!method)
        return 0;
    if (sd_bus_message_has_signature(m, method->in) <= 0)
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s takes '%s'", name, method->in);
    host->has_served = true;
    return method->handler(m, userdata, error);
}

/* For a message from the daemon, or news of the readers or of a thread that is done. We make no calls, so that the
 * connection has no deadlines. */
static int wait_for_either(Host *host) {
    struct pollfd fds[] = {
        {.fd = sd_bus_get_fd(host->bus), .events = (short)sd_bus_get_events(host->bus)},
        {.fd = host->watch ? pcsc_watch_fd(host->watch) : workers_fd(host->workers), .events = POLLIN}};
    if (poll(fds, 2, -1) < 0)
        return -errno;
    if (!fds[1].revents)
        return 0;
    if (host->watch)
        return readers_serve(host);
    return host->plugin->kind == EONAY_PLUGIN_FETCH ? fetch_answer(host) : ca_answer(host);
}

/* Only the daemon knows whether a request is on its way, so it is the one to end a host whose module leaks. */
static int tell_when_enough(Host *host) {
    if (!host->has_served || !host->plugin || host->session.active || (host->workers && !workers_idle(host->workers)))
        return 0;
    host->has_served = false;
    if (!usage_is_enough())
        return 0;
    log_info("%s: the module has left too much behind, another process should take over", host->services.instance);
    return sd_bus_emit_signal(host->bus, HOST_PATH, HOST_INTERFACE, HOST_SIGNAL_ENOUGH, NULL);
}

static int serve_one(Host *host) {
    int r = sd_bus_process(host->bus, NULL);
    if (r == 0)
        r = tell_when_enough(host);
    if (r == 0)
        r = host->watch || host->workers ? wait_for_either(host) : sd_bus_wait(host->bus, UINT64_MAX);
    return r == -EINTR ? 0 : r;
}

int serve(Host *host) {
    int r = sd_bus_add_object(host->bus, NULL, HOST_PATH, hand, host);
    while (r >= 0 && !host->ruined)
        r = serve_one(host);
    sd_bus_flush(host->bus);
    return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE ? 0 : r;
}
