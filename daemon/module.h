/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module: one use of a token plugin, from a [Token NAME] section, from a module definition that knows the card just
 * inserted, or for a file of AddFile. It has one host, which lists.
 */
#ifndef EONAY_MODULE_H
#define EONAY_MODULE_H

#include "client.h"
#include "definition.h"
#include "fault.h"
#include "host.h"

typedef struct Module Module;
struct Token;

/* Called when the module was listed, or could not be. Once. */
/* module NULL: it went away before it was listed. */
typedef void (*ModuleHandler)(Module *module, const Fault *fault, void *userdata);

struct Module {
    Manager *manager;
    const Manifest *manifest;
    InstanceConfig *instance; /* borrowed from the configuration; owned for a file or a definition */
    bool owns_instance;
    GHashTable *files; /* of a file: key → fd+1; NULL else */
    Client *owner;     /* of a file: who added it; NULL else */
    Host *lister;
    HostCall *listing;            /* under way */
    sd_event_source *retry;       /* the next try, after its process died */
    GPtrArray *tokens;            /* Token*, borrowed: the manager's table owns them */
    Fault fault;                  /* of the last listing */
    bool listed;                  /* at least once, well or not */
    bool list_again;              /* something changed while it was listing */
    bool outdated;                /* a card went while it was listing: the answer may still name it */
    const Definition *definition; /* NULL: it is of none */
    bool configured;              /* by a [Token NAME] section */
    ModuleHandler handler;
    void *userdata;
};

/* Makes the modules of the configuration. Ones whose plugin is unknown get a fault. */
void modules_configure(Manager *m);
/* The one of a section that is new. */
Module *module_configure(Manager *m, InstanceConfig *instance);
/* Puts the definitions that sections name into them. */
void modules_fill_sections(const Manager *m, const Config *config);
void module_free(Module *module);
/* Looks at its tokens again. handler may be NULL. A listing under way serves both. */
void module_list(Module *module, int secret_fd, ModuleHandler handler, void *userdata);
/* Lists again, and starts its processes again however often they have died. */
void module_retry(Module *module);
/* One of its processes keeps dying and is left alone. */
bool module_quarantined(const Module *module);
bool modules_listing(const Manager *m);

/* A PKCS#12 file: a module of its own with one token. Takes ownership of fd. */
int module_new_file(Client *owner, const char *label, int fd, Module **ret, sd_bus_error *error);
/* Removes it and its tokens. */
void module_remove(Module *module);

/* ATR of a card that was inserted, or readers that came and went: the modules that may know them look again. */
void modules_cards_changed(Manager *m);
/* The card in that reader is gone: its tokens go at once. */
void modules_card_gone(Manager *m, const char *reader);
/* After listings: a card that no module gave a token for is shown with the reason. */
void modules_show_unread_cards(Manager *m);
/* Ends every host of tokens, before sleep. */
void modules_stop(Manager *m);
/* A module of a definition, made when first needed. */
Module *module_of_definition(Manager *m, const Definition *d);
/* Takes a token off; whoever signs with it gets TokenRemoved. */
void module_drop_token(Module *module, struct Token *t);

#endif
