/* SPDX-License-Identifier: Apache-2.0 */
/* The verification code: fifteen digits that open one consent, once. */
#ifndef CA_LOCAL_CODE_H
#define CA_LOCAL_CODE_H

#include <stdbool.h>

#include "ca.h"

#define CODE_DIGITS 15u
#define CODE_SIZE   (CODE_DIGITS + 1)

/* How many codes may be issued within one lifetime, so that nobody fills the disk with them. */
#define CODES_PER_LIFETIME_MAX 100000
/* How many dead codes are remembered at most; a day passes first in all usual cases. */
#define CODES_REMEMBERED_MAX 500000

typedef enum CodeState {
    CODE_ISSUED = 0,
    CODE_SPENT = 1,
    CODE_REPLACED = 2,
} CodeState;

/* A code on record. */
typedef struct Code {
    int64_t id;
    CodeState state;
    char purpose[CA_PURPOSE_MAX];
    char subject[CA_SUBJECT_SIZE]; /* "": whoever signs */
    int64_t created_at;
    int64_t expires_at;
} Code;

/* Fifteen ASCII digits. NULL is false. */
bool code_valid(const char *s);

/* Finds a code, of any state. Errors: CODE_UNKNOWN (not counted as a guess), STORAGE_FAILED. */
int code_find(Ca *ca, const char *digits, Code *ret);
/* 0 for a code that can be redeemed at that time, else why not: CODE_USED, CODE_SUPERSEDED, CODE_EXPIRED. */
int code_refusal(Ca *ca, const Code *code, int64_t now);
/* Spends the code. Error: CODE_USED, when another process was faster. */
int code_use(Ca *ca, const Code *code, int64_t now);

/* EonayCaOps.get_code. */
int code_get(Ca *ca, const EonayCodeRequest *request, EonayCode *ret);

#endif
