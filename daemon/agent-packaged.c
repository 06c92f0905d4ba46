/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this connection's process the packaged agent? The system's service manager is asked which processes run below
 * user@UID.service and in which control group: the packaged agent is in one that ends in /eonay-agent.service. PID 1
 * looks into /proc for us, where we see no process of others, and the user cannot answer in its place.
 *
 * What that proves: the process is of this uid, and this user's service manager put it there under that name. A program
 * shut in a sandbox without that manager cannot get there, and one that registers an agent by mistake or first does not
 * take the place of the packaged one. A program with all the rights of the user can make a unit of that name: between
 * processes of one uid the kernel draws no line.
 */
#include <string.h>

#include "agent.h"
#include "asking.h"
#include "names.h"
#include "util.h"

#define SYSTEMD        "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define ANSWER_TIMEOUT (5u * USEC_PER_SEC)

typedef struct Recognition {
    Manager *manager;
    char *sender;
    Question *question;
    AgentKnown handler;
    void *userdata;
} Recognition;

static bool is_packaged_group(const char *group, uid_t uid) {
    g_autofree char *manager = g_strdup_printf("/user@%u.service/", (unsigned)uid);
    return strstr(group, manager) && g_str_has_suffix(group, "/" EONAY_AGENT_UNIT);
}

static bool read_packaged(sd_bus_message *reply, const Client *c) {
    const char *group, *command;
    uint32_t pid;
    if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_enter_container(reply, 'a', "(sus)") < 0)
        return false;
    while (sd_bus_message_read(reply, "(sus)", &group, &pid, &command) > 0)
        if ((pid_t)pid == c->pid)
            return is_packaged_group(group, c->user->uid);
    return false;
}

static void mark(Client *c, bool packaged) {
    const GPtrArray *agents = c->manager->agents;
    for (guint i = 0; i < agents->len; i++)
        if (((Agent *)agents->pdata[i])->client == c)
            ((Agent *)agents->pdata[i])->packaged = packaged;
}

static int on_processes(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    Recognition *r = userdata;
    Client *c = client_find(r->manager, r->sender);
    if (c)
        mark(c, read_packaged(reply, c));
    r->handler(r->userdata);
    g_free(r->sender);
    g_free(r);
    return 0;
}

void agents_recognise(Client *c, AgentKnown handler, void *userdata) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    g_autofree char *unit = g_strdup_printf("user@%u.service", (unsigned)c->user->uid);
    Recognition *r = g_new0(Recognition, 1);
    *r = (Recognition){.manager = c->manager, .sender = g_strdup(c->name), .handler = handler, .userdata = userdata};
    if (!c->manager->private_bus && c->pid != 0 &&
        sd_bus_message_new_method_call(c->manager->bus, &m, SYSTEMD, "GetUnitProcesses") >= 0 &&
        sd_bus_message_append(m, "s", unit) >= 0 &&
        question_ask(c->manager, c->user->uid, m, ANSWER_TIMEOUT, on_processes, r, &r->question) >= 0)
        return;
    handler(userdata);
    g_free(r->sender);
    g_free(r);
}
