/* SPDX-License-Identifier: Apache-2.0 */
/* org.eonay.EOnay1.Certificate: the object says nothing of a person; Describe does, to whom it may. */
#include "bus-util.h"
#include "certificate.h"
#include "names.h"
#include "token.h"
#include "util.h"

static int describe(Client *client, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    Certificate *c = certificate_find(client->manager, sd_bus_message_get_path(m), client->user);
    int r;
    if (!c)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if ((r = bus_read_no_options(m, error)) < 0 || (r = sd_bus_message_new_method_return(m, &reply)) < 0 ||
        (r = certificate_append(c, reply, true)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}

static int method_describe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Certificate *c = userdata;
    return client_gate(c->manager, m, AUTH_LIST_CERTIFICATES, describe, error);
}

static int property_token(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "o", ((Certificate *)userdata)->token->path);
}

static int property_key_type(sd_bus *bus, const char *path, const char *interface, const char *property,
                             sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "s", ((Certificate *)userdata)->profile->key_type);
}

static int property_usable(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "b", certificate_reasons(userdata, NULL) == 0);
}

static const sd_bus_vtable certificate_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Token", "o", property_token, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("KeyType", "s", property_key_type, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Usable", "b", property_usable, 0, 0),
    SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", description),
                            method_describe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int find_certificate(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                            sd_bus_error *error) {
    (void)interface;
    (void)error;
    Certificate *c = g_hash_table_lookup(((Manager *)userdata)->certificates, path);
    if (!c || (sd_bus_get_current_message(bus) && !token_visible(c->token, client_current_user(userdata))))
        return 0;
    *ret_found = c;
    return 1;
}

static int list_certificates(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
    (void)bus;
    (void)prefix;
    (void)error;
    Manager *m = userdata;
    const User *user = client_current_user(m);
    GPtrArray *paths = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, m->certificates);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (token_visible(((Certificate *)value)->token, user))
            g_ptr_array_add(paths, strdup(key)); /* sd-bus frees it */
    g_ptr_array_add(paths, NULL);
    *ret_nodes = (char **)g_ptr_array_free(paths, FALSE);
    return 0;
}

int certificates_export(Manager *m) {
    int r = sd_bus_add_fallback_vtable(m->bus, NULL, EONAY_PATH_CERTIFICATE, EONAY_INTERFACE_CERTIFICATE,
                                       certificate_vtable, find_certificate, m);
    return r < 0 ? r : sd_bus_add_node_enumerator(m->bus, NULL, EONAY_PATH_CERTIFICATE, list_certificates, m);
}
