/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of eonay-agent-window: the window for one consent. It serves org.eonay.EOnay1.Agent on a private connection,
 * a socket pair, so that a question of the daemon is passed on as it is. The PIN comes back as the read end of a pipe,
 * and is never read here.
 */
#ifndef EONAY_AGENT_PROMPTER_H
#define EONAY_AGENT_PROMPTER_H

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define AGENT_PATH "/org/eonay/EOnay1/agent"

/* The window's exit status when there is no display to open it on. */
#define PROMPTER_NO_DISPLAY 71

typedef struct Prompter Prompter;

/* Called when the program has ended: every question is answered by then. The owner frees it. */
typedef void (*PrompterEnded)(Prompter *p, void *userdata);

/* Starts the window. Returns 0 or a negative errno. */
int prompter_start(sd_event *event, char *const argv[], const char *consent, PrompterEnded ended, void *userdata,
                   Prompter **ret);
/* Ends the program if it runs, and refuses what is open. Accepts NULL and returns NULL. */
Prompter *prompter_free(Prompter *p);

const char *prompter_consent(const Prompter *p);
/* Passes a call of the daemon on and its answer back. Returns 0 or a negative errno. */
int prompter_ask(Prompter *p, sd_bus_message *call);
/* Passes it on; there is no answer to wait for. */
int prompter_tell(Prompter *p, sd_bus_message *call);
/* The questions that are open end with Cancelled. */
void prompter_refuse(Prompter *p);
/* Asks the program to end. */
void prompter_end(Prompter *p);

static inline void prompter_freep(Prompter **p) {
    prompter_free(*p);
}

#endif
