/* SPDX-License-Identifier: Apache-2.0 */
/* Approvals on record, and the evidence behind them. */
#ifndef PORTAL_APPROVAL_H
#define PORTAL_APPROVAL_H

#include <jansson.h>

#include "portal.h"

typedef struct Approval {
    bool approved; /* the rest only then */
    char receipt_id[32];
    char text_version[65];
    int64_t approved_at;
} Approval;

/* The newest approval of a person. Within a work. */
int approval_newest(Store *store, const char *subject, const char *purpose, Approval *ret);
/* Whether the person approved this version of the text. Within a work; 1 or 0 in *ret. */
int approval_of_version(Store *store, const char *subject, const char *purpose, const char *text_version, bool *ret);

/*
 * All that is on record for one approval: texts, signatures and certificates (base64), what was verified and how,
 * times, versions. For the operator and for the person himself. Errors: NOT_FOUND, STORAGE_FAILED.
 */
int evidence_export(Store *store, const char *receipt_id, json_t **ret);

#endif
