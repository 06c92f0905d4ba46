/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login that lasts: 256 random bits in the browser's cookie, their hash on record. A login always makes a new one, so
 * that nobody can leave a session of his choice in somebody's browser. Two limits end it: without use, and in all.
 */
#ifndef EONAY_PORTAL_SESSION_H
#define EONAY_PORTAL_SESSION_H

#include <stdbool.h>

#include "../store.h"
#include "login.h"

#define SESSION_TOKEN_SIZE 44
#define SESSION_TOUCH_USEC (30 * 1000000LL) /* use is recorded this seldom */

typedef struct SessionLimits {
    int64_t idle_usec;
    int64_t absolute_usec;
} SessionLimits;

typedef struct Session {
    char account[TCKN_LENGTH + 1]; /* "" when nobody is logged in */
    char name[LOGIN_PERSON_MAX];
    bool is_operator;
    int64_t created_at;
} Session;

/* Records a login, and who of those that ran out can go. is_operator is looked up. Error: STORAGE_FAILED. */
int session_open(Store *store, const LoginIdentity *identity, const SessionLimits *limits, int64_t now,
                 char ret_token[SESSION_TOKEN_SIZE], Session *ret);
/* Errors: NOT_FOUND (never was, or ran out), STORAGE_FAILED. */
int session_find(Store *store, const char *token, const SessionLimits *limits, int64_t now, Session *ret);
int session_end(Store *store, const char *token);

/* What a form of this session must bring along; nobody who has not the cookie can make it. */
void session_csrf(const char *token, char ret[SESSION_TOKEN_SIZE]);
bool session_csrf_valid(const char *token, const char *given);

#endif
