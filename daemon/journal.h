/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's memory: consents, their texts, signatures and receipts, in SQLite (WAL, synchronous=FULL). A write is
 * executed at once inside an open transaction and confirmed after the commit, which is done once for all writes of the
 * same moment: one disk flush serves many callers.
 *
 * Errors are EONAY_ERROR_STORAGE_FAILED and EONAY_ERROR_NOT_FOUND.
 */
#ifndef EONAY_JOURNAL_H
#define EONAY_JOURNAL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct Journal Journal;

/* folder: the state directory, made if missing (0700). A damaged database does not keep the daemon from starting: every
 * write then fails with StorageFailed and journal_problem() says why. */
int journal_new(sd_event *event, const char *folder, Journal **ret);
/* Commits what is open and closes. */
Journal *journal_free(Journal *j);
/* The database could be opened; what is begun without it fails in the end. */
bool journal_usable(const Journal *j);
/* NULL, or what is wrong. */
const char *journal_problem(const Journal *j);

/* 32 bytes that never change in an installation, for keyed ids. Random for this run only when storage fails. */
const uint8_t *journal_installation_key(const Journal *j);

typedef struct JournalText {
    const char *title, *media_type, *sha256;
    GBytes *bytes;
} JournalText;

/* A consent as it is opened. Everything borrowed. */
typedef struct JournalConsent {
    const char *id;
    uid_t uid;
    const char *backend, *transaction, *requester, *purpose, *level, *subject_masked;
    uint64_t created_at, expires_at, opened_at;
    const JournalText *texts;
    size_t n_texts;
} JournalConsent;

/* What is known before the token signs. Everything borrowed. */
typedef struct JournalSigning {
    const char *fingerprint;
    GBytes *certificate;
    uint32_t mechanism;
    const char *idempotency_key;
    uint64_t confirmed_at;    /* the texts, by the user */
    const char *confirmed_by; /* the kind of program in which he did: AGENT_KIND_* of agent.h */
} JournalSigning;

/* Called once, after the commit (r == 0) or when it failed (r > 0, an EonayError). */
typedef void (*JournalHandler)(int r, void *userdata);

/* handler may be NULL: fire and forget. Each records one step of consent `id`. */
void journal_opened(Journal *j, const JournalConsent *consent, JournalHandler handler, void *userdata);
void journal_signing(Journal *j, const char *id, const JournalSigning *signing, JournalHandler handler, void *userdata);
void journal_signed(Journal *j, const char *id, uint64_t signed_at, GBytes *const *signatures, size_t n,
                    JournalHandler handler, void *userdata);
void journal_done(Journal *j, const char *id, const char *receipt_id, uint64_t submitted_at, JournalHandler handler,
                  void *userdata);
/* journal_done() failed and the authority has it: it is written as soon as something can be written again. */
void journal_owe_done(Journal *j, const char *id, const char *receipt_id, uint64_t submitted_at);
/* state: reviewing (a PIN was wrong), cancelled, failed, expired; error: short error name or NULL. */
void journal_ended(Journal *j, const char *id, const char *state, const char *error, JournalHandler handler,
                   void *userdata);

/* Whoever waits with this userdata is gone; what he wrote is written all the same. */
void journal_forget(Journal *j, const void *userdata);

/* Commits now, and runs the handlers. */
void journal_flush(Journal *j);

/* A row as it stands. Strings are "" when not set. */
typedef struct JournalRecord {
    char *id, *backend, *transaction, *requester, *purpose, *level, *subject_masked, *state, *error, *fingerprint,
        *idempotency_key, *receipt_id, *confirmed_by;
    uid_t uid;
    uint64_t created_at, expires_at, opened_at, confirmed_at, signed_at, submitted_at;
    GPtrArray *signatures; /* GBytes*, filled by journal_list() with with_signatures only */
} JournalRecord;

void journal_record_free(JournalRecord *r);

typedef struct JournalQuery {
    bool any_uid;
    uid_t uid;
    const char *id;    /* NULL: all */
    const char *state; /* NULL: all */
    bool unfinished;   /* only those that no end state was recorded of */
    bool with_signatures;
    uint32_t limit; /* newest first; 0: none */
} JournalQuery;

/* Appends JournalRecord* to ret. Returns 0 or STORAGE_FAILED. */
int journal_list(Journal *j, const JournalQuery *query, GPtrArray *ret);
/* SHA-256 of the texts of a consent, hex, in order: NULL-terminated, or NULL. */
char **journal_text_hashes(Journal *j, const char *id);

/* The evidence of one consent as one JSON document (docs/use.md describes it). NOT_FOUND if there is none of that uid.
 */
int journal_export(Journal *j, const char *id, bool any_uid, uid_t uid, GBytes **ret);

/* Evidence that was exported somewhere, or here before it was erased: kept as it is, beside the user's own. It is for
 * whoever calls to verify it first. *ret_id is new, or that of the same container imported before (g_free()). Written
 * when this returns 0; FILE_INVALID: the record is none; LIMIT (-ENOBUFS): the user has too many. */
#define EONAY_IMPORTS_PER_USER 100u
#define JOURNAL_IMPORTED       "imported" /* its state in lists */
int journal_import(Journal *j, uid_t uid, GBytes *record, GBytes *container, char **ret_id);
/* The container as it was. NOT_FOUND if there is none of that uid. */
int journal_export_imported(Journal *j, const char *id, bool any_uid, uid_t uid, GBytes **ret);

/* Somebody who may has looked at the evidence of another user. */
void journal_viewed(Journal *j, const char *id, uid_t by);

/* One entry of the audit chain, as the bus shows it: what was erased is "" and 0. */
typedef struct JournalAuditEntry {
    uint64_t sequence, at;
    uid_t uid;
    char *kind, *consent, *facts, *chain; /* chain: hex */
} JournalAuditEntry;
void journal_audit_entry_free(JournalAuditEntry *e);
/* Appends them to ret, newest first; of one user, or of all. id NULL: of every consent. Returns 0 or STORAGE_FAILED. */
int journal_list_audit(Journal *j, const char *id, bool any_uid, uid_t uid, uint32_t limit, GPtrArray *ret);

/* Takes a record away for good: its rows, and what the audit chain says of it. reason: owner, manager, retention.
 * NOT_FOUND: none of that uid; BUSY: it has not come to its end. */
int journal_erase(Journal *j, const char *id, bool any_uid, uid_t uid, const char *reason);
/* Some of those that ended before that time, microseconds; *ret_n: how many, 0 when there are no more. */
int journal_erase_older(Journal *j, uint64_t before, unsigned *ret_n);

/* Whether uid has ever signed with this certificate: he then owns the card, and a slip of the finger is forgiven. */
bool journal_has_signed(Journal *j, uid_t uid, const char *fingerprint);
/* Whether others have, and uid has not: it is somebody else's. */
bool journal_is_others(Journal *j, uid_t uid, const char *fingerprint);

#endif
