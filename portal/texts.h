/* SPDX-License-Identifier: Apache-2.0 */
/* What each purpose asks to be signed, and in which version. Every version ever used is on record with its bytes. */
#ifndef PORTAL_TEXTS_H
#define PORTAL_TEXTS_H

#include "config.h"
#include "store.h"

#define TEXTS_VERSION_MAX 64

typedef struct ConsentTexts {
    char *body; /* of e-onay.nes-application; ends with a line feed */
    size_t size;
    char version[TEXTS_VERSION_MAX + 1];
} ConsentTexts;

/* Reads TextFile=, or takes the built-in text. The reason of a failure is logged. */
int texts_new(const Config *config, ConsentTexts **ret);
ConsentTexts *texts_free(ConsentTexts *t);
/* Puts the version on record. A version whose text was another one is refused. */
int texts_record(const ConsentTexts *t, Store *store);

/* Whether the purpose is known, and whether something is signed for it. */
bool purpose_known(const char *purpose);
bool purpose_signs(const char *purpose);

#endif
