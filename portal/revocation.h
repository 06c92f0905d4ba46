/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists (RFC 5280 section 5) in files that something else renews; each is believed when a certificate of
 * TrustAnchors= or Intermediates= signed it, and read again when it changed. OCSP is in responder.h.
 */
#ifndef PORTAL_REVOCATION_H
#define PORTAL_REVOCATION_H

#include "trust.h"

typedef struct Revocation Revocation;

typedef enum RevocationState {
    REVOCATION_UNLISTED,  /* no list of its issuer is configured */
    REVOCATION_GOOD,      /* a current list of its issuer does not name it */
    REVOCATION_SUSPENDED, /* certificateHold */
    REVOCATION_REVOKED,
    REVOCATION_STALE, /* the list of its issuer is out of date: cannot be told */
} RevocationState;

/* paths: ';' separated, may be NULL. The reason of a failure is logged. */
int revocation_new(const char *paths, const Trust *trust, Revocation **ret);
Revocation *revocation_free(Revocation *r);
/* Reads again what changed; a damaged file leaves the list before in force, until it is out of date. */
void revocation_refresh(Revocation *r);
/* seconds UTC. Any thread. */
RevocationState revocation_check(Revocation *r, const uint8_t *certificate, size_t size, int64_t at);
const char *revocation_name(RevocationState state);

#endif
