/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <errno.h>
#include <string.h>

#include "bus-util.h"
#include "eonay/plugin.h"
#include "names.h"
#include "sessions.h"
#include "util.h"

#define AGENTS_PER_CLIENT 16u
#define QUESTIONS_MAX     32u /* open at one agent; the bus itself lets a service wait for 128 answers in all */

struct AgentCall {
    Manager *manager;
    Agent *agent;            /* in its list of calls */
    sd_bus_message *message; /* until it is sent */
    uint64_t deadline;       /* CLOCK_MONOTONIC */
    sd_bus_slot *slot;
    char *destination, *path, *consent_path;
    bool wants_fd;
    AgentHandler handler;
    void *userdata;
};

static Agent *agent_of(Manager *m, const Client *client, const char *path) {
    for (guint i = 0; i < m->agents->len; i++) {
        Agent *a = m->agents->pdata[i];
        if (a->client == client && strcmp(a->path, path) == 0)
            return a;
    }
    return NULL;
}

static unsigned agents_of_client(const Manager *m, const Client *client) {
    unsigned n = 0;
    for (guint i = 0; i < m->agents->len; i++)
        n += ((Agent *)m->agents->pdata[i])->client == client;
    return n;
}

int agent_register(Client *client, const char *path) {
    if (agent_of(client->manager, client, path))
        return 0;
    if (agents_of_client(client->manager, client) >= AGENTS_PER_CLIENT)
        return -ENOBUFS;
    Agent *a = g_new0(Agent, 1);
    a->client = client;
    a->path = g_strdup(path);
    a->calls = g_ptr_array_new();
    g_ptr_array_add(client->manager->agents, a);
    return 0;
}

/* Off the list first: those who waited for it must not find it again. */
static void agent_drop(Manager *m, Agent *a) {
    guint index;
    if (g_ptr_array_find(m->agents, a, &index))
        agent_free(g_ptr_array_steal_index(m->agents, index));
}

int agent_unregister(Client *client, const char *path) {
    Agent *a = agent_of(client->manager, client, path);
    if (!a)
        return EONAY_ERROR_NOT_FOUND;
    agent_drop(client->manager, a);
    return 0;
}

void agents_drop(Manager *m, Client *client) {
    for (guint i = m->agents->len; i > 0; i--)
        if (((Agent *)m->agents->pdata[i - 1])->client == client)
            agent_drop(m, m->agents->pdata[i - 1]);
}

const char *agent_kind(const Agent *a, const Client *caller) {
    if (a->client == caller)
        return AGENT_KIND_CALLER_AGENT;
    return a->packaged ? AGENT_KIND_PACKAGED : AGENT_KIND_OTHER;
}

/* How good an agent is for this caller; 0: none of his. */
static unsigned agent_rank(const Agent *a, const Client *caller, const User *user) {
    if (a->client->user != user)
        return 0;
    if (a->client == caller)
        return 3;
    if (!a->client->manager->private_bus && (!caller || !session_same(a->client, caller)))
        return 0;
    return a->packaged ? 2 : 1;
}

Agent *agent_find(Manager *m, Client *caller, const User *user) {
    Agent *found = NULL;
    unsigned best = 0;
    for (guint i = m->agents->len; i > 0; i--) { /* of equal ones the last */
        Agent *a = m->agents->pdata[i - 1];
        unsigned rank = agent_rank(a, caller, user);
        if (rank > best) {
            best = rank;
            found = a;
        }
    }
    return found;
}

/* ------------------------------------------------------------------------------------------------------- the call --
 */

static int on_agent_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error);

static int agent_call_send(AgentCall *call) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = TAKE_PTR(call->message);
    uint64_t now = (uint64_t)g_get_monotonic_time();
    uint64_t left = now < call->deadline ? call->deadline - now : 1;
    return sd_bus_call_async(call->manager->bus, &call->slot, m, on_agent_reply, call, left);
}

/* Asks what has waited, in its order, as long as there are not too many questions open. */
static int agent_ask(Agent *a) {
    int r = 0;
    for (guint i = 0; r >= 0 && i < a->calls->len && i < QUESTIONS_MAX; i++) {
        AgentCall *call = a->calls->pdata[i];
        r = call->message ? agent_call_send(call) : 0;
    }
    return r;
}

static void agent_call_free(AgentCall *call) {
    g_ptr_array_remove(call->agent->calls, call);
    if (!call->agent->leaves)
        agent_ask(call->agent);
    sd_bus_message_unref(call->message);
    sd_bus_slot_unref(call->slot);
    g_free(call->destination);
    g_free(call->path);
    g_free(call->consent_path);
    g_free(call);
}

