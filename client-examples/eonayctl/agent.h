/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface org.eonay.EOnay1.Agent on a terminal, or without asking. One question is open at a time; others wait in
 * line, and each can be taken back by the daemon.
 */
#ifndef EONAYCTL_AGENT_H
#define EONAYCTL_AGENT_H

#include "ctl.h"
#include "terminal.h"

#define AGENT_PATH "/org/eonay/EOnay1/agent"

typedef struct Agent Agent;

/* Serves the interface at AGENT_PATH. accept: texts are confirmed without a question. The PIN comes from pin_source. */
int agent_new(Ctl *ctl, Terminal *terminal, bool accept, bool allow_final_try, Agent **ret);
Agent *agent_free(Agent *a);

static inline void agent_freep(Agent **a) {
    agent_free(*a);
}

#endif
