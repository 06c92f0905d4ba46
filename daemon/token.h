/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens and the modules they come from. A Module is one configured use of a token plugin (or a file of AddFile); it
 * has one host that lists. A Token has one host that signs, and a queue: signatures of several callers wait for their
 * turn.
 */
#ifndef EONAY_TOKEN_H
#define EONAY_TOKEN_H

#include "certificate.h"
#include "client.h"
#include "fault.h"
#include "host.h"
#include "module.h"

typedef struct Token Token;
typedef struct TokenTurn TokenTurn;

struct Token {
    Manager *manager;
    Module *module;
    char *path; /* object path */
    char *key;  /* EonayTokenInfo.key */
    char *label, *serial, *manufacturer, *model, *reader, *state;
    uint32_t flags, pin_min, pin_max, mechanisms;
    GPtrArray *certificates; /* Certificate*, borrowed */
    Host *signer;            /* NULL until first needed */
    GQueue turns;            /* TokenTurn*, waiting */
    TokenTurn *turn;         /* the one that has the token */
    TokenTurn *passed;       /* the one before it, whose answer is awaited */
    GHashTable *wrong_pins;  /* uid → count since insertion */
    bool credential_wrong;   /* the administrator's PIN was refused: not tried again until it is inserted anew */
    bool stand_in;           /* a card that no module reads: it says why, and can do nothing */
    bool seen;               /* in the listing being read */
    bool announced;
};

/* NULL when there is none, or it is another user's file. user NULL: public ones only. */
Token *token_find(Manager *m, const char *path, const User *user);
bool token_visible(const Token *t, const User *user);
const char *token_pin_state(const Token *t);
/* Made by the listing of its module; in the manager's table and the module's list. */
Token *token_new(Module *module, const char *key);
void token_free(Token *t);
/* Its host, made on first use. */
Host *token_signer(Token *t);
/* Takes over what a host said of the token ("a{sv}" HOST_TOKEN at the message's position; empty: no change). */
int token_update(Token *t, sd_bus_message *m);

/*
 * The token's turn. granted() is called once, maybe before token_wait() returns; until token_release() nobody else
 * signs. Next is who was served longest ago, first among users, then among the connections of one, so that one with
 * many requests does not starve the others. client may be NULL; both outlive the turn. Also called when the token goes
 * away, and is not to be found any more, and after QueueWaitMs= without a turn, which token_overdue() tells. BUSY when
 * too many wait.
 */
typedef void (*TokenGranted)(void *userdata);
int token_wait(Token *t, User *user, Client *client, TokenGranted granted, void *userdata, TokenTurn **ret);
/*
 * All that this turn has to say to the token's host is said: the next may send his, so that the host need not wait for
 * us between two signatures. At most one turn is so far ahead of the one that follows it.
 */
void token_pass(TokenTurn *turn);
/* What to tell who came when too many wait. */
Fault token_busy(const Token *t);
/* What to tell who was called because he has waited too long; no fault (code 0) if it is his turn. Accepts NULL. */
Fault token_overdue(const TokenTurn *turn);
/* Gives up the place or the token; accepts NULL. */
TokenTurn *token_release(TokenTurn *turn);

/* May this user try a PIN? 0, or PIN_LOCKED, PIN_FINAL_TRY, PIN_FEW_TRIES_LEFT. */
int token_may_try(const Token *t, const User *user, const char *fingerprint, bool allow_final_try);
/* Counts a wrong PIN. */
void token_wrong_pin(Token *t, const User *user);
void token_right_pin(Token *t, const User *user);

/* The D-Bus face (token-bus.c). */
int tokens_export(Manager *m);
/* The token and its certificates, those that were not announced yet. */
void token_announce(Token *t);
void token_announce_gone(Token *t);
void token_announce_change(Token *t);

#endif
