/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ConfirmText and RequestPin are one page for the user: "İmzala" answers the first, and the pipe with the PIN waits
 * here, unread, for the second, which follows at once. Only a wrong PIN, or tries that are other than the user was
 * told, make the page come back.
 */
#include "prompt.h"

#include <gio/gunixfdlist.h>

#include "eonay/plugin.h"
#include "error.h"
#include "names.h"
#include "translate.h"
#include "util.h"

#define AGENT_PATH     "/org/eonay/EOnay1/agent"
#define CANCEL_SECONDS 2 /* after Cancel, for Finished to say why */

struct Prompt {
    GtkApplication *application;
    GDBusConnection *bus;
    View *view;
    Contract *contract;
    GVariant *texts;                      /* of the last ConfirmText */
    GDBusMethodInvocation *confirm, *pin; /* the questions that are open */
    int held_fd;                          /* the PIN's pipe, between the two */
    gboolean told_final;                  /* what the user knew when he gave it */
    guint timer;
};

static const char interface_xml[] =
    "<node><interface name='" EONAY_INTERFACE_AGENT "'>"
    "<method name='ConfirmText'><arg type='o' direction='in'/><arg type='a(sssay)' direction='in'/>"
    "<arg type='a{sv}' direction='in'/><arg type='b' direction='out'/></method>"
    "<method name='RequestPin'><arg type='o' direction='in'/><arg type='a{sv}' direction='in'/>"
    "<arg type='h' direction='out'/></method>"
    "<method name='Cancel'><arg type='o' direction='in'/><arg type='a{sv}' direction='in'/></method>"
    "<method name='Finished'><arg type='o' direction='in'/><arg type='b' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='a{sv}' direction='in'/></method></interface></node>";

static void quit(Prompt *p) {
    g_application_quit(G_APPLICATION(p->application));
}

static void answer_error(GDBusMethodInvocation **invocation, int code) {
    GDBusMethodInvocation *i = g_steal_pointer(invocation);
    if (i)
        g_dbus_method_invocation_return_dbus_error(i, eonay_error_name(code), eonay_error_text(code));
}

static void refuse(Prompt *p, int code) {
    p->held_fd = safe_close(p->held_fd);
    answer_error(&p->confirm, code);
    answer_error(&p->pin, code);
}

/* Takes fd over. */
static void give_pin(Prompt *p, int fd) {
    g_autoptr(GUnixFDList) list = g_unix_fd_list_new_from_array(&fd, 1);
    g_dbus_method_invocation_return_value_with_unix_fd_list(g_steal_pointer(&p->pin), g_variant_new("(h)", 0), list);
}

/* ---- what the user does ---- */

static void on_sign(const Answer *answer, void *userdata) {
    Prompt *p = userdata;
    gboolean at_reader = p->contract->pin_entry == PIN_ENTRY_READER;
    p->told_final = answer->allow_final_try;
    view_show_busy(p->view, at_reader ? _("Enter the PIN on the keypad of the reader.") : _("Signing…"));
    if (p->confirm) {
        safe_close(p->held_fd);
        p->held_fd = answer->pin_fd;
        g_dbus_method_invocation_return_value(g_steal_pointer(&p->confirm), g_variant_new("(b)", TRUE));
    } else if (p->pin && answer->pin_fd >= 0) {
        give_pin(p, answer->pin_fd);
    } else {
        safe_close(answer->pin_fd);
    }
}

/* The answers must have left before the program ends. */
static void on_close(void *userdata) {
    Prompt *p = userdata;
    refuse(p, EONAY_ERROR_CANCELLED);
    g_dbus_connection_flush_sync(p->bus, NULL, NULL);
    quit(p);
}

static const ViewHandlers handlers = {.sign = on_sign, .close = on_close};

/* ---- what the daemon asks ---- */

static void stop_timer(Prompt *p) {
    if (p->timer)
        g_source_remove(p->timer);
    p->timer = 0;
}

static void show_contract(Prompt *p, GVariant *details) {
    const char *reason = "first";
    Contract *fresh = contract_new(details);
    int r = p->texts ? contract_take_texts(fresh, p->texts) : 0;
    g_variant_lookup(details, "Reason", "&s", &reason);
    if (g_strcmp0(reason, "first") != 0)
        fresh->problem = g_strdup(eonay_error_text(EONAY_ERROR_PIN_INCORRECT));
    stop_timer(p);
    if (r != 0) {
        refuse(p, r);
        view_show_failure(p->view, eonay_error_text(r), eonay_error_hint(r), FALSE);
        contract_free(fresh);
        return;
    }
    view_show_contract(p->view, fresh);
    contract_free(p->contract);
    p->contract = fresh;
}

