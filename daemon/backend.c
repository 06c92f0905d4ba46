/* SPDX-License-Identifier: Apache-2.0 */
#include "backend.h"

#include "bus-util.h"
#include "consent.h"
#include "eonay/plugin.h"
#include "host-protocol.h"
#include "log.h"
#include "messages.h"
#include "names.h"
#include "util.h"

/* Conditions of the authority itself, not of a code or a signature. */
static bool is_of_authority(int code) {
    return code == EONAY_ERROR_BACKEND_UNREACHABLE || code == EONAY_ERROR_BACKEND_PROTOCOL ||
           code == EONAY_ERROR_BACKEND_UNTRUSTED ||
           (code >= EONAY_ERROR_MODULE_MISSING && code <= EONAY_ERROR_PLUGIN_TIMEOUT);
}

static void set_fault(Backend *b, const Fault *fault) {
    int before = b->fault.code;
    fault_clear(&b->fault);
    b->fault = fault_copy(fault);
    if (b->fault.code != before)
        sd_bus_emit_properties_changed(b->manager->bus, b->path, EONAY_INTERFACE_BACKEND, "State", NULL);
}

void backend_answered(Backend *b, const Fault *fault) {
    if (is_of_authority(fault->code))
        set_fault(b, fault);
    else if (b->fault.code != 0) {
        set_fault(b, &FAULT_NONE);
        consents_settle(b->manager, b);
    }
}

static void on_capabilities(const Fault *fault, sd_bus_message *reply, void *userdata) {
    Backend *b = userdata;
    const char *title = "";
    const BusOption table[] = {{"Name", "s", &title},
                               {"Flags", "u", &b->flags},
                               {"CodeLength", "u", &b->code_length},
                               {"CodeLifetime", "u", &b->code_lifetime},
                               {NULL, NULL, NULL}};
    bool away = b->fault.code == EONAY_ERROR_BACKEND_UNREACHABLE || b->fault.code == EONAY_ERROR_BACKEND_PROTOCOL ||
                b->fault.code == EONAY_ERROR_BACKEND_UNTRUSTED;
    if (fault->code != 0 ||
        !away) /* a plugin may know them by itself: that does not prove that the authority is back */
        set_fault(b, fault);
    if (fault->code != 0 || bus_read_dict(reply, table) < 0)
        return;
    g_free(b->title);
    b->title = g_strdup(title);
    b->known = true;
    sd_bus_emit_properties_changed(b->manager->bus, b->path, EONAY_INTERFACE_BACKEND, "Name", "State", "Capabilities",
                                   "CodeLength", "CodeLifetime", NULL);
}

static void backend_ask(Backend *b) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    b->known = true; /* asked; a failure resets it */
    if (backend_begin(b, HOST_METHOD_CAPABILITIES, &m) != 0 ||
        host_call(b->host, m, b->manager->config->backend_deadline * USEC_PER_MSEC, on_capabilities, b, NULL) < 0)
        b->known = false;
}

static Backend *backend_new(Manager *m, InstanceConfig *instance) {
    Backend *b = g_new0(Backend, 1);
    b->manager = m;
    b->instance = instance;
    sd_bus_path_encode(EONAY_PATH_BACKEND, instance->name, &b->path);
    b->fault = FAULT_NONE;
    b->title = g_strdup("");
    b->manifest = g_hash_table_lookup(m->manifests, instance->plugin);
    if (b->manifest && b->manifest->kind == EONAY_PLUGIN_CA) {
        b->host = host_new(&m->host_context, b->manifest, instance, NULL, "authority");
        return b;
    }
    b->fault = fault_printf(EONAY_ERROR_MODULE_MISSING, "no authority plugin named '%s'", instance->plugin);
    log_event(LOG_WARNING, MESSAGE_HOST_FAILED, NULL, "[Backend %s]: no authority plugin named '%s'", instance->name,
              instance->plugin);
    return b;
}

Backend *backend_configure(Manager *m, InstanceConfig *instance) {
    Backend *b = backend_new(m, instance);
    g_hash_table_replace(m->backends, instance->name, b);
    return b;
}

void backends_configure(Manager *m) {
    for (guint i = 0; i < m->config->backends->len; i++)
        backend_configure(m, m->config->backends->pdata[i]);
}

static gboolean is_of_backend(gpointer key, gpointer value, gpointer backend) {
    (void)key;
    return ((const Consent *)value)->backend == backend;
}

void backend_retire(Backend *b) {
    sd_bus_emit_object_removed(b->manager->bus, b->path);
    b->slot = sd_bus_slot_unref(b->slot);
    b->retired = true;
    if (b->host && !g_hash_table_find(b->manager->consents, is_of_backend, b))
        host_stop(b->host);
    g_ptr_array_add(b->manager->retired, b);
}

void backend_free(Backend *b) {
    if (!b)
        return;
    host_free(b->host);
    sd_bus_slot_unref(b->slot);
    if (b->retired)
        instance_config_free(b->instance);
    fault_clear(&b->fault);
    free(b->path); /* of sd-bus */
    g_free(b->title);
    g_free(b);
}

Backend *backend_find(Manager *m, const char *name) {
    return g_hash_table_lookup(m->backends, name && *name ? name : m->config->default_backend);
}

void backends_forgive(Manager *m) {
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, m->backends);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        host_forgive(((Backend *)value)->host);
}

int backend_begin(Backend *b, const char *method, sd_bus_message **ret) {
    if (!b->host)
        return b->fault.code;
    return host_begin(b->host, method, ret);
}

int backend_call(Backend *b, sd_bus_message *m, HostHandler handler, void *userdata, HostCall **ret) {
    int r = host_call(b->host, m, b->manager->config->backend_deadline * USEC_PER_MSEC, handler, userdata, ret);
    if (r >= 0 && !b->known)
        backend_ask(b); /* the host runs now, so this costs no start of its own */
    return r;
}
