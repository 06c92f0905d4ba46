/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches PC/SC in a thread of its own, which sleeps in libpcsclite or in pcsc_service_wait(), and tells what has
 * changed.
 */
#ifndef EONAY_HOST_PCSC_WATCH_H
#define EONAY_HOST_PCSC_WATCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define PCSC_ATR_MAX 36u

typedef struct PcscReader {
    char *name;
    bool present;
    bool pinpad;
    uint8_t atr[PCSC_ATR_MAX]; /* of no bytes for a card that does not answer */
    size_t atr_size;
} PcscReader;

/* How PC/SC was at one moment. */
typedef struct PcscNews {
    const char *state;  /* as in host-protocol.h: "ok", "no-service", "refused" */
    GPtrArray *readers; /* PcscReader* */
} PcscNews;

typedef struct PcscWatch PcscWatch;

/* Begins. `run`: a descriptor of the /run that pcscd is in; taken over. Lives until the process ends. */
int pcsc_watch_new(int run, PcscWatch **ret);
/* Readable when there are news. */
int pcsc_watch_fd(const PcscWatch *w);
/* The oldest news not yet taken, NULL when there are none. */
PcscNews *pcsc_watch_take(PcscWatch *w);
PcscNews *pcsc_news_free(PcscNews *n);
/* Looks at everything anew: what differs becomes news. */
void pcsc_watch_rescan(PcscWatch *w);

#endif
