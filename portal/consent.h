/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consent is what a redeemed code opened: the exact bytes to be signed, and the transaction secret under which the
 * signatures come. It lives as long as its code would have.
 *
 *   OPEN --submitted--> DONE            for good, with its receipt
 *     |---cancelled---> CANCELLED
 *     |---"Tekrar Kod Al" of its code---> SUPERSEDED
 *     `---time passes-> EXPIRED         not written down: the clock decides at each look
 */
#ifndef PORTAL_CONSENT_H
#define PORTAL_CONSENT_H

#include "consent-text.h"
#include "portal.h"

#define CONSENT_TEXTS_MAX     8
#define CONSENT_KEY_MAX       255 /* bytes of an idempotency key */
#define CONSENT_KEY_MIN       16
#define CONSENT_SIGNATURE_MAX (256u * 1024)

typedef struct Consent {
    int64_t id;
    EonayTransactionState state; /* as on record; consent_state() knows the time */
    char purpose[65];
    char subject[12]; /* "" when whoever signs may */
    char text_version[65];
    char undertaking_version[65];
    int64_t created_at;
    int64_t expires_at;
    char submission_key[CONSENT_KEY_MAX + 1];
    uint8_t submission_digest[32];
    char receipt_id[CONSENT_LABEL_SIZE];
    int64_t submitted_at;
    int64_t code_id;
    uint8_t redeem_key[SECRET_HASH_SIZE];
    bool has_redeem_key;
} Consent;

/* The first columns of CONSENT_FIND and its like. */
void consent_read(StoreRows *row, Consent *ret);
/* The hash under which a transaction is on record. Error: NOT_FOUND, for what cannot be one. */
int consent_hash(Portal *p, const char *transaction, uint8_t ret[SECRET_HASH_SIZE]);
/* These within a work. Error: NOT_FOUND. */
int consent_find(Portal *p, Store *store, const char *transaction, Consent *ret);
int consent_of_code(Store *store, int64_t code_id, Consent *ret);

EonayTransactionState consent_state(const Consent *c, int64_t now);
/* The error that a submission to a consent in this state gets; 0: it is open. */
int consent_refusal(const Consent *c, int64_t now);
/* Errors: NOT_FOUND, CODE_USED (signed already). */
int consent_cancel(Portal *p, Store *store, const char *transaction);

/* 16 to 255 visible ASCII characters. */
bool consent_key_valid(const char *key);

#endif
