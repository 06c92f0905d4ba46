/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redeeming spends the code and writes down the exact bytes that will be compared with what comes back signed, both in
 * one transaction.
 *
 * An answer can be lost. With an idempotency key the transaction secret is computed from the code and that key, so the
 * same request gets the same answer again, and none of it has to be stored; the key is the client's and as secret as
 * the answer.
 */
#ifndef PORTAL_REDEMPTION_H
#define PORTAL_REDEMPTION_H

#include "code.h"
#include "consent.h"

typedef struct RedemptionText {
    char *title;
    char *media_type;
    uint8_t *bytes;
    size_t size;
} RedemptionText;

typedef struct Redemption {
    char transaction[SECRET_LABEL_SIZE];
    Consent consent;
    RedemptionText texts[CONSENT_TEXTS_MAX];
    size_t n_texts;
    unsigned retry_after; /* with RATE_LIMITED */
} Redemption;

/* What the client can do with a code: a code for anything else is refused and not spent. */
typedef enum RedemptionOperation {
    REDEMPTION_SIGN = 1 << 0,
    REDEMPTION_PIN = 1 << 1,
} RedemptionOperation;
#define REDEMPTION_ANY (REDEMPTION_SIGN | REDEMPTION_PIN)

/* client: the name of a registered client, or NULL. key: the idempotency key, or NULL. operations: a set. Errors:
 * CODE_INVALID, CODE_UNKNOWN, CODE_USED, CODE_EXPIRED, CODE_SUPERSEDED, RATE_LIMITED, UNSUPPORTED (another operation's
 * code, which lives on), STORAGE_FAILED. */
int redemption_make(Request *r, const char *code, const char *key, const char *client, unsigned operations,
                    Redemption *ret);
void redemption_clear(Redemption *r);

/* Within a work: the texts of a consent; redemption_texts_clear() afterwards, whatever it returned. */
int redemption_texts(Store *store, int64_t consent_id, RedemptionText ret[CONSENT_TEXTS_MAX], size_t *ret_n);
/* One of them: title, media type and bytes from that column on. */
void redemption_text_read(StoreRows *rows, int column, RedemptionText *ret);
void redemption_texts_clear(RedemptionText *texts, size_t n);

#endif
