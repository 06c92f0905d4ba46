/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of everything: the bus, the configuration, and the lists of readers' tokens, certificates, authorities,
 * consents, clients and agents. One per process. manager-bus.c is its face.
 */
#ifndef EONAY_MANAGER_H
#define EONAY_MANAGER_H

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "host.h"
#include "journal.h"
#include "manifest.h"

typedef struct Manager Manager;
typedef struct AuditCall AuditCall;
typedef struct EvidenceStamps EvidenceStamps;

struct Manager {
    sd_event *event;
    sd_bus *bus;
    bool private_bus; /* only the uid that started us is authorised */
    Config *config;
    GHashTable *manifests;   /* name → Manifest */
    GPtrArray *definitions;  /* Definition*: vendor modules */
    struct Readers *readers; /* NULL: switched off */
    struct Sleep *sleep;     /* NULL: no logind */
    HostContext host_context;
    struct Fetcher *fetcher;
    struct Trust *trust;
    struct RevocationCache *revocations;
    GHashTable *materials; /* of material-memo.c: what was found good lately; NULL: nothing yet */
    uint64_t stamped_at;   /* CLOCK_MONOTONIC: when a time-stamp authority last stamped; 0: never */
    Journal *journal;

    GPtrArray *modules;              /* Module*: configured token instances and files */
    GHashTable *tokens;              /* object path → Token* */
    GHashTable *certificates;        /* object path → Certificate* */
    GHashTable *backends;            /* name → Backend* */
    GPtrArray *retired;              /* Backend*, no longer configured */
    GHashTable *consents;            /* object path → Consent* */
    GHashTable *codes;               /* handle → PendingCode* */
    GHashTable *clients;             /* unique name → Client* */
    GHashTable *users;               /* uid → User* */
    GPtrArray *agents;               /* Agent* */
    GPtrArray *extensions;           /* of extend-bus.c: signatures being raised for callers */
    EvidenceStamps *evidence_stamps; /* NULL: none was asked for yet */
    GPtrArray *waiting_calls;        /* for the first look at the tokens */
    GPtrArray *refreshes;            /* calls of Refresh that wait */
    sd_event_source *first_look;
    sd_event_source *patience; /* when listings are answered although a module is still silent */
    bool impatient;
    GQueue questions;     /* Question*: to other services, not sent yet */
    unsigned n_questions; /* sent and not answered */
    uid_t asked_for;
    struct Dispatch *dispatch;   /* whose call comes next */
    AuditCall *audit_call;       /* a walk along the audit chain is under way */
    struct Retention *retention; /* NULL: records are kept for ever */
    sd_event_source *tidy;       /* NULL at the beginning and at the end */
    struct PolkitWatch *polkit;  /* system bus only, as the next */
    struct Sessions *sessions;
    uint64_t authorisation_era; /* what polkit allowed in an earlier one is asked again */
    bool stopping;              /* nothing new is begun */
};

/* bus_address NULL: the system bus. */
int manager_new(const char *bus_address, Config *config, Manager **ret);
Manager *manager_free(Manager *m);
/* Exports the objects, claims the name, then looks at tokens and picks up unfinished consents. */
int manager_start(Manager *m);

/* HMAC-SHA256 under the installation's key, cut to 16 hex digits: an id that says nothing of what it names. */
char *manager_keyed_id(const Manager *m, const char *kind, const char *name);

/* A module was listed: whoever waits for it is answered. */
void manager_listed(Manager *m);

/* What is wrong and what to do, for the property Health: appends aa{sv}. */
int manager_append_health(Manager *m, sd_bus_message *reply);

#endif
