/* SPDX-License-Identifier: Apache-2.0 */
/* One open instance of the authority: what every noun of this folder works on. */
#ifndef CA_LOCAL_CA_H
#define CA_LOCAL_CA_H

#include "eonay/plugin.h"
#include "settings.h"
#include "store.h"
#include "text.h"
#include "trust.h"

#define CA_PURPOSE        "e-onay.nes-application"
#define CA_PURPOSE_MAX    64u
#define CA_SUBJECT_SIZE   12u  /* a T.C. identity number and its NUL */
#define CA_IDENTIFIER_MAX 255u /* bytes of a transaction or an idempotency key */

typedef struct Ca {
    const EonayHost *host;
    Settings settings;
    Text *text;
    Trust *anchors;
    Trust *intermediates;
    Store *store;
} Ca;

#endif
