/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page with a code is for. The page of figure 7 is one for all: E-Onay and the operations on a card differ in
 * the purpose their code is bound to and in what the steps say.
 */
#ifndef EONAY_PORTAL_FLOW_H
#define EONAY_PORTAL_FLOW_H

#include "../code.h"
#include "visit.h"

typedef struct Flow {
    const char *name; /* /kod/NAME */
    const char *purpose;
    const char *title;
    const char *act;    /* what to do in the local program */
    const char *opened; /* what is waited for once it has the code */
    const char *back;   /* where it began */
    const char *done;   /* where the result is shown */
} Flow;

const Flow *flow_find(const char *name);

/* Records that this person accepted the present texts for that purpose. Error: STORAGE_FAILED. */
int flow_accept(Visit *v, const char *purpose);

/* Records what was accepted and issues a code for it, whose digits only this session can read again. Errors:
 * ALREADY_APPROVED, RATE_LIMITED, STORAGE_FAILED. */
int flow_begin(Visit *v, const Flow *flow);

typedef struct FlowCode {
    int64_t id;
    CodeStatus status;
    char digits[CODE_SIZE]; /* "" in another session than the one that asked for it */
} FlowCode;
/* The newest code of this person and flow. Error: NOT_FOUND. */
int flow_code(Visit *v, const Flow *flow, FlowCode *ret);

#endif
