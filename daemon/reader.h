/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Card readers. One host watches PC/SC and tells; nothing here polls. A card that goes takes its tokens with it at
 * once, before any module has noticed; a card that comes makes the modules look that know such cards (definition.h).
 */
#ifndef EONAY_READER_H
#define EONAY_READER_H

#include <stdbool.h>

#include "host.h"
#include "manager.h"

typedef struct Reader {
    struct Readers *readers;
    char *name; /* PC/SC */
    char *path;
    bool present; /* a card is in it */
    bool pinpad;
    GBytes *atr;         /* NULL without a card */
    unsigned generation; /* cards seen */
    bool seen;
} Reader;

typedef struct Readers Readers;

/* Does nothing when readers are switched off in the configuration. */
int readers_new(Manager *m, Readers **ret);
Readers *readers_free(Readers *r);
/* Begins to watch. */
void readers_start(Readers *r);
/* Before sleep: the host ends. readers_start() begins anew. */
void readers_stop(Readers *r);
/* Tries pcscd again, for Refresh. */
void readers_rescan(Readers *r);
/* It is not known yet which readers there are. */
bool readers_pending(const Readers *r);
/* NULL when there is none of that PC/SC name. */
Reader *reader_find(Readers *r, const char *name);
/* Calls visit for each reader with a card. */
typedef void (*ReaderVisitor)(Reader *reader, void *userdata);
void readers_visit_cards(Readers *r, ReaderVisitor visit, void *userdata);
/* What is wrong with PC/SC, and what to do; the code stands in the documentation of Manager.Health. False: nothing is.
 */
typedef struct ReadersProblem {
    const char *code;
    const char *text, *hint; /* in the daemon's language */
} ReadersProblem;
bool readers_problem(const Readers *r, ReadersProblem *ret);

/* The D-Bus face (reader-bus.c). */
int readers_export(Manager *m);
void reader_announce(Manager *m, Reader *reader);
void reader_announce_gone(Manager *m, Reader *reader);
void reader_announce_change(Manager *m, Reader *reader);
/* Object path → Reader. */
GHashTable *readers_table(Readers *r);

#endif
