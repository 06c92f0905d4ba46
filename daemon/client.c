/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bus is asked for credentials asynchronously, so a call of an unknown sender waits in a queue. If it vanishes in
 * between, the answer is an error and nothing is left behind.
 */
#include "client.h"

#include <errno.h>
#include <unistd.h>

#include "asking.h"
#include "authorise.h"
#include "bus-util.h"
#include "dispatch.h"
#include "manager-client.h"
#include "sessions.h"
#include "translate.h"
#include "util.h"

#define CLIENT_QUEUE_MAX 64u /* calls of one connection before the bus has said whose it is */

typedef struct QueuedCall {
    sd_bus_message *message;
    AuthAction action;
    bool needs_session;
    ClientHandler handler;
} QueuedCall;

static void queued_call_free(QueuedCall *q) {
    sd_bus_message_unref(q->message);
    g_free(q);
}

/* -------------------------------------------------------------------------------------------------------- users -- */

User *user_ref(User *u) {
    u->n_ref++;
    return u;
}

void user_unref(Manager *m, User *u) {
    if (!u || --u->n_ref > 0)
        return;
    g_hash_table_remove(m->users, GUINT_TO_POINTER(u->uid));
    g_free(u);
}

static User *user_of(Manager *m, uid_t uid) {
    User *u = g_hash_table_lookup(m->users, GUINT_TO_POINTER(uid));
    if (u)
        return user_ref(u);
    u = g_new0(User, 1);
    u->uid = uid;
    u->n_ref = 1;
    g_hash_table_insert(m->users, GUINT_TO_POINTER(uid), u);
    return u;
}

int user_call_begin(Client *c, User **ret, sd_bus_error *error) {
    if (c->user->n_calls >= c->manager->config->calls_per_user)
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "At most %u calls of one user may wait for an answer.",
                                 (unsigned)c->manager->config->calls_per_user);
    c->user->n_calls++;
    *ret = user_ref(c->user);
    return 0;
}

void user_call_end(Manager *m, User *u) {
    if (!u)
        return;
    u->n_calls--;
    user_unref(m, u);
}

/* ------------------------------------------------------------------------------------------------------ clients -- */

Client *client_find(Manager *manager, const char *name) {
    return name ? g_hash_table_lookup(manager->clients, name) : NULL;
}

const User *client_current_user(Manager *m) {
    sd_bus_message *current = sd_bus_get_current_message(m->bus);
    Client *client = current ? client_find(m, sd_bus_message_get_sender(current)) : NULL;
    return client ? client->user : NULL;
}

void client_free(Client *c) {
    if (!c)
        return;
    sd_bus_slot_unref(c->slot);
    question_drop(c->session_question);
    if (c->allowed)
        g_hash_table_unref(c->allowed);
    g_free(c->session);
    if (c->user) {
        dispatch_remove(c);
        c->user->n_queued -= c->queue->len;
    }
    g_ptr_array_unref(c->queue);
    user_unref(c->manager, c->user);
    g_free(c->name);
    g_free(c);
}

/*
 * One match for all: a match for each connection, as sd_bus_track makes it, would run into the bus's limit of 512 of
 * them, and two users with 256 connections each would have the daemon thrown off the bus.
 */
#define NAMES_THAT_GO                                                                                                  \
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"       \
    "member='NameOwnerChanged',arg2=''"

static int on_name_gone(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
    (void)error;
    Manager *m = userdata;
    const char *name, *before, *now;
    if (sd_bus_message_read(signal, "sss", &name, &before, &now) < 0 || *now)
        return 0;
    Client *c = client_find(m, name);
    if (c) {
        manager_client_gone(m, c);
        g_hash_table_remove(m->clients, name);
    }
    return 0;
}

int clients_watch(Manager *m) {
    return sd_bus_add_match_async(m->bus, NULL, NAMES_THAT_GO, on_name_gone, NULL, m);
}

static int client_run(Client *c, sd_bus_message *m, AuthAction action, ClientHandler handler, sd_bus_error *error) {
    if (c->manager->private_bus && c->user->uid != getuid())
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                _("This private daemon serves the user who started it only."));
    return authorise_call(c, m, action, handler, error);
}

static bool client_ready(Client *c, bool needs_session) {
    return c->user && (!needs_session || session_known(c));
}

