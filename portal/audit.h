/* SPDX-License-Identifier: Apache-2.0 */
/* What was done and by whom, for the operator. No code, no secret, no identity number: the actor is a keyed hash. */
#ifndef PORTAL_AUDIT_H
#define PORTAL_AUDIT_H

#include "portal.h"

typedef struct AuditEvent {
    const char *action;  /* "code-issued", "consent-signed", "login" … */
    const char *subject; /* identity number; recorded as its keyed hash only; NULL: unknown */
    const char *address; /* Request.address */
    const char *detail;  /* English, nothing personal; a receipt, a reason; NULL */
} AuditEvent;

/* Within a write. */
int audit_add(Portal *p, Store *store, const AuditEvent *event, int64_t now);
/* The actor under which this person is recorded, for searching: 16 hex digits. */
void audit_actor(Portal *p, const char *subject, char ret[17]);

#endif
