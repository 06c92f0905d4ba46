/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSP (RFC 6960) for signers' certificates: the responder that the certificate names, else the configured one, is
 * asked over HTTP by one thread that has all questions on their way at once. A request that waits for an answer holds
 * no worker thread, so slow responders hold up nobody else.
 *
 * An answer that counts is believed for RESPONDER_BELIEVED_SECONDS; of a responder that gave none, that is believed for
 * RESPONDER_SILENT_SECONDS. What silence means is the caller's to decide.
 */
#ifndef PORTAL_RESPONDER_H
#define PORTAL_RESPONDER_H

#include "portal.h"

#define RESPONDER_BELIEVED_SECONDS 60
#define RESPONDER_SILENT_SECONDS   5
#define RESPONDER_QUESTIONS_MAX    256 /* on their way at a time; further ones are silence */
#define RESPONDER_ANSWER_MAX       (64 * 1024)

typedef struct Responder Responder;

typedef enum ResponderState {
    RESPONDER_NONE, /* there is nobody to ask */
    RESPONDER_GOOD,
    RESPONDER_SUSPENDED,
    RESPONDER_REVOKED,
    RESPONDER_SILENT, /* no answer, or none that counts: the log says why */
    RESPONDER_LATER,  /* the request was given away: return NULL, and ask again when it comes back */
} ResponderState;

/* Does nothing where OcspSeconds=0. */
int responder_start(Portal *portal, Responder **ret);
/* Ends all questions with silence; nothing is asked afterwards. */
void responder_close(Responder *r);
Responder *responder_stop(Responder *r); /* after responder_close() */

/* The certificate of a signature that holds, DER; its fingerprint is SHA-256. Any thread. */
ResponderState responder_ask(Responder *r, Request *request, const uint8_t *certificate, size_t size,
                             const uint8_t fingerprint[32]);
const char *responder_name(ResponderState state);

#endif
