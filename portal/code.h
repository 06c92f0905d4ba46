/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification codes: fifteen digits drawn evenly, the first not 0; one use; dead after their lifetime. A code is bound
 * to its purpose, to the person it was given to, and to the versions of the texts he accepted. The records have its
 * keyed hash only.
 */
#ifndef PORTAL_CODE_H
#define PORTAL_CODE_H

#include "portal.h"

#define CODE_DIGITS     15
#define CODE_SIZE       (CODE_DIGITS + 1)
#define CODE_LIVING_MAX 3 /* codes of one account and purpose that may be alive, redeemed ones included */

#define PURPOSE_NES_APPLICATION "e-onay.nes-application"
#define PURPOSE_PIN_CREATE      "pin.create"
#define PURPOSE_PIN_UNBLOCK     "pin.unblock"

typedef enum CodeState {
    CODE_ISSUED = 0,
    CODE_USED = 1,
    CODE_SUPERSEDED = 2,
} CodeState;

/* What a new code is bound to. */
typedef struct CodeRequest {
    const char *purpose; /* one of the above */
    const char *subject; /* T.C. identity number; NULL: whoever signs */
    /* Whose login asked for it: 32 bytes, secret_hash(…, "account", identity number). NULL: nobody's. A new code of an
     * account and purpose supersedes its older ones ("Tekrar Kod Al"), with the unsigned consents they opened. */
    const uint8_t *account;
    const char *undertaking_version; /* what was accepted; NULL: the configured one */
} CodeRequest;

typedef struct IssuedCode {
    int64_t id;             /* for code_status() */
    char digits[CODE_SIZE]; /* erase after use */
    int64_t created_at;
    int64_t expires_at;
} IssuedCode;

/* Errors: UNSUPPORTED (purpose), SUBJECT_INVALID, ALREADY_APPROVED, STORAGE_FAILED. */
int code_issue(Portal *p, Store *store, const CodeRequest *request, int64_t now, IssuedCode *ret);
/* The same within a write. *ret_error as above; 0 is returned to keep what was recorded. */
int code_issue_within(Portal *p, Store *store, const CodeRequest *request, int64_t now, int64_t expires_at,
                      IssuedCode *ret);

/* Whether a code may be given for this: 0, UNSUPPORTED, SUBJECT_INVALID, ALREADY_APPROVED. Within a work. */
int code_check(Portal *p, Store *store, const CodeRequest *request);

/* What became of a code: for the page that shows it and notices completion by itself. */
typedef enum CodeProgress {
    CODE_PROGRESS_WAITING, /* not used yet */
    CODE_PROGRESS_OPENED,  /* redeemed, not signed yet */
    CODE_PROGRESS_DONE,    /* signed: receipt_id is set */
    CODE_PROGRESS_EXPIRED,
    CODE_PROGRESS_CANCELLED,
    CODE_PROGRESS_SUPERSEDED,
} CodeProgress;

typedef struct CodeStatus {
    CodeProgress progress;
    int64_t expires_at;
    char receipt_id[32];
} CodeStatus;

/* Error: NOT_FOUND. */
int code_status(Store *store, int64_t id, int64_t now, CodeStatus *ret);

/* A code as it is on record. */
typedef struct Code {
    int64_t id;
    CodeState state;
    char purpose[65];
    char subject[12]; /* "" when bound to nobody */
    char text_version[65];
    char undertaking_version[65];
    int64_t created_at;
    int64_t expires_at;
} Code;

/* Exactly fifteen digits. */
bool code_valid(const char *digits);
/* These within a work. Error: CODE_UNKNOWN. */
int code_find(Portal *p, Store *store, const char *digits, Code *ret);
int code_find_hash(Store *store, const uint8_t hash[SECRET_HASH_SIZE], Code *ret);
/* Spends it, and says what it was. Errors: CODE_UNKNOWN, and those of code_refusal(), with *ret filled in. */
int code_use(Portal *p, Store *store, const char *digits, int64_t now, Code *ret);
/* 0, or why it opens nothing: CODE_SUPERSEDED, CODE_USED, CODE_EXPIRED. */
int code_refusal(const Code *code, int64_t now);
/* Kills it and the unsigned consent it opened. */
int code_supersede(Store *store, int64_t code_id);

#endif
