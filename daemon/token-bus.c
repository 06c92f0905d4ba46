/* SPDX-License-Identifier: Apache-2.0 */
/* org.eonay.EOnay1.Token, and the announcing of tokens with their certificates. A file of AddFile is not announced: the
 * signals of the ObjectManager go to everybody. */
#include <string.h>

#include "authorise.h"
#include "bus-util.h"
#include "host-protocol.h"
#include "names.h"
#include "pinpipe.h"
#include "reader.h"
#include "token.h"
#include "util.h"

static Token *token_of(Client *client, sd_bus_message *m) {
    return token_find(client->manager, sd_bus_message_get_path(m), client->user);
}

static int describe(Client *client, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    const Token *t = token_of(client, m);
    int r;
    if (!t)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if ((r = bus_read_no_options(m, error)) < 0 || (r = sd_bus_message_new_method_return(m, &reply)) < 0 ||
        (r = sd_bus_message_open_container(reply, 'a', "{sv}")) < 0 ||
        (r = bus_append_string(reply, "Label", t->label)) < 0 ||
        (r = bus_append_string(reply, "Serial", t->serial)) < 0 ||
        (r = bus_append_string(reply, "Manufacturer", t->manufacturer)) < 0 ||
        (r = bus_append_string(reply, "Model", t->model)) < 0 ||
        (r = bus_append_string(reply, "ReaderName", t->reader)) < 0 ||
        (r = bus_append_string(reply, "Module", t->module->instance->name)) < 0 ||
        (r = bus_append_u32(reply, "PinMinLength", t->pin_min)) < 0 ||
        (r = bus_append_u32(reply, "PinMaxLength", t->pin_max)) < 0 || (r = sd_bus_message_close_container(reply)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}

/* ------------------------------------------------------------------------------------------------ changing PINs -- */

/* ChangePin and UnblockPin differ in the host's method only. */
typedef struct PinChange {
    Manager *manager;
    char *token_path;
    const char *method;
    sd_bus_message *message;
    User *user;
    PinPipe *first, *second;
    unsigned n_delivered;
    TokenTurn *turn;
} PinChange;

static void pin_change_free(PinChange *p) {
    pinpipe_free(p->first);
    pinpipe_free(p->second);
    token_release(p->turn);
    user_call_end(p->manager, p->user);
    sd_bus_message_unref(p->message);
    g_free(p->token_path);
    g_free(p);
}

static void pin_change_end(PinChange *p, const Fault *fault) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    if (fault->code == 0)
        sd_bus_reply_method_return(p->message, NULL);
    else {
        fault_to_bus(fault, &error);
        sd_bus_reply_method_error(p->message, &error);
    }
    pin_change_free(p);
}

static void pin_change_fail(PinChange *p, int code) {
    Fault f = FAULT(code);
    pin_change_end(p, &f);
}

static void on_pin_changed(const Fault *fault, sd_bus_message *reply, void *userdata) {
    PinChange *p = userdata;
    Token *t = token_find(p->manager, p->token_path, p->user);
    if (t && reply && token_update(t, reply) >= 0)
        token_announce_change(t);
    if (t && fault->code == EONAY_ERROR_PIN_INCORRECT)
        token_wrong_pin(t, p->user);
    const Fault gone = FAULT(EONAY_ERROR_TOKEN_REMOVED);
    pin_change_end(p, t || fault->code == 0 ? fault : &gone);
}

static void on_pin_change_turn(void *userdata) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    PinChange *p = userdata;
    Fault overdue = token_overdue(p->turn);
    if (overdue.code != 0) {
        pin_change_end(p, &overdue);
        fault_clear(&overdue);
        return;
    }
    Token *t = token_find(p->manager, p->token_path, p->user);
    int r = t ? host_begin(token_signer(t), p->method, &m) : EONAY_ERROR_TOKEN_REMOVED;
    if (r == 0)
        r = sd_bus_message_append(m, HOST_CHANGE_PIN_IN, t->key, pinpipe_fd(p->first), pinpipe_fd(p->second));
    if (r >= 0 && t)
        r = host_call(token_signer(t), m, p->manager->config->sign_deadline * USEC_PER_MSEC, on_pin_changed, p, NULL);
    if (r != 0)
        pin_change_fail(p, r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED);
}

static void on_pin_delivered(int r, void *userdata) {
    PinChange *p = userdata;
    if (r != 0) {
        pin_change_fail(p, r);
        return;
    }
    if (++p->n_delivered < 2)
        return;
    Token *t = token_find(p->manager, p->token_path, p->user);
    Fault f = FAULT(EONAY_ERROR_TOKEN_REMOVED);
    if (t && token_wait(t, p->user, NULL, on_pin_change_turn, p, &p->turn) == 0)
        return;
    if (t)
        f = token_busy(t);
    pin_change_end(p, &f);
    fault_clear(&f);
}

static int pin_change_start(Client *client, sd_bus_message *m, const char *method, sd_bus_error *error) {
    int first, second, r;
    const Token *t = token_of(client, m);
    if (!t)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if ((r = sd_bus_message_read(m, "hh", &first, &second)) < 0 || (r = bus_read_no_options(m, error)) < 0)
        return r;
    bool changing = strcmp(method, HOST_METHOD_CHANGE_PIN) == 0;
    r = changing ? token_may_try(t, client->user, "", false) : 0;
    if (r != 0)
        return fault_code_to_bus(r, error);
    Manager *manager = client->manager;
    PinChange *p = g_new0(PinChange, 1);
    *p = (PinChange){.manager = manager, .method = method, .message = sd_bus_message_ref(m)};
    p->token_path = g_strdup(t->path);
    if ((r = user_call_begin(client, &p->user, error)) < 0) {
        pin_change_free(p);
        return r;
    }
    uint64_t timeout = manager->config->pin_delivery * USEC_PER_MSEC;
    if ((r = pinpipe_wait(manager->event, first, timeout, on_pin_delivered, p, &p->first)) != 0 ||
        (r = pinpipe_wait(manager->event, second, timeout, on_pin_delivered, p, &p->second)) != 0) {
        pin_change_free(p);
        return r > 0 ? fault_code_to_bus(r, error) : r;
    }
    return 1;
}

