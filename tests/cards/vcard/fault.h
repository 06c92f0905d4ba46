/* SPDX-License-Identifier: Apache-2.0 */
/* Faults laid over a good card: what happens to which command, how often. */
#ifndef VCARD_FAULT_H
#define VCARD_FAULT_H

#include "apdu.h"

typedef enum FaultKind {
    FAULT_PULL,    /* the card leaves the reader, `value` ms after the command arrived */
    FAULT_MUTE,    /* the command is never answered */
    FAULT_SLOW,    /* the answer comes `value` ms later */
    FAULT_STATUS,  /* the command is not run, `value` is the status word */
    FAULT_GARBAGE, /* the command is not run, `value` bytes of nonsense come back */
} FaultKind;

enum { FAULT_ANY_INS = -1, FAULTS_MAXIMUM = 16 };

typedef struct Fault {
    FaultKind kind;
    int ins;        /* FAULT_ANY_INS: every command */
    unsigned value; /* see the kinds */
    unsigned skip;  /* so many matching commands pass first */
    unsigned times; /* 0: until cleared */
} Fault;

typedef struct Faults {
    Fault entry[FAULTS_MAXIMUM];
    size_t count;
} Faults;

/* What the faults make of one command. */
typedef struct Verdict {
    bool mute;
    bool pull;
    bool replaced; /* `answer` stands instead of the card's */
    unsigned pull_after;
    unsigned delay;
    Buffer answer;
} Verdict;

/* False when there are too many. */
bool faults_add(Faults *faults, Fault fault);
void faults_clear(Faults *faults);
/* Counts the command against every fault that matches. Parts of a chain count for faults on any command only. */
Verdict faults_judge(Faults *faults, Bytes message);
/* "any", "sign", "verify", "select", "get-data", "change", "unblock" or a number such as 0x87. */
bool fault_ins(const char *name, int *ret);

#endif
