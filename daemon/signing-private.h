/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of one Sign() share: signing.c begins and ends it, signing-ask.c asks, signing-token.c signs. */
#ifndef EONAY_SIGNING_PRIVATE_H
#define EONAY_SIGNING_PRIVATE_H

#include "agent.h"
#include "authorise.h"
#include "consent.h"
#include "host.h"
#include "pinpipe.h"

struct Signing {
    Consent *consent;
    Token *token;
    GBytes *certificate;
    char *subject; /* of the certificate, for the agent */
    char *fingerprint;
    uint32_t mechanism;
    char **accepted;
    bool allow_final_try;
    bool interactive;
    bool by_agent; /* the PIN comes from the agent */
    unsigned attempts;
    int tries_left;
    int pin_fd; /* the caller's, until it is waited for */

    Authorisation *authorisation;
    AgentCall *agent_call;
    PinPipe *pin;
    TokenTurn *turn;
    HostCall *login, *sign;
    uint64_t request;       /* names Login and Sign towards the host */
    GPtrArray *cades;       /* Cades*, one a text */
    uint64_t signing_time;  /* seconds */
    bool pin_by_pipe;       /* nobody has to look at a reader: the next signature may be sent ahead */
    bool recorded;          /* the journal says "signing" */
    bool sign_sent;         /* no way back */
    sd_event_source *doubt; /* was the card pulled? */
    Fault doubted;          /* what the module says */
    bool record_durable;    /* … and it is on disk */
    bool sent_again;        /* after the host died of somebody else's signature */
};

/* The end of this Sign(). Frees s. */
void signing_fail(Signing *s, const Fault *fault);
void signing_fail_code(Signing *s, int code);

/* signing-ask.c: asks polkit, then the person; ends in signing_take_token(). */
void signing_authorise(Signing *s);
/* Asks for the PIN (again). */
void signing_ask_pin(Signing *s);

/* signing-token.c: the PIN is there, or is typed at the reader. */
void signing_take_token(Signing *s);
/* Undoes everything of one try with the token; the next try begins anew. */
void signing_clear_try(Signing *s);

#endif
