/* SPDX-License-Identifier: Apache-2.0 */
/* A consent of the daemon as its opener sees it: texts, one or more attempts to sign, the signatures and the receipt.
 */
#ifndef EONAYCTL_CONSENT_H
#define EONAYCTL_CONSENT_H

#include <jansson.h>

#include "ctl.h"
#include "terminal.h"

typedef struct Consent {
    Ctl *ctl;
    char *path;
    json_t *details;
    GPtrArray *texts; /* ConsentText* */
    char *state;      /* as the daemon tells it */
    bool ended;       /* Finished came: for the running attempt, or for the consent as a whole */
    bool success;
    char *error;    /* full error name when not success */
    json_t *result; /* State, Retriable, TriesLeft … */
} Consent;

/* Opens, follows the signals, reads details and texts. Return 0 or a CtlExit after saying why. */
int consent_open(Ctl *ctl, const char *code, const char *backend, Consent *c);
void consent_clear(Consent *c);

/* One attempt. pin_fd: -1 for none (a keypad or the agent asks); accept: the texts were shown and confirmed here. */
typedef struct ConsentSign {
    const char *certificate;
    bool accept;
    int pin_fd;
    bool allow_final_try;
} ConsentSign;

/* Asks for the attempt and waits for its end, telling the state on the terminal. 0: see c->success; or a CtlExit. */
int consent_sign(Consent *c, const ConsentSign *how, Terminal *terminal);
/* Says why the last attempt, or the whole consent, failed. Returns the CtlExit. */
int consent_report(const Consent *c);
/* For Ctrl-C and errors: tells the daemon at once, best effort. */
void consent_cancel(Consent *c);

/* The CMS of one text, and the receipt. Return 0 or a CtlExit after saying why. */
int consent_signature(Consent *c, unsigned index, GBytes **ret);
int consent_receipt(Consent *c, json_t **ret);

#endif
