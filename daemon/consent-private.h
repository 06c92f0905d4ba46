/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EONAY_CONSENT_PRIVATE_H
#define EONAY_CONSENT_PRIVATE_H

#include "consent.h"

/* id NULL: a new random one. In state reviewing, not in the manager's table yet. */
Consent *consent_new(Manager *m, const char *id);
/* Tells the authority that nothing will come. */
void consent_tell_authority(Consent *c);
/* remaining: microseconds the code lives. */
int consent_watch_expiry(Consent *c, uint64_t remaining);

#endif
