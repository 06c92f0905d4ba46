/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crash or a restart left behind. Not yet signed: cancelled, since its opener is gone. In the middle of signing:
 * the token may have signed, so the code is spent, and it is never signed again. Signed: delivered, as if nothing had
 * been.
 */
#include "consent-private.h"
#include "error.h"
#include "log.h"
#include "messages.h"
#include "util.h"

static void on_recorded(int r, void *userdata) {
    (void)r;
    (void)userdata;
}

static void recover_unsigned(Manager *m, const JournalRecord *r, const char *state, int error) {
    g_autofree char *id = g_strdup_printf("EONAY_CONSENT=%s", r->id);
    const char *fields[] = {id, NULL};
    log_event(LOG_WARNING, MESSAGE_RECOVERED, fields, "consent found in state %s after a restart: %s", r->state, state);
    journal_ended(m->journal, r->id, state, eonay_error_short_name(error), on_recorded, NULL);
}

static void recover_signed(Manager *m, JournalRecord *r, Backend *backend) {
    uint64_t now = (uint64_t)g_get_real_time();
    Consent *c = consent_new(m, r->id);
    c->uid = r->uid;
    c->backend = backend;
    c->transaction = g_steal_pointer(&r->transaction);
    c->requester = g_steal_pointer(&r->requester);
    c->purpose = g_steal_pointer(&r->purpose);
    c->level = g_steal_pointer(&r->level);
    c->subject = g_strdup("");
    g_free(c->idempotency_key);
    c->idempotency_key = g_steal_pointer(&r->idempotency_key);
    c->fingerprint = g_steal_pointer(&r->fingerprint);
    c->created_at = r->created_at;
    c->expires_at = r->expires_at;
    c->signed_at = r->signed_at;
    for (guint i = 0; i < r->signatures->len; i++)
        g_ptr_array_add(c->signatures, g_bytes_ref(r->signatures->pdata[i]));
    c->state = CONSENT_SUBMITTING;
    g_hash_table_replace(m->consents, c->path, c);
    consent_watch_expiry(c, r->expires_at > now ? r->expires_at - now : 0);
    log_event(LOG_NOTICE, MESSAGE_RECOVERED, NULL, "consent %s: signed before a restart, is delivered now", c->id);
    submission_start(c);
}

static void recover_one(Manager *m, JournalRecord *r) {
    Backend *backend = backend_find(m, r->backend);
    if (g_strcmp0(r->state, "reviewing") == 0)
        recover_unsigned(m, r, "cancelled", EONAY_ERROR_INTERRUPTED);
    else if (g_strcmp0(r->state, "submitting") != 0)
        recover_unsigned(m, r, "failed", EONAY_ERROR_INTERRUPTED);
    else if (!backend || !backend->host)
        log_event(LOG_ERR, MESSAGE_RECOVERED, NULL,
                  "consent %s: signed, but its authority '%s' is no longer configured", r->id, r->backend);
    else
        recover_signed(m, r, backend);
}

void consents_recover(Manager *m) {
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
    const JournalQuery query = {.any_uid = true, .unfinished = true, .with_signatures = true};
    if (journal_list(m->journal, &query, records) != 0)
        return; /* the journal has said why, and Health shows it */
    for (guint i = 0; i < records->len; i++)
        recover_one(m, records->pdata[i]);
}
