/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open: the message is taken apart, the files are judged while we can still see their owners, the walls go up, and only
 * then is anything loaded. A failed Open leaves a host that can only be closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "candidates.h"
#include "confine.h"
#include "host-protocol.h"
#include "host.h"
#include "leash.h"
#include "loader.h"
#include "log.h"
#include "messages.h"
#include "serve-ca.h"
#include "serve-fetch.h"
#include "serve-reader.h"
#include "serve.h"
#include "text.h"
#include "util.h"

#define DEADLINE_MAX (15u * 60u * 1000u)

typedef struct OpenRequest {
    const char *kind; /* strings and lists point into the message, except for the lists themselves */
    const char *plugin;
    const char *library;
    const char *instance;
    const char *credential;
    bool is_reader;
    EonayPluginKind plugin_kind; /* of the others */
    GPtrArray *libraries;        /* Candidates* */
    Confinement confinement;
} OpenRequest;

static const struct {
    const char *name;
    uint32_t milliseconds; /* when the daemon gives none */
} deadlines[N_DEADLINES] = {
    [DEADLINE_OPEN] = {HOST_DEADLINE_OPEN, 20000},
    [DEADLINE_LIST] = {HOST_DEADLINE_LIST, 15000},
    [DEADLINE_LOGIN] = {HOST_DEADLINE_LOGIN, 20000},
    [DEADLINE_PINPAD] = {HOST_DEADLINE_PINPAD, 90000},
    [DEADLINE_SIGN] = {HOST_DEADLINE_SIGN, 30000},
    [DEADLINE_CA] = {HOST_DEADLINE_CA, 60000},
    [DEADLINE_CLOSE] = {"close", 3000},
};

/* --------------------------------------------------------------------------------------------------- message -- */

