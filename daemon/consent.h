/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One redeemed code: the texts to be signed, for one caller, while the code lives. The states and the ways between them
 * are the table in consent.c; signing.c walks a signature through them; submission.c delivers it.
 */
#ifndef EONAY_CONSENT_H
#define EONAY_CONSENT_H

#include "backend.h"
#include "client.h"
#include "fault.h"
#include "text.h"
#include "token.h"

typedef enum ConsentState {
    CONSENT_REVIEWING,
    CONSENT_AUTHORISING,
    CONSENT_CONFIRMING,
    CONSENT_AWAITING_PIN,
    CONSENT_SIGNING,
    CONSENT_VERIFYING,
    CONSENT_SUBMITTING,
    CONSENT_DONE,
    CONSENT_FAILED,
    CONSENT_CANCELLED,
    CONSENT_EXPIRED,
    N_CONSENT_STATES,
} ConsentState;

typedef struct Signing Signing;
typedef struct Submission Submission;
typedef struct Consent Consent;

/* Called once, when a Sign() that was accepted comes to its end, or the consent does. fault->code 0: done. */
typedef void (*ConsentHandler)(Consent *c, const Fault *fault, void *userdata);

struct Consent {
    Manager *manager;
    char *id;
    char *path;
    Client *owner; /* NULL after it left the bus, and for one taken up after a restart */
    User *user;    /* NULL likewise for a restart's */
    uid_t uid;
    Backend *backend;
    char *transaction, *requester, *purpose, *level, *subject; /* subject: "" whoever signs */
    uint64_t created_at, expires_at;                           /* the authority's clock */
    uint64_t deadline;                                         /* CLOCK_BOOTTIME: when the code dies */
    GPtrArray *texts;                                          /* Text* */
    ConsentState state;
    sd_event_source *expiry;
    Signing *signing;       /* while a Sign() is under way */
    Submission *submission; /* while it is delivered */
    char *idempotency_key;
    char *fingerprint; /* of the certificate that signed */
    uint64_t signed_at;
    GPtrArray *signatures; /* GBytes*: verified and recorded */
    char *receipt_id;
    uint64_t submitted_at;
    char *agent_name, *agent_path; /* the agent that was asked last; hears of the end */
    ConsentHandler ended;          /* SignConsent waits for it */
    void *userdata;
};

const char *consent_state_name(ConsentState s);
bool consent_state_is_final(ConsentState s);

/* Begins OpenConsent: redeems the code, checks the texts, records. The handler gets the consent, or NULL and the fault.
 */
typedef void (*ConsentOpened)(Consent *c, const Fault *fault, void *userdata);
typedef struct ConsentOpening ConsentOpening;
int consent_open(Client *owner, Backend *backend, const char *code, ConsentOpened handler, void *userdata);

void consent_free(Consent *c);
/* NULL when it does not exist or its opener is another connection. */
Consent *consent_find(Manager *m, const char *path, const Client *client);

/* Moves on; announces it to the opener. */
void consent_set_state(Consent *c, ConsentState state);
/* Microseconds the code still lives, 0 when dead. */
uint64_t consent_remaining(const Consent *c);
char *consent_subject_masked(const Consent *c);

/* Ends it without a signature: records, tells the authority, tells the opener. state is failed, cancelled or expired.
 */
void consent_end(Consent *c, ConsentState state, const Fault *fault);
/* A Sign() failed in a way that leaves the code alive: back to reviewing. */
void consent_reopen(Consent *c, const Fault *fault);
/* The opener's Finished signal, and whoever waits. */
void consent_finished(Consent *c, const Fault *fault);

/* Remembers which agent is asked, to tell it of the end. */
void consent_asks(Consent *c, const char *agent_name, const char *agent_path);

/* One line in the journal, with its ids. */
void consent_log_end(const Consent *c, const Fault *fault);

/* The opener left the bus, or asked to. An unsigned one is cancelled; a signed one is still delivered. */
void consent_abandon(Consent *c);
void consents_client_gone(Manager *m, Client *client);
void consents_token_gone(Manager *m, const Token *token);

/* Before sleep. How many signatures are past the point of no return; ends those that are not; gives up the others. */
unsigned consents_committed(Manager *m);
void consents_cancel_uncommitted(Manager *m);
void consents_stop_signing(Manager *m);

/* What a restart finds in the journal. */
void consents_recover(Manager *m);
/* Asks what became of those whose delivery was never answered; of one authority, or of all (NULL). */
void consents_settle(Manager *m, const Backend *only);

/* signing.c ------------------------------------------------------------------------------------------------------- */

typedef struct SignOptions {
    Certificate *certificate;
    char **accepted; /* SHA-256 of the texts the caller showed, or NULL */
    int pin_fd;      /* -1: none */
    bool allow_final_try;
    bool interactive; /* polkit may ask */
} SignOptions;

/* Everything that can be told at once; code 0 when it may start. */
Fault signing_check(const Consent *c, const SignOptions *options);
/* Only right after a good check. How it ends comes through consent_finished(), maybe before this returns. */
void signing_start(Consent *c, const SignOptions *options);
Signing *signing_free(Signing *s);
const Token *signing_token(const Signing *s);
/* Past the point of no return: the token may have signed. */
bool signing_committed(const Signing *s);
/* The journal says "signing": must be taken back when nothing was signed. */
bool signing_recorded(const Signing *s);

/* submission.c ---------------------------------------------------------------------------------------------------- */

/* Delivers the recorded signatures until the authority answers or the code is dead. */
void submission_start(Consent *c);
Submission *submission_free(Submission *s);

/* consent-bus.c --------------------------------------------------------------------------------------------------- */

int consents_export(Manager *m);
void consent_announce_state(Consent *c);
void consent_announce_finished(Consent *c, const Fault *fault);
/* Appends an a{sv}. */
int consent_append_details(Consent *c, sd_bus_message *m);
int consent_append_receipt(Consent *c, sd_bus_message *m);
/* Appends a(sssay). */
int consent_append_texts(Consent *c, sd_bus_message *m);

#endif