static void confirm_text(Prompt *p, GVariant *parameters, GDBusMethodInvocation *invocation) {
    g_autoptr(GVariant) details = g_variant_get_child_value(parameters, 2);
    refuse(p, EONAY_ERROR_CANCELLED);
    g_clear_pointer(&p->texts, g_variant_unref);
    p->texts = g_variant_get_child_value(parameters, 1);
    p->confirm = invocation;
    show_contract(p, details);
}

static void request_pin(Prompt *p, GVariant *parameters, GDBusMethodInvocation *invocation) {
    g_autoptr(GVariant) details = g_variant_get_child_value(parameters, 1);
    const char *reason = "first";
    gboolean final = FALSE;
    g_variant_lookup(details, "Reason", "&s", &reason);
    g_variant_lookup(details, "FinalTry", "b", &final);
    p->pin = invocation;
    if (p->held_fd >= 0 && g_strcmp0(reason, "first") == 0 && (!final || p->told_final)) {
        give_pin(p, TAKE_FD(p->held_fd));
        return;
    }
    p->held_fd = safe_close(p->held_fd);
    show_contract(p, details);
}

static gboolean on_no_reason(gpointer data) {
    Prompt *p = data;
    p->timer = 0;
    quit(p);
    return G_SOURCE_REMOVE;
}

static void cancel(Prompt *p, GDBusMethodInvocation *invocation) {
    refuse(p, EONAY_ERROR_CANCELLED);
    view_show_busy(p->view, _("The question was taken back; do not type the PIN any more."));
    stop_timer(p);
    p->timer = g_timeout_add_seconds(CANCEL_SECONDS, on_no_reason, p);
    g_dbus_method_invocation_return_value(invocation, NULL);
}

static void finished(Prompt *p, GVariant *parameters, GDBusMethodInvocation *invocation) {
    gboolean success;
    const char *name, *receipt = NULL, *message = NULL;
    g_autoptr(GVariant) details = g_variant_get_child_value(parameters, 3);
    g_variant_get(parameters, "(&ob&s@a{sv})", NULL, &success, &name, NULL);
    g_variant_lookup(details, "ReceiptId", "&s", &receipt);
    g_variant_lookup(details, "Message", "&s", &message);
    g_dbus_method_invocation_return_value(invocation, NULL);
    stop_timer(p);
    if (success)
        view_show_success(p->view, receipt);
    else if (eonay_error_from_name(name) == EONAY_ERROR_CANCELLED)
        quit(p);
    else
        view_show_error(p->view, name, message, FALSE);
}

static void on_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                    const char *member, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data) {
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    if (g_strcmp0(member, "ConfirmText") == 0)
        confirm_text(data, parameters, invocation);
    else if (g_strcmp0(member, "RequestPin") == 0)
        request_pin(data, parameters, invocation);
    else if (g_strcmp0(member, "Cancel") == 0)
        cancel(data, invocation);
    else
        finished(data, parameters, invocation);
}

/* ---- the channel ---- */

static void on_closed(GDBusConnection *bus, gboolean vanished, GError *error, gpointer data) {
    (void)bus;
    (void)vanished;
    (void)error;
    quit(data);
}

static GDBusConnection *connect_channel(int channel, GError **error) {
    g_autoptr(GSocket) socket = g_socket_new_from_fd(channel, error);
    if (!socket) {
        safe_close(channel);
        return NULL;
    }
    g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
    return g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL,
                                      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                          G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                                      NULL, NULL, error);
}

static gboolean serve(Prompt *p, GError **error) {
    static const GDBusInterfaceVTable vtable = {.method_call = on_call};
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(interface_xml, error);
    if (!node || !g_dbus_connection_register_object(p->bus, AGENT_PATH, node->interfaces[0], &vtable, p, NULL, error))
        return FALSE;
    g_signal_connect(p->bus, "closed", G_CALLBACK(on_closed), p);
    g_dbus_connection_start_message_processing(p->bus);
    return TRUE;
}

Prompt *prompt_new(GtkApplication *application, int channel, gboolean shuffle_keypad, GError **error) {
    Prompt *p = g_new0(Prompt, 1);
    p->application = application;
    p->held_fd = -1;
    p->bus = connect_channel(channel, error);
    if (p->bus)
        p->view = view_new(application, &handlers, p, shuffle_keypad);
    if (!p->bus || !serve(p, error))
        return prompt_free(p);
    return p;
}

Prompt *prompt_free(Prompt *p) {
    if (!p)
        return NULL;
    if (p->bus)
        g_signal_handlers_disconnect_by_data(p->bus, p);
    refuse(p, EONAY_ERROR_CANCELLED);
    stop_timer(p);
    view_free(p->view);
    contract_free(p->contract);
    g_clear_pointer(&p->texts, g_variant_unref);
    g_clear_object(&p->bus);
    g_free(p);
    return NULL;
}
