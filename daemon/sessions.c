/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logind reads the process's control group for us (GetSessionByPID): we see no process of others in /proc. The answer
 * is kept with the connection. A user's display session may change under a program that outlives it, so of those
 * without a session of their own it is asked again when sessions come or go.
 */
#include "sessions.h"

#include <string.h>

#include "asking.h"
#include "authorise.h"
#include "util.h"

#define LOGIND         "org.freedesktop.login1"
#define LOGIND_PATH    "/org/freedesktop/login1"
#define LOGIND_MANAGER LOGIND ".Manager"
#define ANSWER_TIMEOUT (5u * USEC_PER_SEC)

/* Active or not, remote or not: polkit decides by it. */
#define SESSION_CHANGES                                                                                                \
    "type='signal',sender='" LOGIND "',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"        \
    "path_namespace='" LOGIND_PATH "/session'"

struct Sessions {
    Manager *manager;
    sd_bus_slot *came, *went, *changed;
};

bool session_known(const Client *c) {
    return c->session && !c->session_stale;
}

bool session_same(const Client *a, const Client *b) {
    return a == b || (a->session && b->session && strcmp(a->session, b->session) == 0);
}

static void session_settle(Client *c, const char *session, bool own) {
    c->session_question = NULL;
    g_free(c->session);
    c->session = g_strdup(session);
    c->session_own = own;
    c->session_stale = false;
    client_run_queue(c);
}

static int on_display(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    const char *id, *path;
    bool told = !sd_bus_message_is_method_error(reply, NULL) &&
                sd_bus_message_enter_container(reply, 'v', "(so)") >= 0 &&
                sd_bus_message_read(reply, "(so)", &id, &path) >= 0 && strcmp(path, "/") != 0;
    session_settle(userdata, told ? path : "", false);
    return 0;
}

static int ask_display(Client *c) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    g_autofree char *path = g_strdup_printf(LOGIND_PATH "/user/_%u", (unsigned)c->user->uid);
    int r = sd_bus_message_new_method_call(c->manager->bus, &m, LOGIND, path, "org.freedesktop.DBus.Properties", "Get");
    if (r < 0 || (r = sd_bus_message_append(m, "ss", LOGIND ".User", "Display")) < 0)
        return r;
    return question_ask(c->manager, c->user->uid, m, ANSWER_TIMEOUT, on_display, c, &c->session_question);
}

static int on_session(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    Client *c = userdata;
    const char *path;
    c->session_question = NULL;
    if (sd_bus_message_is_method_error(reply, LOGIND ".NoSessionForPID")) {
        if (ask_display(c) < 0)
            session_settle(c, "", false);
    } else if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "o", &path) < 0)
        session_settle(c, "", false);
    else
        session_settle(c, path, true);
    return 0;
}

void session_ask(Client *c) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    sd_bus *bus = c->manager->bus;
    if (c->session_question)
        return; /* asked already */
    if (c->manager->private_bus || c->pid == 0 ||
        sd_bus_message_new_method_call(bus, &m, LOGIND, LOGIND_PATH, LOGIND_MANAGER, "GetSessionByPID") < 0 ||
        sd_bus_message_append(m, "u", (uint32_t)c->pid) < 0 ||
        question_ask(c->manager, c->user->uid, m, ANSWER_TIMEOUT, on_session, c, &c->session_question) < 0)
        session_settle(c, "", false);
}

/* ------------------------------------------------------------------------------------------------ what logind tells */

static int on_coming_or_going(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)m;
    (void)error;
    Sessions *s = userdata;
    GHashTableIter iter;
    gpointer value;
    authorisations_forget(s->manager);
    g_hash_table_iter_init(&iter, s->manager->clients);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Client *c = value;
        if (!c->session || c->session_own)
            continue;
        c->session_stale = true;
        session_ask(c);
    }
    return 0;
}

static int on_change(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)m;
    (void)error;
    authorisations_forget(((Sessions *)userdata)->manager);
    return 0;
}

int sessions_new(Manager *m, Sessions **ret) {
    Sessions *s = g_new0(Sessions, 1);
    int r;
    s->manager = m;
    if ((r = sd_bus_match_signal_async(m->bus, &s->came, LOGIND, LOGIND_PATH, LOGIND_MANAGER, "SessionNew",
                                       on_coming_or_going, NULL, s)) < 0 ||
        (r = sd_bus_match_signal_async(m->bus, &s->went, LOGIND, LOGIND_PATH, LOGIND_MANAGER, "SessionRemoved",
                                       on_coming_or_going, NULL, s)) < 0 ||
        (r = sd_bus_add_match_async(m->bus, &s->changed, SESSION_CHANGES, on_change, NULL, s)) < 0) {
        sessions_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

Sessions *sessions_free(Sessions *s) {
    if (!s)
        return NULL;
    sd_bus_slot_unref(s->came);
    sd_bus_slot_unref(s->went);
    sd_bus_slot_unref(s->changed);
    g_free(s);
    return NULL;
}
