/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a consent, each with its entry in the audit chain, in the same transaction. */
#include <string.h>

#include "eonay/plugin.h"
#include "journal-private.h"

void journal_bind_text(sqlite3_stmt *s, int n, const char *value) {
    sqlite3_bind_text(s, n, value ? value : "", -1, SQLITE_STATIC);
}

static void bind_bytes(sqlite3_stmt *s, int n, GBytes *bytes) {
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    if (size == 0)
        sqlite3_bind_zeroblob(s, n, 0);
    else
        sqlite3_bind_blob64(s, n, data, size, SQLITE_STATIC);
}

static int write_texts(Journal *j, const JournalConsent *c) {
    sqlite3_stmt *s = j->statements[STMT_TEXT];
    for (size_t i = 0; i < c->n_texts; i++) {
        journal_bind_text(s, 1, c->id);
        sqlite3_bind_int64(s, 2, (sqlite3_int64)i);
        journal_bind_text(s, 3, c->texts[i].title);
        journal_bind_text(s, 4, c->texts[i].media_type);
        journal_bind_text(s, 5, c->texts[i].sha256);
        bind_bytes(s, 6, c->texts[i].bytes);
        int r = journal_step(j, STMT_TEXT);
        if (r != 0)
            return r;
    }
    return 0;
}

/* The chain's entry of what was just written. */
static int write_audit(Journal *j, int r, const char *kind, const char *id) {
    if (r != 0)
        return r;
    r = audit_append(j->audit, kind, id, NULL);
    return r == SQLITE_OK || r == SQLITE_NOTFOUND ? 0 : EONAY_ERROR_STORAGE_FAILED; /* no such consent: none changed */
}

void journal_opened(Journal *j, const JournalConsent *c, JournalHandler handler, void *userdata) {
    int r = EONAY_ERROR_STORAGE_FAILED;
    if (journal_begin(j)) {
        sqlite3_stmt *s = j->statements[STMT_OPENED];
        const char *texts[] = {c->backend, c->transaction, c->requester, c->purpose, c->level, c->subject_masked};
        journal_bind_text(s, 1, c->id);
        sqlite3_bind_int64(s, 2, c->uid);
        for (int i = 0; i < 6; i++)
            journal_bind_text(s, 3 + i, texts[i]);
        sqlite3_bind_int64(s, 9, (sqlite3_int64)c->created_at);
        sqlite3_bind_int64(s, 10, (sqlite3_int64)c->expires_at);
        sqlite3_bind_int64(s, 11, (sqlite3_int64)c->opened_at);
        r = journal_step(j, STMT_OPENED);
        if (r == 0)
            r = write_texts(j, c);
        r = write_audit(j, r, AUDIT_OPENED, c->id);
    }
    journal_wrote(j, r, handler, userdata);
    journal_settle(j, false);
}

void journal_signing(Journal *j, const char *id, const JournalSigning *signing, JournalHandler handler,
                     void *userdata) {
    int r = EONAY_ERROR_STORAGE_FAILED;
    if (journal_begin(j)) {
        sqlite3_stmt *s = j->statements[STMT_SIGNING];
        journal_bind_text(s, 1, signing->fingerprint);
        bind_bytes(s, 2, signing->certificate);
        sqlite3_bind_int64(s, 3, signing->mechanism);
        journal_bind_text(s, 4, signing->idempotency_key);
        sqlite3_bind_int64(s, 5, (sqlite3_int64)signing->confirmed_at);
        journal_bind_text(s, 6, signing->confirmed_by);
        journal_bind_text(s, 7, id);
        r = write_audit(j, journal_step(j, STMT_SIGNING), AUDIT_SIGNING, id);
    }
    journal_wrote(j, r, handler, userdata);
    journal_settle(j, true);
}

void journal_signed(Journal *j, const char *id, uint64_t signed_at, GBytes *const *signatures, size_t n,
                    JournalHandler handler, void *userdata) {
    int r = EONAY_ERROR_STORAGE_FAILED;
    if (journal_begin(j)) {
        sqlite3_stmt *s = j->statements[STMT_SIGNATURE];
        r = 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
            journal_bind_text(s, 1, id);
            sqlite3_bind_int64(s, 2, (sqlite3_int64)i);
            bind_bytes(s, 3, signatures[i]);
            r = journal_step(j, STMT_SIGNATURE);
        }
        if (r == 0) {
            s = j->statements[STMT_SIGNED];
            sqlite3_bind_int64(s, 1, (sqlite3_int64)signed_at);
            journal_bind_text(s, 2, id);
            r = write_audit(j, journal_step(j, STMT_SIGNED), AUDIT_SIGNED, id);
        }
    }
    journal_wrote(j, r, handler, userdata);
    journal_settle(j, false);
}

void journal_done(Journal *j, const char *id, const char *receipt_id, uint64_t submitted_at, JournalHandler handler,
                  void *userdata) {
    int r = EONAY_ERROR_STORAGE_FAILED;
    if (journal_begin(j)) {
        sqlite3_stmt *s = j->statements[STMT_DONE];
        journal_bind_text(s, 1, receipt_id);
        sqlite3_bind_int64(s, 2, (sqlite3_int64)submitted_at);
        journal_bind_text(s, 3, id);
        r = write_audit(j, journal_step(j, STMT_DONE), AUDIT_DONE, id);
    }
    journal_wrote(j, r, handler, userdata);
    journal_settle(j, false);
}

typedef struct OwedDone {
    Journal *journal;
    char *id, *receipt_id;
    uint64_t submitted_at;
} OwedDone;

void owed_done_free(gpointer owed) {
    OwedDone *o = owed;
    g_free(o->id);
    g_free(o->receipt_id);
    g_free(o);
}

void journal_owe_done(Journal *j, const char *id, const char *receipt_id, uint64_t submitted_at) {
    OwedDone *o = g_new0(OwedDone, 1);
    *o = (OwedDone){j, g_strdup(id), g_strdup(receipt_id), submitted_at};
    g_ptr_array_add(j->owed, o);
}

static void on_owed_written(int r, void *userdata) {
    OwedDone *o = userdata;
    if (r != 0)
        g_ptr_array_add(o->journal->owed, o);
    else
        owed_done_free(o);
}

void journal_pay_owed(Journal *j) {
    while (j->owed->len > 0) {
        OwedDone *o = g_ptr_array_steal_index(j->owed, j->owed->len - 1);
        journal_done(j, o->id, o->receipt_id, o->submitted_at, on_owed_written, o);
    }
}

void journal_ended(Journal *j, const char *id, const char *state, const char *error, JournalHandler handler,
                   void *userdata) {
    int r = EONAY_ERROR_STORAGE_FAILED;
    if (journal_begin(j)) {
        sqlite3_stmt *s = j->statements[STMT_ENDED];
        journal_bind_text(s, 1, state);
        journal_bind_text(s, 2, error);
        journal_bind_text(s, 3, id);
        r = write_audit(j, journal_step(j, STMT_ENDED), AUDIT_ENDED, id);
    }
    journal_wrote(j, r, handler, userdata);
    journal_settle(j, false);
}

void journal_viewed(Journal *j, const char *id, uid_t by) {
    g_autofree char *facts = g_strdup_printf("by=%u\n", (unsigned)by);
    int r = EONAY_ERROR_STORAGE_FAILED;
    if (journal_begin(j))
        r = audit_append(j->audit, AUDIT_VIEWED, id, facts) == SQLITE_OK ? 0 : EONAY_ERROR_STORAGE_FAILED;
    journal_wrote(j, r, NULL, NULL);
    journal_settle(j, false);
}
