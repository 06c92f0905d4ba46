/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls: one Client per connection on the bus, known after its credentials were asked of the bus once, forgotten
 * when it leaves. And one User per uid, which is what limits count.
 */
#ifndef EONAY_CLIENT_H
#define EONAY_CLIENT_H

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "manager.h"

typedef struct User {
    uid_t uid;
    unsigned n_ref;
    unsigned n_consents; /* open ones */
    unsigned n_calls;    /* being worked on */
    unsigned n_files;    /* of AddFile */
    unsigned n_queued;   /* calls taken off the bus and not begun */
    GQueue waiting;      /* Client*: connections with such calls that can be begun, see dispatch.h */
    uint64_t served_at;  /* when a token last took its turn, in turns of all tokens */
    uint64_t worked_at;  /* when one of his calls was last begun, in calls of all */
} User;

typedef struct Client Client;
struct Client {
    Manager *manager;
    char *name;                        /* unique name on the bus */
    User *user;                        /* NULL until known */
    pid_t pid;                         /* 0 when the bus does not tell */
    char *session;                     /* object path in logind; "" none; NULL: not asked for yet */
    bool session_own, session_stale;   /* the process is in it itself; sessions have come or gone since */
    struct Question *session_question; /* the question to logind */
    GHashTable *allowed;               /* what polkit has allowed, in that era */
    uint64_t allowed_era;
    sd_bus_slot *slot;  /* the question to the bus */
    GPtrArray *queue;   /* calls that are not begun yet */
    bool waits;         /* in the user's list */
    uint64_t served_at; /* as the user's */
};

typedef enum AuthAction {
    AUTH_NONE, /* nothing to ask: what the caller owns, or what is checked later */
    AUTH_GET_CODE,
    AUTH_LIST_CERTIFICATES,
    AUTH_SIGN,
    AUTH_MANAGE_TOKEN,
    AUTH_MANAGE,
    AUTH_VIEW_OTHERS,
    N_AUTH_ACTIONS,
} AuthAction;

/* Reads, validates and acts for a method call whose sender is known and may call at all. Returns as sd-bus handlers do.
 */
typedef int (*ClientHandler)(Client *client, sd_bus_message *m, sd_bus_error *error);

/*
 * The first line of every method: finds out who calls, refuses who may not (private bus: another uid; else polkit, by
 * the action), then runs the handler. Returns as sd-bus handlers do.
 */
int client_gate(Manager *manager, sd_bus_message *m, AuthAction action, ClientHandler handler, sd_bus_error *error);

/* The same for methods that have to do with agents: the caller's login session is known as well. */
int client_gate_session(Manager *manager, sd_bus_message *m, AuthAction action, ClientHandler handler,
                        sd_bus_error *error);
/* Something it waited for has become known. */
void client_run_queue(Client *c);
/* Works on the first call of its queue. For dispatch.c. */
void client_run_next(Client *c);

/* Notices when connections leave; once, before the first call. */
int clients_watch(Manager *m);
/* NULL when this connection has not called yet. */
Client *client_find(Manager *manager, const char *name);
/* The user of the call being answered; NULL for one not known yet, who sees the public objects. */
const User *client_current_user(Manager *m);
void client_free(Client *c);

/*
 * A call that will be answered later: LimitsExceeded when too many of this user already wait. *ret is a reference that
 * user_call_end() gives back.
 */
int user_call_begin(Client *c, User **ret, sd_bus_error *error);
void user_call_end(Manager *m, User *u);

User *user_ref(User *u);
/* Forgets the user with the last reference. */
void user_unref(Manager *m, User *u);

#endif
