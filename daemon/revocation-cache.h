/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation answers that were verified, kept while they are current, by what they are about; and what they said of
 * each certificate, for listings, which ask nobody.
 */
#ifndef EONAY_REVOCATION_CACHE_H
#define EONAY_REVOCATION_CACHE_H

#include <glib.h>

#include "revocation.h"

typedef struct RevocationCache RevocationCache;

RevocationCache *revocation_cache_new(void);
RevocationCache *revocation_cache_free(RevocationCache *c);

/* A reference, or NULL. now: seconds UTC. */
GBytes *revocation_cache_get(RevocationCache *c, const char *key, int64_t now);
/* until: its nextUpdate, 0: it is not kept. */
void revocation_cache_put(RevocationCache *c, const char *key, GBytes *answer, int64_t until);

/* What is known of a certificate now, by its fingerprint; REVOCATION_UNKNOWN when nothing is. */
RevocationStatus revocation_cache_status(RevocationCache *c, const char *fingerprint, int64_t now);
void revocation_cache_tell(RevocationCache *c, const char *fingerprint, const RevocationAnswer *answer);

#endif
