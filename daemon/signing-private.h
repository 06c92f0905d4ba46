/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of one Sign() share: signing.c begins and ends it, signing-ask.c asks, signing-token.c signs,
 * signing-level.c sees to the level. */
#ifndef EONAY_SIGNING_PRIVATE_H
#define EONAY_SIGNING_PRIVATE_H

#include "agent.h"
#include "authorise.h"
#include "consent.h"
#include "host.h"
#include "material.h"
#include "pinpipe.h"
#include "raise.h"
#include "stamp.h"

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
    bool by_agent;            /* the PIN comes from the agent */
    bool by_credential;       /* … from the administrator: the token host reads it itself */
    uint64_t confirmed_at;    /* the texts, microseconds UTC */
    const char *confirmed_by; /* AGENT_KIND_* */
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
    CadesLevel level;
    Collection *collection; /* whether the certificate stands, before */
    Stamp *probe;           /* whether somebody would stamp */
    Raise *raise;           /* the way up to the level, after */
    bool sent_again;        /* after the host died of somebody else's signature */
};

/* The end of this Sign(). Frees s. */
void signing_fail(Signing *s, const Fault *fault);
void signing_fail_code(Signing *s, int code);

/* signing-ask.c: asks polkit, then the person; ends in signing_take_token(). */
void signing_authorise(Signing *s);
/* What comes after polkit and what the level needs. */
void signing_confirm(Signing *s);
/* Asks for the PIN (again). */
void signing_ask_pin(Signing *s);

/* signing-token.c: the PIN is there, or is typed at the reader. */
void signing_take_token(Signing *s);
/* Undoes everything of one try with the token; the next try begins anew. */
void signing_clear_try(Signing *s);
/* The signatures are at their level: records them, then submits. */
void signing_record(Signing *s);

/* signing-level.c: before, ends in signing_confirm(); after, in signing_record(). */
void signing_prepare_level(Signing *s);
void signing_raise(Signing *s);
void signing_level_clear(Signing *s);

#endif
