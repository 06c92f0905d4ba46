/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry of the audit chain says of a consent: hashes over its rows, as they stand in the journal. They are read
 * in the same way when the entry is made and when it is verified, so a row that was changed behind the daemon's back
 * shows.
 *
 *   opened   record (who asked, what for, when), texts
 *   signing  certificate
 *   signed   certificate, signatures, signed_at
 *   done     receipt, submitted_at
 *   ended    state, error
 *   adopted  all of these, as far as they were there
 */
#ifndef EONAY_AUDIT_FACTS_H
#define EONAY_AUDIT_FACTS_H

#include <sqlite3.h>
#include <sys/types.h>

typedef struct AuditFacts AuditFacts;

int audit_facts_new(sqlite3 *db, AuditFacts **ret);
AuditFacts *audit_facts_free(AuditFacts *f);

/* SQLITE_OK, lines "name=value\n" and whose consent it is; SQLITE_NOTFOUND when the journal has no such consent. */
int audit_facts_read(AuditFacts *f, const char *kind, const char *consent, char **ret, uid_t *ret_uid);

#endif
