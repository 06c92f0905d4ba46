/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the audit chain from its first entry, in slices, with constant memory: each entry's link and digest, that its
 * facts are still those of the journal's rows, that what is empty was erased by an entry that says so, and that no
 * consent is there without an entry. A walk sees what was there when it began; what is appended meanwhile waits for the
 * next.
 */
#ifndef EONAY_AUDIT_VERIFY_H
#define EONAY_AUDIT_VERIFY_H

#include "audit-chain.h"

typedef struct AuditVerification AuditVerification;

typedef enum AuditFailure {
    AUDIT_FAILURE_NONE,
    AUDIT_FAILURE_SEQUENCE, /* an entry is missing */
    AUDIT_FAILURE_CHAIN,    /* the link to the entry before does not fit */
    AUDIT_FAILURE_DIGEST,   /* the facts in the entry are not those it was made with */
    AUDIT_FAILURE_ERASED,   /* emptied, and no entry says by whom */
    AUDIT_FAILURE_RECORD,   /* the journal's rows are not what the entry says */
    AUDIT_FAILURE_STATE,    /* the consent's state is not the one of its last entry */
    AUDIT_FAILURE_MISSING,  /* the consent is gone without having been erased */
    AUDIT_FAILURE_UNKNOWN,  /* a consent without an entry */
    AUDIT_FAILURE_HEAD,     /* not the chain whose head was noted */
    AUDIT_FAILURE_DATABASE, /* it cannot be read */
    N_AUDIT_FAILURES,
} AuditFailure;

/* sequence, chain, digest …: as the enumeration's names, for the bus. */
const char *audit_failure_name(AuditFailure f);

typedef struct AuditReport {
    AuditFailure failure; /* the first */
    uint64_t failed_at;   /* the entry's sequence; 0: none */
    uint64_t entries, erased, consents;
    AuditHead head;
} AuditReport;

/* noted: NULL, or a head noted earlier that must be part of the chain. */
int audit_verification_new(sqlite3 *db, const AuditHead *noted, AuditVerification **ret);
AuditVerification *audit_verification_free(AuditVerification *v);
/* One slice; true when it is over and the report is final. */
bool audit_verification_step(AuditVerification *v);
const AuditReport *audit_verification_report(const AuditVerification *v);

#endif