static void agent_call_settle(AgentCall *call, int r, int fd) {
    AgentHandler handler = call->handler;
    void *userdata = call->userdata;
    if (r == EONAY_ERROR_TIMED_OUT)
        agent_call_cancel(call);
    else
        agent_call_free(call);
    handler(r, fd, userdata);
}

/* What it was asked is answered: there is nobody to answer any more. */
void agent_free(Agent *a) {
    if (!a)
        return;
    a->leaves = true;
    while (a->calls->len > 0)
        agent_call_settle(a->calls->pdata[0], EONAY_ERROR_NO_AGENT, -1);
    g_ptr_array_unref(a->calls);
    g_free(a->path);
    g_free(a);
}

AgentCall *agent_call_cancel(AgentCall *call) {
    if (!call)
        return NULL;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    sd_bus *bus = call->manager->bus;
    if (!call->message &&
        sd_bus_message_new_method_call(bus, &m, call->destination, call->path, EONAY_INTERFACE_AGENT, "Cancel") >= 0 &&
        sd_bus_message_append(m, "oa{sv}", call->consent_path, 0) >= 0 &&
        sd_bus_message_set_expect_reply(m, false) >= 0)
        sd_bus_send(bus, m, NULL);
    agent_call_free(call);
    return NULL;
}

/* Any refusal of an agent means the user does not want; what the bus says in its place is told apart. */
static int code_of_refusal(const char *name) {
    static const struct {
        const char *name;
        int code;
    } known[] = {
        {SD_BUS_ERROR_NO_REPLY, EONAY_ERROR_TIMED_OUT},        {SD_BUS_ERROR_TIMEOUT, EONAY_ERROR_TIMED_OUT},
        {SD_BUS_ERROR_LIMITS_EXCEEDED, EONAY_ERROR_BUSY},      {SD_BUS_ERROR_SERVICE_UNKNOWN, EONAY_ERROR_NO_AGENT},
        {SD_BUS_ERROR_UNKNOWN_OBJECT, EONAY_ERROR_NO_AGENT},   {SD_BUS_ERROR_UNKNOWN_METHOD, EONAY_ERROR_NO_AGENT},
        {SD_BUS_ERROR_UNKNOWN_INTERFACE, EONAY_ERROR_NO_AGENT}};
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].code;
    return EONAY_ERROR_CANCELLED;
}

static int read_answer(sd_bus_message *reply, bool wants_fd, int *ret_fd) {
    const sd_bus_error *e = sd_bus_message_get_error(reply);
    if (e)
        return code_of_refusal(e->name);
    if (wants_fd)
        return sd_bus_message_read(reply, "h", ret_fd) < 0 ? EONAY_ERROR_DESCRIPTOR_INVALID : 0;
    int yes = 0;
    if (sd_bus_message_read(reply, "b", &yes) < 0 || !yes)
        return EONAY_ERROR_CANCELLED;
    return 0;
}

static int on_agent_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    AgentCall *call = userdata;
    int fd = -1;
    int r = read_answer(reply, call->wants_fd, &fd);
    agent_call_settle(call, r, fd);
    return 0;
}

int agent_begin(Agent *a, const char *member, const char *consent_path, sd_bus_message **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(a->client->manager->bus, &m, a->client->name, a->path, EONAY_INTERFACE_AGENT,
                                           member);
    if (r < 0 || (r = sd_bus_message_append(m, "o", consent_path)) < 0)
        return r;
    *ret = TAKE_PTR(m);
    return 0;
}

int agent_begin_finished(Manager *manager, const char *name, const char *path, const char *consent_path,
                         sd_bus_message **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(manager->bus, &m, name, path, EONAY_INTERFACE_AGENT, "Finished");
    if (r < 0 || (r = sd_bus_message_set_expect_reply(m, false)) < 0 ||
        (r = sd_bus_message_append(m, "o", consent_path)) < 0)
        return r;
    *ret = TAKE_PTR(m);
    return 0;
}

int agent_call(Agent *a, sd_bus_message *m, const char *consent_path, bool wants_fd, uint64_t timeout_usec,
               AgentHandler handler, void *userdata, AgentCall **ret) {
    AgentCall *call = g_new0(AgentCall, 1);
    *call = (AgentCall){
        .manager = a->client->manager, .agent = a, .wants_fd = wants_fd, .handler = handler, .userdata = userdata};
    call->message = sd_bus_message_ref(m);
    call->deadline = (uint64_t)g_get_monotonic_time() + timeout_usec;
    call->destination = g_strdup(a->client->name);
    call->path = g_strdup(a->path);
    call->consent_path = g_strdup(consent_path);
    g_ptr_array_add(a->calls, call);
    int r = agent_ask(a);
    if (r < 0) {
        agent_call_free(call);
        return r;
    }
    *ret = call;
    return 0;
}
