/* SPDX-License-Identifier: Apache-2.0 */
/* The card's contacts: a TCP connection to the virtual reader. Connected is inserted, closed is pulled. */
#ifndef VCARD_LINK_H
#define VCARD_LINK_H

#include "card.h"
#include "fault.h"

#include <netinet/in.h>
#include <stdio.h>

typedef struct Link {
    Card *card;
    Faults faults;
    struct sockaddr_in address;
    bool inserted;  /* as the script wants it */
    int fd;         /* -1: not in the reader */
    bool connected; /* the connection stands (it may still be on its way) */
    uint64_t again; /* when to try the connection once more */
    Buffer input;
    Buffer answer;      /* waits for `answer_at` */
    uint64_t answer_at; /* 0: none */
    uint64_t pull_at;   /* 0: none */
    FILE *log;          /* one line a command, never its data; NULL: none */
} Link;

uint64_t now_ms(void);

void link_init(Link *link, Card *card, struct in_addr host, uint16_t port);
void link_free(Link *link);
void link_insert(Link *link);
void link_pull(Link *link);

/* For poll(): the events wanted, and the ms until link_turn() must run (-1: never). */
short link_events(const Link *link);
int link_timeout(const Link *link);
void link_turn(Link *link, short happened);

#endif
