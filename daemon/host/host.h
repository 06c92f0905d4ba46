/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one host process: the connection, what Open said, the plugin, and for tokens the login. */
#ifndef EONAY_HOST_H
#define EONAY_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "call.h"
#include "eonay/plugin.h"
#include "pcsc-watch.h"
#include "secret.h"
#include "services.h"
#include "trust.h"
#include "workers.h"

typedef enum HostDeadline {
    DEADLINE_OPEN,
    DEADLINE_LIST,
    DEADLINE_LOGIN,
    DEADLINE_PINPAD,
    DEADLINE_SIGN,
    DEADLINE_CA,
    DEADLINE_CLOSE, /* ours: nobody waits for it */
    N_DEADLINES,
} HostDeadline;

typedef struct Session { /* between Login and Sign */
    bool active;
    uint64_t request;
    char *token;
    bool has_secret;
    Secret *secret;
} Session;

typedef struct Host {
    sd_bus *bus;
    Trust trust;
    Services services;
    bool in_unit; /* a unit has drawn the walls that take namespaces */
    bool open_was_called;
    bool has_network; /* and so takes no secret */
    int credential;   /* the file with the PIN for HOST_LOGIN_CREDENTIAL; -1 without */
    bool ruined;      /* a fatal failure: end after the reply */
    bool has_served;  /* since it last looked at what it uses */
    uint32_t deadlines[N_DEADLINES];
    const EonayPlugin *plugin; /* NULL until it is open */
    void *context;
    Session session;
    PcscWatch *watch;    /* of the kind "reader", which has no plugin */
    PcscNews *last_news; /* what it told last */
    Workers *workers;    /* of an authority whose plugin is concurrent */
} Host;

/* Ends the login and erases its secret; harmless when there is none. */
void session_end(Host *host);
/* Lets the plugin close what it has open. */
void host_close(Host *host);

/* What a handler returns after a fatal failure: the errno goes to the daemon as a D-Bus error, and the host ends. */
int host_ruined(Host *host, int r);
/* A reply that begins with the outcome; the caller appends the payload and sends it. */
int host_reply_new(sd_bus_message *request, const Call *call, sd_bus_message **ret);
/* Sends a finished reply; `r` is what appending gave. */
int host_reply_send(Host *host, sd_bus_message *reply, int r);

#endif
