/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program in the user's session that shows the texts and asks for the PIN (org.eonay.EOnay1.Agent). The agent asked
 * is one of the caller's uid and login session: the caller's own first, then the packaged one, then the one registered
 * last.
 */
#ifndef EONAY_AGENT_H
#define EONAY_AGENT_H

#include "client.h"

typedef struct Agent {
    Client *client;
    char *path;
    GPtrArray *calls; /* AgentCall*, not answered yet; when it leaves, they end with NO_AGENT */
    bool leaves;
    bool packaged; /* the user's service manager runs it as EONAY_AGENT_UNIT */
} Agent;

typedef struct AgentCall AgentCall;

/* Registers; a second time with the same path is a no-op. -ENOBUFS: the connection has too many. */
int agent_register(Client *client, const char *path);
/* Finds out whether they are packaged ones, then calls the handler. On a private bus none is. */
typedef void (*AgentKnown)(void *userdata);
void agents_recognise(Client *client, AgentKnown handler, void *userdata);
/* NOT_FOUND when it was not registered. */
int agent_unregister(Client *client, const char *path);
void agent_free(Agent *a);
/* Forgets the agents of a connection that leaves. */
void agents_drop(Manager *m, Client *client);

/* Where a user confirms: in the program that asks for the signature itself, in the agent that the same program serves,
 * in the packaged one, or in any other. */
#define AGENT_KIND_CALLER       "caller"
#define AGENT_KIND_CALLER_AGENT "caller-agent"
#define AGENT_KIND_PACKAGED     "packaged-agent"
#define AGENT_KIND_OTHER        "agent"
const char *agent_kind(const Agent *a, const Client *caller);

/* NULL when there is none. */
Agent *agent_find(Manager *m, Client *caller, const User *user);

/* r: 0, or an EonayError (CANCELLED when the user said no, TIMED_OUT; NO_AGENT when it left). fd: for a PIN, borrowed,
 * else -1. */
typedef void (*AgentHandler)(int r, int fd, void *userdata);

/* Begins ConfirmText or RequestPin: the object path is already appended. */
int agent_begin(Agent *a, const char *member, const char *consent_path, sd_bus_message **ret);
/* Begins Finished for an agent that may be gone; sent without waiting for an answer. */
int agent_begin_finished(Manager *m, const char *name, const char *path, const char *consent_path,
                         sd_bus_message **ret);
/* Sends it. wants_fd: RequestPin. */
int agent_call(Agent *a, sd_bus_message *m, const char *consent_path, bool wants_fd, uint64_t timeout_usec,
               AgentHandler handler, void *userdata, AgentCall **ret);
/* Tells the agent to close its window; the handler is not called any more. */
AgentCall *agent_call_cancel(AgentCall *call);

#endif