static int read_config(sd_bus_message *m, Services *services) {
    const char *key, *value;
    int r = sd_bus_message_enter_container(m, 'a', "{ss}");
    while (r >= 0 && (r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0)
        services_add_config(services, key, value);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_files(sd_bus_message *m, Services *services) {
    const char *key;
    int fd, r = sd_bus_message_enter_container(m, 'a', "{sh}");
    while (r >= 0 && (r = sd_bus_message_read(m, "{sh}", &key, &fd)) > 0) {
        int own = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message closes its descriptors */
        if (own < 0)
            return -errno;
        services_add_file(services, key, own);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_leash(sd_bus_message *m) {
    int fd, r = sd_bus_message_enter_container(m, 'a', "h");
    if (r >= 0 && (r = sd_bus_message_read(m, "h", &fd)) > 0) {
        int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (own < 0)
            return -errno;
        r = leash_hold(own);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static void deadline_keep(uint32_t *kept, const char *name, uint32_t milliseconds) {
    for (size_t i = 0; i < DEADLINE_CLOSE; i++)
        if (strcmp(deadlines[i].name, name) == 0 && milliseconds > 0)
            kept[i] = MIN(milliseconds, DEADLINE_MAX);
}

static int read_deadlines(sd_bus_message *m, uint32_t *kept) {
    const char *name;
    uint32_t milliseconds;
    for (size_t i = 0; i < N_DEADLINES; i++)
        kept[i] = deadlines[i].milliseconds;
    int r = sd_bus_message_enter_container(m, 'a', "{su}");
    while (r >= 0 && (r = sd_bus_message_read(m, "{su}", &name, &milliseconds)) > 0)
        deadline_keep(kept, name, milliseconds);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_kind(OpenRequest *request) {
    if (strcmp(request->kind, "token") == 0)
        request->plugin_kind = EONAY_PLUGIN_TOKEN;
    else if (strcmp(request->kind, "ca") == 0)
        request->plugin_kind = EONAY_PLUGIN_CA;
    else if (strcmp(request->kind, "fetch") == 0)
        request->plugin_kind = EONAY_PLUGIN_FETCH;
    else if (strcmp(request->kind, "reader") == 0 && strcmp(request->plugin, "reader") == 0 && !*request->library)
        request->is_reader = true;
    else
        return -EINVAL;
    return 0;
}

static int read_request(sd_bus_message *m, Host *host, OpenRequest *request) {
    Confinement *c = &request->confinement;
    g_auto(GStrv) needs = NULL;
    int r = sd_bus_message_read(m, "ssss", &request->kind, &request->plugin, &request->library, &request->instance);
    if (r >= 0)
        r = read_kind(request);
    if (r >= 0)
        r = sd_bus_message_read_strv(m, &needs);
    if (r >= 0)
        r = needs ? confine_needs_from_names(needs, &c->needs) : 0;
    if (r >= 0)
        r = read_config(m, &host->services);
    if (r >= 0)
        r = read_files(m, &host->services);
    if (r >= 0)
        r = sd_bus_message_read_strv(m, &c->read_paths);
    if (r >= 0)
        r = sd_bus_message_read_strv(m, &c->write_paths);
    if (r >= 0)
        r = candidates_read(m, &request->libraries);
    if (r >= 0)
        r = sd_bus_message_read_strv(m, &c->environment);
    if (r >= 0)
        r = read_deadlines(m, host->deadlines);
    if (r >= 0)
        r = read_leash(m);
    return r < 0 ? r : sd_bus_message_read(m, "s", &request->credential);
}

/*
 * Opened now, because Landlock closes the folder; read at each Login, into locked memory. One that is missing is told
 * when it is needed.
 */
static void open_credential(Host *host, const OpenRequest *request) {
    const char *folder = getenv(CONFINE_CREDENTIALS), *name = request->credential;
    if (!*name || host->has_network)
        return;
    g_autofree char *path = folder && !strchr(name, '/') ? g_build_filename(folder, name, NULL) : NULL;
    host->credential = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK) : -1;
    if (host->credential < 0)
        log_event(LOG_ERR, MESSAGE_HOST_FAILED, NULL, "%s: the credential %s cannot be opened", request->instance,
                  name);
}

static void request_clear(OpenRequest *request) {
    g_clear_pointer(&request->libraries, g_ptr_array_unref);
    g_strfreev(request->confinement.module_folders);
    g_strfreev(request->confinement.read_paths);
    g_strfreev(request->confinement.write_paths);
    g_strfreev(request->confinement.environment);
}

/* ------------------------------------------------------------------------------------------------------ open -- */

/* Judges the plugin and its libraries; notes the folders they are in. */
static int check_modules(const Trust *trust, OpenRequest *request, char **ret_reason) {
    g_autoptr(GPtrArray) folders = g_ptr_array_new();
    int r = trust_check_module(trust, request->library, ret_reason);
    if (r == 0) {
        g_ptr_array_add(folders, g_path_get_dirname(request->library));
        r = candidates_check(request->libraries, trust, folders, ret_reason);
    }
    g_ptr_array_add(folders, NULL);
    request->confinement.module_folders = (char **)g_ptr_array_free(g_steal_pointer(&folders), FALSE);
    return r;
}

/* `open` of the plugin, under the deadline that its constructors are under too. */
static int open_plugin(Host *host, const EonayPlugin *plugin, Call *call) {
    void *context = NULL;
    call_begin(call, host->deadlines[DEADLINE_OPEN]);
    int (*open)(const EonayHost *host, void **ret) = plugin->kind == EONAY_PLUGIN_TOKEN ? plugin->token->open
                                                     : plugin->kind == EONAY_PLUGIN_CA  ? plugin->ca->open
                                                                                        : plugin->fetch->open;
    int r = call_end(call, open(&host->services.host, &context));
    if (r != 0)
        return r;
    host->plugin = plugin;
    host->context = context;
    if (plugin->kind == EONAY_PLUGIN_CA)
        return ca_prepare(host);
    return plugin->kind == EONAY_PLUGIN_FETCH ? fetch_prepare(host) : 0;
}

static int load_and_open(Host *host, const OpenRequest *request, Call *call) {
    const EonayPlugin *plugin = NULL;
    g_autofree char *reason = NULL;
    call_begin(call, host->deadlines[DEADLINE_OPEN]);
    int r = candidates_load(request->libraries, &host->services, &reason);
    if (r == 0)
        r = loader_load(request->library, request->plugin, request->plugin_kind, &plugin, &reason);
    call_end_void(call);
    return r != 0 ? call_fail(call, r, reason) : open_plugin(host, plugin, call);
}

/* Negative: the host is ruined. Else the outcome is in the call. */
static int serve_request(Host *host, OpenRequest *request, Call *call) {
    g_autofree char *reason = NULL;
    call_end_void(call);
    if (request->is_reader)
        return readers_open(host, &request->confinement);
    int r = check_modules(&host->trust, request, &reason);
    if (r != 0)
        return call_fail(call, r, reason);
    r = confine_process(&request->confinement);
    if (r < 0) {
        log_event(LOG_ERR, MESSAGE_CONFINEMENT_FAILED, NULL, "%s: the plugin cannot be confined: %s", request->instance,
                  strerror(-r));
        return r;
    }
    return load_and_open(host, request, call);
}

static int reply_open(Host *host, sd_bus_message *m, const Call *call) {
    const char *name = host->plugin ? host->plugin->name : host->watch ? "reader" : "";
    g_autofree char *version = text_clean(host->plugin  ? host->plugin->version
                                          : host->watch ? EONAY_VERSION
                                                        : NULL,
                                          EONAY_STRING_MAX);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = host_reply_new(m, call, &reply);
    if (r >= 0)
        r = sd_bus_message_append(reply, "ss", name, version);
    return host_reply_send(host, reply, r);
}

static int on_open(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Host *host = userdata;
    if (host->open_was_called)
        return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, "Open is called once");
    host->open_was_called = true;
    _cleanup_(request_clear) OpenRequest request = {.confinement = {.in_unit = host->in_unit}};
    Call call;
    int r = read_request(m, host, &request);
    if (r < 0)
        return host_ruined(host, r);
    host->services.instance = g_strdup(request.instance);
    host->has_network = request.confinement.needs & NEED_NETWORK;
    open_credential(host, &request);
    r = serve_request(host, &request, &call);
    if (r < 0)
        return host_ruined(host, r);
    if (r > 0)
        log_event(LOG_ERR, MESSAGE_HOST_FAILED, NULL, "%s: %s", request.instance,
                  call.text[0] ? call.text : "open() failed");
    return reply_open(host, m, &call);
}

const HostMethod open_methods[] = {{HOST_METHOD_OPEN, HOST_OPEN_IN, on_open}, {0}};
