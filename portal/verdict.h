/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the authority itself finds about one signature. It trusts nobody's word that a signature is good: it compares
 * the signed bytes with those it stored, builds the chain, looks at the certificate, its revocation and the times.
 *
 * The certificate must be usable when the signature arrives: at this level no time stamp proves that it was made
 * earlier, and the few minutes of a code's life are all that can lie between.
 */
#ifndef PORTAL_VERDICT_H
#define PORTAL_VERDICT_H

#include "consent.h"
#include "redemption.h"

typedef struct Verdict {
    char subject[12]; /* the signer's identity number */
    uint8_t *certificate;
    size_t certificate_size;
    uint8_t fingerprint[32]; /* SHA-256 of the certificate */
    char *findings;          /* JSON, for the evidence */
    bool listed_good;        /* a current revocation list says so */
} Verdict;

/*
 * 0 when all holds. BACKEND_REJECTED: encoding, text, signature, chain, signing time. CERTIFICATE_*: the signature is
 * right, its certificate not usable. IDENTITY_MISMATCH: not the person of the consent. STORAGE_FAILED: the revocation
 * list is out of date. *ret is to be cleared in every case.
 */
int verdict_make(Portal *p, const Consent *c, const RedemptionText *text, const uint8_t *cms, size_t size, int64_t now,
                 Verdict *ret);
void verdict_clear(Verdict *v);
/* Adds what was found out elsewhere to the findings. */
void verdict_note(Verdict *v, const char *name, const char *found);

#endif
