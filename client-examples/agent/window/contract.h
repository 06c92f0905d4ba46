/* SPDX-License-Identifier: Apache-2.0 */
/* What the contract page shows: who asks, the texts, the certificate, the PIN's state and the time that is left. */
#ifndef EONAY_AGENT_CONTRACT_H
#define EONAY_AGENT_CONTRACT_H

#include <gio/gio.h>

typedef enum PinEntry {
    PIN_ENTRY_AGENT,  /* here */
    PIN_ENTRY_READER, /* the reader's own keypad */
    PIN_ENTRY_CALLER, /* the program brought it */
} PinEntry;

typedef struct ContractText {
    char *title; /* harmless, one line; may be empty */
    char *sha256;
    GBytes *bytes;
} ContractText;

/* One certificate to choose from. */
typedef struct Choice {
    char *path, *token;
    char *name, *issuer;
    gint64 not_after;
    char *token_label;
    gboolean pinpad, final_try, locked;
    guint pin_min, pin_max; /* 0 unknown */
} Choice;

typedef struct Contract {
    char *requester; /* as the authority names it */
    char *caller;    /* the local program as far as known; NULL when it is this window */
    char *subject;   /* masked identity number, or NULL */
    char *certificate, *token_label;
    GPtrArray *texts;  /* ContractText*; empty when the caller showed them itself */
    char **hashes;     /* of the texts, or NULL */
    gint64 created_at; /* of the authority's clock, microseconds UTC */
    gint64 deadline;   /* g_get_monotonic_time() */
    gint tries_left;   /* -1 unknown */
    gboolean final_try;
    guint min_length, max_length; /* of the PIN, 0 unknown */
    PinEntry pin_entry;
    GPtrArray *choices;   /* Choice*, or NULL when the certificate is given */
    gboolean none_usable; /* there are certificates, but none to choose */
    char *problem;        /* what went wrong before, or NULL */
} Contract;

/* From the details of Agent or of Consent.GetDetails (a{sv}); what is missing stays at its default. */
Contract *contract_new(GVariant *details);
Contract *contract_free(Contract *c);
/* a(sssay). Returns 0, EONAY_ERROR_TEXT_MISMATCH or EONAY_ERROR_TEXT_UNSAFE. */
int contract_take_texts(Contract *c, GVariant *texts);
/* Whole seconds, 0 when past. */
guint contract_seconds_left(const Contract *c);

void choice_free(gpointer choice);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Contract, contract_free)

#endif
