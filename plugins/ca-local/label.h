/* SPDX-License-Identifier: Apache-2.0 */
/* Random names: readable ones for people (references, receipts), and the secret one of a transaction. */
#ifndef CA_LOCAL_LABEL_H
#define CA_LOCAL_LABEL_H

#include "consent-text.h"
#include "eonay/plugin.h"

#define LABEL_SIZE       CONSENT_LABEL_SIZE
#define TRANSACTION_SIZE sizeof "00112233445566778899aabbccddeeff"

/* "M-7K4P-…" with 80 random bits. Error: PLUGIN_FAILED, when there is no randomness. */
int label_make(const EonayHost *host, char kind, char ret[LABEL_SIZE]);
/* 128 random bits in hex. */
int transaction_make(const EonayHost *host, char ret[TRANSACTION_SIZE]);

#endif
