/* SPDX-License-Identifier: Apache-2.0 */
/* What all threads share. Made by main.c before the first of them starts, never changed afterwards. */
#ifndef PORTAL_PORTAL_H
#define PORTAL_PORTAL_H

#include "config.h"
#include "request.h"
#include "secret.h"
#include "store.h"
#include "texts.h"

typedef struct Trust Trust;             /* trust.h */
typedef struct Revocation Revocation;   /* revocation.h */
typedef struct Clients Clients;         /* client.h */
typedef struct Responder Responder;     /* responder.h */
typedef struct CodeWatch CodeWatch;     /* code-watch.h */
typedef struct Publication Publication; /* publication.h */

struct Portal {
    Config *config;
    StorePool *stores;
    Secret secret;
    Trust *trust;
    Revocation *revocation;
    ConsentTexts *texts;
    Clients *clients;
    Publication *publication; /* NULL: no revocation lists are published */
    Responder *responder;     /* likewise; NULL: nobody is asked */
    CodeWatch *watch;         /* while the server runs: made and ended by server.c */
    void *web;                /* the pages' own, made by web_open() */
};

/* Opens everything the configuration names. The reason of a failure is logged. */
int portal_new(Config *config, Portal **ret);
Portal *portal_free(Portal *p);

/* The pages' part, in web.c: reads their sections of the configuration; 0, or an error that was logged. */
int web_open(Portal *p);
void web_close(Portal *p);
/* For a browser that asks for an address nobody has. */
Reply *web_no_such_page(Portal *p, Language language);

#endif
