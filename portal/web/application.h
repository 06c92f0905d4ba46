/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application for a qualified certificate, made without a form because an E-Onay approval is on record (section 3.8
 * of the process). A renewal is held until so many months before the present certificate's end. A person has at most
 * one that is under way.
 */
#ifndef EONAY_PORTAL_APPLICATION_H
#define EONAY_PORTAL_APPLICATION_H

#include <stdbool.h>

#include "../store.h"
#include "tckn.h"

#define APPLICATION_ID_SIZE      16 /* "B" and 14 letters and digits, and the end */
#define APPLICATION_LIST_MAX     100
#define APPLICATION_STEPS_MAX    16
#define APPLICATION_RECEIPT_SIZE 64

typedef enum ApplicationState {
    APPLICATION_HELD,
    APPLICATION_SUBMITTED,
    APPLICATION_IN_PRODUCTION,
    APPLICATION_COURIERED,
    APPLICATION_DELIVERED,
    APPLICATION_REJECTED,
    APPLICATION_STATE_COUNT,
} ApplicationState;

typedef struct Application {
    char id[APPLICATION_ID_SIZE];
    char account[TCKN_LENGTH + 1];
    bool is_renewal;
    ApplicationState state;
    char receipt_id[APPLICATION_RECEIPT_SIZE]; /* of the approval it rests on */
    unsigned char fingerprint[32];             /* of the certificate to be renewed */
    int64_t held_until;                        /* 0 when it is not held */
    int64_t created_at;
    int64_t moved_at;
} Application;

typedef struct ApplicationList {
    Application at[APPLICATION_LIST_MAX];
    size_t n;
} ApplicationList;

typedef struct ApplicationStep {
    ApplicationState state;
    int64_t at;
} ApplicationStep;

/* As in the records and on the command line: "in-production". */
const char *application_state_name(ApplicationState state);
bool application_state_parse(const char *name, ApplicationState *ret);
bool application_may_move(ApplicationState from, ApplicationState to);

/* Fills id, state and the moments, and records it; a renewal whose held_until has come already is not held. Error:
 * BUSY, when this person has one under way. */
int application_submit(Store *store, Application *a, int64_t now);
/* Errors: NOT_FOUND; UNSUPPORTED, when that state does not follow; BUSY, when it is held until later. */
int application_move(Store *store, const char *id, ApplicationState to, int64_t now);
int application_find(Store *store, const char *id, Application *ret);
int application_list(Store *store, const char *account, ApplicationList *ret);
/* Those that can be produced now, or are in that other state. */
int application_due(Store *store, ApplicationState state, int64_t now, ApplicationList *ret);
int application_steps(Store *store, const char *id, ApplicationStep ret[APPLICATION_STEPS_MAX], size_t *ret_n);

#endif
