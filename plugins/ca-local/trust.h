/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates that the authority builds chains with. */
#ifndef CA_LOCAL_TRUST_H
#define CA_LOCAL_TRUST_H

#include "cades.h"
#include "eonay/plugin.h"

#define TRUST_MAX 256u /* certificates of one list */

typedef struct Trust {
    CadesBlob blobs[TRUST_MAX];
    size_t n;
} Trust;

/* Loads every certificate of a ';' separated list of files (PEM with any number of them, or one in DER) and folders of
 * such. NULL loads none. Errors: FILE_INVALID, also for a file without any certificate or a list of none at all. */
int trust_new(const EonayHost *host, const char *key, const char *list, Trust **ret);
Trust *trust_free(Trust *t);

#endif
