/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A submission may be sent again and again, to any instance, since its sender cannot know whether an answer that never
 * came was lost on its way back. Its idempotency key and the digest of its signatures are kept with the consent: the
 * same ones get the same receipt for ever, and nothing is recorded twice.
 */
#ifndef PORTAL_SUBMISSION_H
#define PORTAL_SUBMISSION_H

#include "consent.h"

typedef struct Submission {
    const char *transaction;
    const char *key; /* consent_key_valid() */
    GBytes *signatures[CONSENT_TEXTS_MAX];
    size_t n;
} Submission;

#define SUBMISSION_LATER (-1) /* the request waits for a responder: return NULL, it comes again */

/* Errors: NOT_FOUND, CODE_*, CANCELLED, ALREADY_APPROVED, REVOCATION_UNKNOWN, STORAGE_FAILED, and those of
 * verdict_make(). */
int submission_take(Request *r, const Submission *submission, Consent *ret);

#endif
