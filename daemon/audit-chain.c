/* SPDX-License-Identifier: Apache-2.0 */
#include "audit-chain.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>

#include "audit-facts.h"
#include "digest.h"

#define INSERT_SQL                                                                                                     \
    "INSERT INTO audit(sequence, at, kind, consent, uid, facts, salt, digest, chain) VALUES(?,?,?,?,?,?,?,?,?)"
#define HEAD_SQL "SELECT sequence, chain FROM audit ORDER BY sequence DESC LIMIT 1"

const char audit_schema_sql[] =
    "CREATE TABLE audit(sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, consent TEXT,"
    " uid INTEGER, facts TEXT, salt BLOB, digest BLOB NOT NULL, chain BLOB NOT NULL, erased_by INTEGER);"
    "CREATE INDEX audit_by_consent ON audit(consent, sequence) WHERE consent IS NOT NULL;"
    "CREATE INDEX audit_by_uid ON audit(uid, sequence) WHERE uid IS NOT NULL;";

struct AuditChain {
    sqlite3 *db;
    sqlite3_stmt *insert, *newest;
    bool known; /* the head is that of the database */
    AuditFacts *facts;
    AuditHead head;
};

/* ----------------------------------------------------------------------------------------------------- hashing -- */

static void hash_text(Digest *sum, const char *text) {
    digest_add(sum, text, strlen(text));
}

static void hash_number(Digest *sum, uint64_t n) {
    uint64_t big = htobe64(n);
    digest_add(sum, &big, sizeof(big));
}

void audit_digest(const AuditEntry *e, uint8_t ret[AUDIT_HASH]) {
    Digest *sum = digest_new();
    g_autofree char *uid = g_strdup_printf("\n%u\n", (unsigned)e->uid);
    hash_text(sum, "eonay-audit-entry-1\n");
    digest_add(sum, e->salt, AUDIT_SALT);
    hash_text(sum, e->consent);
    hash_text(sum, uid);
    hash_text(sum, e->facts);
    digest_end(sum, ret);
}

void audit_link(const uint8_t before[AUDIT_HASH], const AuditEntry *e, uint8_t ret[AUDIT_HASH]) {
    Digest *sum = digest_new();
    hash_text(sum, "eonay-audit-chain-1\n");
    digest_add(sum, before, AUDIT_HASH);
    hash_number(sum, e->sequence);
    hash_number(sum, e->at);
    hash_text(sum, e->kind);
    hash_text(sum, "\n");
    digest_add(sum, e->digest, AUDIT_HASH);
    digest_end(sum, ret);
}

/* --------------------------------------------------------------------------------------------------- appending -- */

void audit_chain_reload(AuditChain *a) {
    a->known = false;
}

/* Reading may fail for the time being, as on a full disk: then it is tried again for the next entry. */
static int know_head(AuditChain *a) {
    sqlite3_stmt *s = a->newest;
    if (a->known)
        return SQLITE_OK;
    a->head = (AuditHead){0};
    int r = sqlite3_step(s);
    if (r == SQLITE_ROW && sqlite3_column_bytes(s, 1) == AUDIT_HASH) {
        a->head.sequence = (uint64_t)sqlite3_column_int64(s, 0);
        memcpy(a->head.chain, sqlite3_column_blob(s, 1), AUDIT_HASH);
    }
    sqlite3_reset(s);
    a->known = r == SQLITE_ROW || r == SQLITE_DONE;
    return a->known ? SQLITE_OK : r;
}

int audit_chain_open(sqlite3 *db, AuditChain **ret) {
    AuditChain *a = g_new0(AuditChain, 1);
    a->db = db;
    int r = sqlite3_prepare_v3(db, INSERT_SQL, -1, SQLITE_PREPARE_PERSISTENT, &a->insert, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_prepare_v3(db, HEAD_SQL, -1, SQLITE_PREPARE_PERSISTENT, &a->newest, NULL);
    if (r == SQLITE_OK)
        r = audit_facts_new(db, &a->facts);
    if (r != SQLITE_OK) {
        audit_chain_free(a);
        return r;
    }
    *ret = a;
    return SQLITE_OK;
}

AuditChain *audit_chain_free(AuditChain *a) {
    if (!a)
        return NULL;
    sqlite3_finalize(a->insert);
    sqlite3_finalize(a->newest);
    audit_facts_free(a->facts);
    g_free(a);
    return NULL;
}

static int insert(AuditChain *a, const AuditEntry *e) {
    sqlite3_stmt *s = a->insert;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)e->sequence);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)e->at);
    sqlite3_bind_text(s, 3, e->kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, e->consent, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 5, e->uid);
    sqlite3_bind_text(s, 6, e->facts, -1, SQLITE_STATIC);
    sqlite3_bind_blob(s, 7, e->salt, AUDIT_SALT, SQLITE_STATIC);
    sqlite3_bind_blob(s, 8, e->digest, AUDIT_HASH, SQLITE_STATIC);
    sqlite3_bind_blob(s, 9, e->chain, AUDIT_HASH, SQLITE_STATIC);
    int r = sqlite3_step(s);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return r == SQLITE_DONE ? SQLITE_OK : r;
}

int audit_append(AuditChain *a, const char *kind, const char *consent, const char *facts) {
    uint8_t salt[AUDIT_SALT], digest[AUDIT_HASH], chain[AUDIT_HASH];
    g_autofree char *read = NULL;
    uid_t uid = 0;
    int r = know_head(a);
    if (r == SQLITE_OK && *consent)
        r = audit_facts_read(a->facts, kind, consent, &read, &uid);
    if (r != SQLITE_OK)
        return r;
    if (getrandom(salt, sizeof(salt), 0) != sizeof(salt))
        g_error("no random numbers");
    if (!facts)
        facts = read ? read : "";
    const AuditEntry e = {.sequence = a->head.sequence + 1,
                          .at = (uint64_t)g_get_real_time(),
                          .kind = kind,
                          .consent = consent,
                          .facts = facts,
                          .uid = uid,
                          .salt = salt,
                          .digest = digest,
                          .chain = chain};
    audit_digest(&e, digest);
    audit_link(a->head.chain, &e, chain);
    r = insert(a, &e);
    if (r != SQLITE_OK)
        return r;
    a->head.sequence = e.sequence;
    memcpy(a->head.chain, chain, AUDIT_HASH);
    return SQLITE_OK;
}

int audit_head(AuditChain *a, AuditHead *ret) {
    int r = know_head(a);
    if (r == SQLITE_OK)
        *ret = a->head;
    return r;
}

int audit_adopt(sqlite3 *db) {
    AuditChain *a = NULL;
    sqlite3_stmt *s = NULL;
    int r = audit_chain_open(db, &a);
    if (r == SQLITE_OK)
        r = sqlite3_prepare_v2(db, "SELECT id FROM consent ORDER BY opened_at, id", -1, &s, NULL);
    if (r == SQLITE_OK)
        while ((r = sqlite3_step(s)) == SQLITE_ROW) {
            int appended = audit_append(a, AUDIT_ADOPTED, (const char *)sqlite3_column_text(s, 0), NULL);
            if (appended != SQLITE_OK) {
                r = appended;
                break;
            }
        }
    sqlite3_finalize(s);
    audit_chain_free(a);
    return r == SQLITE_DONE ? SQLITE_OK : r;
}