/* A handler's error is sent as sd-bus itself would have sent it. */
static void client_run_queued(Client *c, const QueuedCall *q) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = client_run(c, q->message, q->action, q->handler, &error);
    if (sd_bus_error_is_set(&error))
        sd_bus_reply_method_error(q->message, &error);
    else if (r < 0)
        sd_bus_reply_method_errno(q->message, r, NULL);
}

/* In the order in which they came: the first that still has to wait holds up those behind it. */
void client_run_queue(Client *c) {
    if (c->queue->len == 0)
        return;
    const QueuedCall *q = c->queue->pdata[0];
    if (client_ready(c, q->needs_session))
        dispatch_add(c);
    else if (c->user)
        session_ask(c);
}

void client_run_next(Client *c) {
    QueuedCall *q = g_ptr_array_steal_index(c->queue, 0);
    c->user->n_queued--;
    client_run_queued(c, q);
    queued_call_free(q);
    client_run_queue(c);
}

static void client_refuse_queue(Client *c) {
    for (guint i = 0; i < c->queue->len; i++)
        sd_bus_reply_method_errorf(((QueuedCall *)c->queue->pdata[i])->message, SD_BUS_ERROR_ACCESS_DENIED, "%s",
                                   _("The bus does not say who you are."));
}

static int read_credentials(sd_bus_message *m, uint32_t *ret_uid, uint32_t *ret_pid) {
    *ret_uid = UINT32_MAX;
    *ret_pid = 0;
    const BusOption table[] = {{"UnixUserID", "u", ret_uid}, {"ProcessID", "u", ret_pid}, {NULL, NULL, NULL}};
    int r = bus_read_dict(m, table);
    return r < 0 ? r : *ret_uid == UINT32_MAX ? -ENODATA : 0;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    Client *c = userdata;
    uint32_t uid, pid;
    c->slot = sd_bus_slot_unref(c->slot);
    if (sd_bus_message_is_method_error(reply, NULL) || read_credentials(reply, &uid, &pid) < 0) {
        client_refuse_queue(c);
        g_hash_table_remove(c->manager->clients, c->name);
        return 0;
    }
    c->user = user_of(c->manager, uid);
    c->user->n_queued += c->queue->len;
    c->pid = (pid_t)pid;
    client_run_queue(c);
    return 0;
}

static int client_ask(Client *c) {
    return sd_bus_call_method_async(c->manager->bus, &c->slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                    "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials, c, "s",
                                    c->name);
}

static int client_new(Manager *manager, const char *name, Client **ret) {
    Client *c = g_new0(Client, 1);
    c->manager = manager;
    c->name = g_strdup(name);
    c->queue = g_ptr_array_new_with_free_func((GDestroyNotify)queued_call_free);
    g_hash_table_insert(manager->clients, c->name, c);
    int r = client_ask(c);
    if (r < 0) {
        g_hash_table_remove(manager->clients, name);
        return r;
    }
    *ret = c;
    return 0;
}

static int client_queue(Client *c, sd_bus_message *m, AuthAction action, bool needs_session, ClientHandler handler,
                        sd_bus_error *error) {
    bool too_many =
        c->user ? c->user->n_queued >= c->manager->config->calls_per_user : c->queue->len >= CLIENT_QUEUE_MAX;
    if (too_many)
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, _("Too many calls at once."));
    QueuedCall *q = g_new0(QueuedCall, 1);
    *q = (QueuedCall){
        .message = sd_bus_message_ref(m), .action = action, .needs_session = needs_session, .handler = handler};
    g_ptr_array_add(c->queue, q);
    if (c->user)
        c->user->n_queued++;
    client_run_queue(c);
    return 1;
}

static int gate(Manager *manager, sd_bus_message *m, AuthAction action, bool needs_session, ClientHandler handler,
                sd_bus_error *error) {
    const char *sender = sd_bus_message_get_sender(m);
    if (!sender)
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, _("A call without a sender."));
    Client *c = client_find(manager, sender);
    if (!c) {
        int r = client_new(manager, sender, &c);
        if (r < 0)
            return r;
    }
    return client_queue(c, m, action, needs_session, handler, error);
}

int client_gate(Manager *manager, sd_bus_message *m, AuthAction action, ClientHandler handler, sd_bus_error *error) {
    return gate(manager, m, action, false, handler, error);
}

int client_gate_session(Manager *manager, sd_bus_message *m, AuthAction action, ClientHandler handler,
                        sd_bus_error *error) {
    return gate(manager, m, action, !manager->private_bus, handler, error);
}
