/* SPDX-License-Identifier: Apache-2.0 */
/* A code turned into a consent: its texts, against its one use. */
#ifndef CA_LOCAL_REDEMPTION_H
#define CA_LOCAL_REDEMPTION_H

#include "ca.h"

/* EonayCaOps.redeem. */
int redemption_make(Ca *ca, const char *digits, EonayRedemption *ret);

#endif
