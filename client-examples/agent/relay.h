/* SPDX-License-Identifier: Apache-2.0 */
/* org.eonay.EOnay1.Agent on the system bus: finds or starts the window of a consent and passes the call on to it. */
#ifndef EONAY_AGENT_RELAY_H
#define EONAY_AGENT_RELAY_H

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Relay Relay;

/* argv starts the window's program and must outlive the relay. Returns 0 or a negative errno. */
int relay_new(sd_event *event, sd_bus *bus, char *const argv[], Relay **ret);
Relay *relay_free(Relay *r);

/* The unique name of the daemon, the only one that is answered; NULL: it left, and so do its questions. */
void relay_set_daemon(Relay *r, const char *name);

static inline void relay_freep(Relay **r) {
    relay_free(*r);
}

#endif
