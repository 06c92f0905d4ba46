/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the journal share: journal.c opens and commits, journal-write.c writes the steps of a consent,
 * journal-query.c reads, journal-erase.c takes away, audit-chain.c links each step to the one before. */
#ifndef EONAY_JOURNAL_PRIVATE_H
#define EONAY_JOURNAL_PRIVATE_H

#include <sqlite3.h>

#include "audit-chain.h"
#include "journal.h"

#define INSTALLATION_KEY 32u

typedef struct Waiting {
    JournalHandler handler;
    void *userdata;
} Waiting;

typedef enum JournalStatement {
    STMT_BEGIN,
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_OPENED,
    STMT_TEXT,
    STMT_SIGNING,
    STMT_SIGNED,
    STMT_SIGNATURE,
    STMT_DONE,
    STMT_ENDED,
    STMT_HAS_SIGNED,
    STMT_OTHER_HAS_SIGNED,
    N_STATEMENTS,
} JournalStatement;

struct Journal {
    sd_event *event;
    sqlite3 *db; /* NULL when it cannot be used */
    sqlite3_stmt *statements[N_STATEMENTS];
    AuditChain *audit;
    sd_event_source *commit;
    GArray *waiting;   /* Waiting, of the open transaction */
    GPtrArray *owed;   /* what could not be written and still must: see journal_owe_done() */
    GArray *delivered; /* of the one just committed, while its handlers run */
    bool open;         /* a transaction is */
    bool failed;       /* and one of its writes did not succeed */
    uint64_t opened_at;
    char *problem;
    uint8_t key[INSTALLATION_KEY];
};

/* After a commit that went well. */
void journal_pay_owed(Journal *j);
void owed_done_free(gpointer owed);

/* NULL when the database cannot be used. */
sqlite3 *journal_database(Journal *j);

/* Makes sure a transaction is open; false when nothing can be written. */
bool journal_begin(Journal *j);
/* Runs a statement whose values are bound. 0 or STORAGE_FAILED. */
int journal_step(Journal *j, JournalStatement which);
void journal_bind_text(sqlite3_stmt *s, int n, const char *value);
/* The outcome of a write: the handler is called after the commit. */
void journal_wrote(Journal *j, int r, JournalHandler handler, void *userdata);
/* urgent: a token waits for this very record. */
void journal_settle(Journal *j, bool urgent);

#endif