static int change_pin(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return pin_change_start(client, m, HOST_METHOD_CHANGE_PIN, error);
}

static int unblock_pin(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return pin_change_start(client, m, HOST_METHOD_UNBLOCK_PIN, error);
}

/* Whose dialog opens should see which token it is about. */
static int ask_to_manage(Client *client, sd_bus_message *m, ClientHandler handler, sd_bus_error *error) {
    const Token *t = token_of(client, m);
    if (!t)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    const char *details[] = {"token", t->label, NULL};
    return authorise_call_for(client, m, AUTH_MANAGE_TOKEN, details, handler, error);
}

static int ask_to_change_pin(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return ask_to_manage(client, m, change_pin, error);
}

static int ask_to_unblock_pin(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return ask_to_manage(client, m, unblock_pin, error);
}

static int method_describe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    return client_gate(((Token *)userdata)->manager, m, AUTH_LIST_CERTIFICATES, describe, error);
}

static int method_change_pin(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    return client_gate(((Token *)userdata)->manager, m, AUTH_NONE, ask_to_change_pin, error);
}

static int method_unblock_pin(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    return client_gate(((Token *)userdata)->manager, m, AUTH_NONE, ask_to_unblock_pin, error);
}

/* -------------------------------------------------------------------------------------------------- properties -- */

static int property_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)error;
    const Token *t = userdata;
    const char *value = t->module->instance->plugin;
    if (strcmp(property, "Manufacturer") == 0)
        value = t->manufacturer;
    else if (strcmp(property, "Model") == 0)
        value = t->model;
    else if (strcmp(property, "PinState") == 0)
        value = token_pin_state(t);
    else if (strcmp(property, "State") == 0)
        value = *t->state ? t->state : "ready";
    return sd_bus_message_append(reply, "s", value);
}

static int property_bool(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)error;
    const Token *t = userdata;
    bool value = strcmp(property, "Busy") == 0 ? t->turn || t->passed : (t->flags & EONAY_TOKEN_PINPAD) != 0;
    return sd_bus_message_append(reply, "b", value);
}

/* "/" when the token is in no reader, or its reader has no object. */
static int property_reader(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    const Token *t = userdata;
    const Reader *reader = *t->reader ? reader_find(t->manager->readers, t->reader) : NULL;
    return sd_bus_message_append(reply, "o", reader ? reader->path : "/");
}

static const sd_bus_vtable token_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Plugin", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Manufacturer", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Model", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Reader", "o", property_reader, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("PinPad", "b", property_bool, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("PinState", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Busy", "b", property_bool, 0, 0),
    SD_BUS_PROPERTY("State", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", description),
                            method_describe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ChangePin", SD_BUS_ARGS("h", old, "h", new, "a{sv}", options), SD_BUS_NO_RESULT,
                            method_change_pin, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
    SD_BUS_METHOD_WITH_ARGS("UnblockPin", SD_BUS_ARGS("h", puk, "h", new, "a{sv}", options), SD_BUS_NO_RESULT,
                            method_unblock_pin, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
    SD_BUS_VTABLE_END,
};

static int find_token(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                      sd_bus_error *error) {
    (void)interface;
    (void)error;
    Token *t = g_hash_table_lookup(((Manager *)userdata)->tokens, path);
    if (!t || (sd_bus_get_current_message(bus) && !token_visible(t, client_current_user(userdata))))
        return 0;
    *ret_found = t;
    return 1;
}

static int list_tokens(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
    (void)bus;
    (void)prefix;
    (void)error;
    Manager *m = userdata;
    const User *user = client_current_user(m);
    GPtrArray *paths = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, m->tokens);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (token_visible(value, user))
            g_ptr_array_add(paths, strdup(key)); /* sd-bus frees it */
    g_ptr_array_add(paths, NULL);
    *ret_nodes = (char **)g_ptr_array_free(paths, FALSE);
    return 0;
}

int tokens_export(Manager *m) {
    int r =
        sd_bus_add_fallback_vtable(m->bus, NULL, EONAY_PATH_TOKEN, EONAY_INTERFACE_TOKEN, token_vtable, find_token, m);
    return r < 0 ? r : sd_bus_add_node_enumerator(m->bus, NULL, EONAY_PATH_TOKEN, list_tokens, m);
}

void token_announce(Token *t) {
    if (t->module->owner)
        return;
    if (!t->announced)
        sd_bus_emit_object_added(t->manager->bus, t->path);
    t->announced = true;
    for (guint i = 0; i < t->certificates->len; i++) {
        Certificate *c = t->certificates->pdata[i];
        if (!c->announced)
            sd_bus_emit_object_added(t->manager->bus, c->path);
        c->announced = true;
    }
}

void token_announce_gone(Token *t) {
    if (!t->module->owner)
        sd_bus_emit_object_removed(t->manager->bus, t->path);
}

void token_announce_change(Token *t) {
    if (!t->module->owner)
        sd_bus_emit_properties_changed(t->manager->bus, t->path, EONAY_INTERFACE_TOKEN, "PinPad", "PinState", "State",
                                       NULL);
}
