/* SPDX-License-Identifier: Apache-2.0 */
/* A redeemed consent on record, open until it is signed, cancelled, superseded or too late. */
#ifndef CA_LOCAL_CONSENT_H
#define CA_LOCAL_CONSENT_H

#include <openssl/sha.h>

#include "ca.h"
#include "label.h"

typedef struct Consent {
    int64_t id;
    EonayTransactionState state; /* as stored; see consent_state() */
    char purpose[CA_PURPOSE_MAX];
    char subject[CA_SUBJECT_SIZE]; /* "": whoever signs */
    char text_version[TEXT_VERSION_MAX + 1];
    int64_t created_at;
    int64_t expires_at;
    /* when done: */
    char submission_key[CA_IDENTIFIER_MAX + 1];
    uint8_t submission_digest[SHA256_DIGEST_LENGTH];
    char receipt_id[LABEL_SIZE];
    int64_t submitted_at;
} Consent;

/* Errors: NOT_FOUND, STORAGE_FAILED. */
int consent_find(Ca *ca, const char *transaction, Consent *ret);
/* The state at that time: an open consent past its time is expired. */
EonayTransactionState consent_state(const Consent *c, int64_t now);
void consent_receipt(const Ca *ca, const Consent *c, EonayReceipt *ret);

/* EonayCaOps.status and cancel. Cancelling what is dead already succeeds; what is signed cannot be taken back here:
 * CODE_USED. */
int consent_status(Ca *ca, const char *transaction, EonayTransactionState *ret_state, EonayReceipt *ret);
int consent_cancel(Ca *ca, const char *transaction);

#endif
