/* SPDX-License-Identifier: Apache-2.0 */
/* org.eonay.EOnay1.Reader: properties only. */
#include <string.h>

#include "names.h"
#include "reader.h"

static int property_name(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "s", ((Reader *)userdata)->name);
}

static int property_bool(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)error;
    const Reader *r = userdata;
    return sd_bus_message_append(reply, "b", strcmp(property, "PinPad") == 0 ? r->pinpad : r->present);
}

static const sd_bus_vtable reader_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Name", "s", property_name, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("TokenPresent", "b", property_bool, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("PinPad", "b", property_bool, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

static int find_reader(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                       sd_bus_error *error) {
    (void)bus, (void)interface, (void)error;
    Readers *readers = ((Manager *)userdata)->readers;
    Reader *r = readers ? g_hash_table_lookup(readers_table(readers), path) : NULL;
    if (!r)
        return 0;
    *ret_found = r;
    return 1;
}

static int list_readers(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
    (void)bus, (void)prefix, (void)error;
    Readers *readers = ((Manager *)userdata)->readers;
    GPtrArray *paths = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key;
    if (readers) {
        g_hash_table_iter_init(&iter, readers_table(readers));
        while (g_hash_table_iter_next(&iter, &key, NULL))
            g_ptr_array_add(paths, strdup(key)); /* sd-bus frees it */
    }
    g_ptr_array_add(paths, NULL);
    *ret_nodes = (char **)g_ptr_array_free(paths, FALSE);
    return 0;
}

int readers_export(Manager *m) {
    int r = sd_bus_add_fallback_vtable(m->bus, NULL, EONAY_PATH_READER, EONAY_INTERFACE_READER, reader_vtable,
                                       find_reader, m);
    return r < 0 ? r : sd_bus_add_node_enumerator(m->bus, NULL, EONAY_PATH_READER, list_readers, m);
}

void reader_announce(Manager *m, Reader *r) {
    sd_bus_emit_object_added(m->bus, r->path);
}

void reader_announce_gone(Manager *m, Reader *r) {
    sd_bus_emit_object_removed(m->bus, r->path);
}

void reader_announce_change(Manager *m, Reader *r) {
    sd_bus_emit_properties_changed(m->bus, r->path, EONAY_INTERFACE_READER, "TokenPresent", "PinPad", NULL);
}
