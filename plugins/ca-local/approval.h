/* SPDX-License-Identifier: Apache-2.0 */
/* The record that a person approved a text. It is kept for good. */
#ifndef CA_LOCAL_APPROVAL_H
#define CA_LOCAL_APPROVAL_H

#include "ca.h"
#include "consent.h"

/* 0 when this person may consent to the present text: nothing on record, or repeats are allowed. Error:
 * ALREADY_APPROVED. */
int approval_absent(Ca *ca, const char *subject);
/* As approval_absent(), for the text version of one consent. */
int approval_absent_for(Ca *ca, const char *subject, const char *text_version);
/* Writes the approval of a signed consent down, inside its transaction. */
int approval_record(Ca *ca, const Consent *c, const char *subject);

/* EonayCaOps.approval: the newest approval of this person. Error: SUBJECT_INVALID. */
int approval_get(Ca *ca, const char *subject, EonayApproval *ret);

#endif
