/* SPDX-License-Identifier: Apache-2.0 */
/* A PIV card (NIST SP 800-73-4, part 2): what it holds, what it remembers while powered, and its answer to one APDU.
 * It knows nothing of readers, sockets or time; faults are laid over it by the link. */
#ifndef VCARD_CARD_H
#define VCARD_CARD_H

#include "apdu.h"
#include "key.h"
#include "reference.h"

typedef enum SlotName {
    SLOT_9A, /* authentication: PIN once */
    SLOT_9C, /* signature: PIN before every use */
    SLOT_9D, /* key management: PIN once */
    SLOT_9E, /* card authentication: no PIN */
    SLOT_COUNT,
} SlotName;

typedef struct Slot {
    EVP_PKEY *key;
    Buffer certificate; /* DER */
} Slot;

enum { GUID_SIZE = 16 };

typedef struct Card {
    Slot slots[SLOT_COUNT];
    References references;
    uint8_t guid[GUID_SIZE]; /* what OpenSC takes as the serial number */
    Buffer atr;
    bool application; /* false: a card without the PIV application, which no module knows */
    bool strict;      /* 9C: the PIN is forgotten at any command but the signature right after it */

    /* until power goes */
    bool powered;
    unsigned power_ups; /* since it was inserted: none means that the reader has not noticed it yet */
    bool selected;
    bool verified; /* the PIN, for 9A and 9D */
    bool fresh;    /* the PIN, for one use of 9C */
    Buffer chain;  /* data of a command whose last part is still to come */
    Buffer rest;   /* of an answer, for GET RESPONSE */

    /* for tests: how often the card was asked */
    unsigned verifies;
    unsigned verifies_failed;
    unsigned signatures;
    unsigned apdus;
} Card;

void card_init(Card *card);
void card_free(Card *card);

/* 0x9A, 0x9C, 0x9D, 0x9E; false for others. */
bool card_slot(uint8_t reference, SlotName *ret);
/* Historical bytes (at most 15) into an ATR for T=1 with its check byte. */
void card_set_history(Card *card, Bytes history);

/* Power on, off or reset: whatever lives until power goes is forgotten. */
void card_reset(Card *card);
/* Answers one command; always appends at least a status word. */
void card_transmit(Card *card, Bytes message, Buffer *answer);

/* objects.c: GET DATA. Returns SW_OK with the object appended. */
uint16_t card_object(const Card *card, Bytes tag, Buffer *answer);
/* The answer to SELECT. */
void card_application(Buffer *answer);
bool card_application_matches(Bytes identifier);
/* authenticate.c */
uint16_t card_authenticate(Card *card, const Apdu *apdu, Buffer *answer);

#endif
