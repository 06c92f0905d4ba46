/* SPDX-License-Identifier: Apache-2.0 */
/* org.eonay.EOnay1.Backend: properties only. */
#include <string.h>

#include "backend.h"
#include "client.h"
#include "error.h"
#include "names.h"

static const struct {
    uint32_t flag;
    const char *name;
} capability_names[] = {{EONAY_CA_GET_CODE, "get-code"}, {EONAY_CA_REGENERATE, "regenerate"},
                        {EONAY_CA_STATUS, "status"},     {EONAY_CA_APPROVAL, "approval"},
                        {EONAY_CA_CANCEL, "cancel"},     {EONAY_CA_POLL, "poll"}};

static int property_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)error;
    const Backend *b = userdata;
    const char *value = b->title;
    if (strcmp(property, "Plugin") == 0)
        value = b->instance->plugin;
    else if (strcmp(property, "State") == 0)
        value = b->fault.code ? eonay_error_short_name(b->fault.code) : b->known ? "ready" : "not-used-yet";
    return sd_bus_message_append(reply, "s", value);
}

static int property_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)error;
    const Backend *b = userdata;
    return sd_bus_message_append(reply, "u", strcmp(property, "CodeLength") == 0 ? b->code_length : b->code_lifetime);
}

static int property_capabilities(sd_bus *bus, const char *path, const char *interface, const char *property,
                                 sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    const Backend *b = userdata;
    int r = sd_bus_message_open_container(reply, 'a', "s");
    for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(capability_names); i++)
        if (b->flags & capability_names[i].flag)
            r = sd_bus_message_append(reply, "s", capability_names[i].name);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable backend_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Name", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Plugin", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("State", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Capabilities", "as", property_capabilities, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("CodeLength", "u", property_number, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("CodeLifetime", "u", property_number, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

int backend_export(Backend *b) {
    sd_bus *bus = b->manager->bus;
    int r = sd_bus_add_object_vtable(bus, &b->slot, b->path, EONAY_INTERFACE_BACKEND, backend_vtable, b);
    return r < 0 ? r : sd_bus_emit_object_added(bus, b->path);
}

int backends_export(Manager *m) {
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, m->backends);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Backend *b = value;
        int r = sd_bus_add_object_vtable(m->bus, &b->slot, b->path, EONAY_INTERFACE_BACKEND, backend_vtable, b);
        if (r < 0)
            return r;
    }
    return 0;
}
