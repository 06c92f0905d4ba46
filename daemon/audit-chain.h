/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was done, in an order that nobody can change afterwards without being noticed.
 *
 * Each entry holds a salted digest of its facts and a hash over the entry before it, so to change, drop or insert one
 * means to change all that follow, up to the head. A head that was noted elsewhere proves what stood before it; one
 * that nobody noted proves little.
 *
 *   digest(n) = SHA-256("eonay-audit-entry-1\n" salt consent "\n" uid "\n" facts)
 *   chain(n)  = SHA-256("eonay-audit-chain-1\n" chain(n-1) n at kind "\n" digest(n))    n and at: 64 bits, big-endian
 *   chain(0)  = 32 zero bytes
 *
 * Facts are lines "name=value" of hashes and states, nothing in clear that a person could be known by. When a consent
 * is erased, salt, consent, uid and facts of its entries go, and nobody can guess them from the digest that stays;
 * chain and digest stay, so the chain still holds. The entry "erased" names the entries it emptied.
 */
#ifndef EONAY_AUDIT_CHAIN_H
#define EONAY_AUDIT_CHAIN_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define AUDIT_HASH 32u
#define AUDIT_SALT 16u

#define AUDIT_OPENED   "opened"
#define AUDIT_ADOPTED  "adopted"  /* found when the chain began */
#define AUDIT_IMPORTED "imported" /* evidence from elsewhere */
#define AUDIT_SIGNING  "signing"
#define AUDIT_SIGNED   "signed"
#define AUDIT_DONE     "done"
#define AUDIT_ENDED    "ended"
#define AUDIT_VIEWED   "viewed" /* by another user */
#define AUDIT_ERASED   "erased"

/* The step of the journal's schema that makes the tables, and what it does with consents that are there already. */
extern const char audit_schema_sql[];
int audit_adopt(sqlite3 *db);

typedef struct AuditEntry {
    uint64_t sequence, at; /* microseconds UTC */
    const char *kind, *consent, *facts;
    uid_t uid;
    const void *salt; /* NULL: erased, and so are consent, facts and uid */
    const void *digest, *chain;
} AuditEntry;

void audit_digest(const AuditEntry *e, uint8_t ret[AUDIT_HASH]);
/* e's digest, sequence, at and kind are used. */
void audit_link(const uint8_t before[AUDIT_HASH], const AuditEntry *e, uint8_t ret[AUDIT_HASH]);

typedef struct AuditChain AuditChain;
/* SQLITE_OK, and the chain with its head. */
int audit_chain_open(sqlite3 *db, AuditChain **ret);
AuditChain *audit_chain_free(AuditChain *a);
/* The transaction in which entries were appended was rolled back. */
void audit_chain_reload(AuditChain *a);

/* Within the caller's transaction. consent "": it is about none. facts NULL: those of the journal's rows,
 * audit-facts.h. SQLITE_OK, SQLITE_NOTFOUND when there is no such consent, or another error. */
int audit_append(AuditChain *a, const char *kind, const char *consent, const char *facts);

/* The newest entry; sequence 0 and zero bytes when there is none. */
typedef struct AuditHead {
    uint64_t sequence;
    uint8_t chain[AUDIT_HASH];
} AuditHead;
int audit_head(AuditChain *a, AuditHead *ret);

#endif
