/* SPDX-License-Identifier: Apache-2.0 */
/* A token: what a slot holds at this moment, under a name that survives pulling it out and putting it in again. */
#ifndef EONAY_TOKEN_PKCS11_TOKEN_H
#define EONAY_TOKEN_PKCS11_TOKEN_H

#include "pkcs11.h"

typedef struct Token {
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    char key[TOKEN_KEY_SIZE]; /* manufacturer/model/serial/label, with #slot behind it where two tokens are equal */
} Token;

typedef struct TokenTable {
    size_t n;
    Token tokens[TOKENS_MAX];
} TokenTable;

/*
 * All initialised tokens that the instance's MatchLabel= and MatchSerial= let through. A slot that fails is left out.
 * *ret is malloc()ed. Errors: PLUGIN_FAILED and whatever C_GetSlotList means.
 */
int token_table_read(Pkcs11 *c, TokenTable **ret);
/* Finds a token by its key. Error: TOKEN_REMOVED. */
int token_find(Pkcs11 *c, const char *key, Token *ret);
/* Reads the token of a slot anew; the key is kept. */
CK_RV token_refresh(const Pkcs11 *c, Token *token);

/* Hands the token to the visitor. `state` is NULL when all is well. */
int token_visit(const Pkcs11 *c, const Token *token, const char *state, const EonayTokenVisitor *visitor);

/* True when the PIN is entered elsewhere: the token says so, unless ForcePinPad= says otherwise. */
bool token_has_pinpad(const Pkcs11 *c, const Token *token);
/* PIN tries left as far as the flags tell: 0, 1, 2, or -1 for unknown. */
int token_tries_left(const Token *token);
/* The token's own limits of the PIN's length in bytes, 0 for what it does not tell or tells wrong. */
void token_pin_limits(const Token *token, size_t *ret_min, size_t *ret_max);

#endif
