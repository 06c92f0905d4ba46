/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed consent whose code died while the authority could not be reached ends as failed, though the authority may
 * have it: the answer to the last try is what was lost. So when the authority answers again, and after each start, it
 * is asked about those of the last week, and the record then says what is true: done, or never arrived. The caller was
 * told long ago; nothing is sent again.
 */
#include "bus-util.h"
#include "consent-private.h"
#include "error.h"
#include "host-protocol.h"
#include "log.h"
#include "messages.h"
#include "util.h"

#define SETTLE_WITHIN (7u * 24u * 3600u * USEC_PER_SEC)
#define SETTLE_MAX    256u /* records looked at, newest first */

typedef struct Settling {
    Manager *manager;
    char *id;
} Settling;

static void settling_free(Settling *s) {
    g_free(s->id);
    g_free(s);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settling, settling_free)

static void settled(const Settling *s, const char *state) {
    g_autofree char *id = g_strdup_printf("EONAY_CONSENT=%s", s->id);
    const char *fields[] = {id, NULL};
    log_event(LOG_NOTICE, MESSAGE_RECOVERED, fields, "consent: the authority answers again, and it is %s", state);
}

static void on_status(const Fault *fault, sd_bus_message *reply, void *userdata) {
    g_autoptr(Settling) s = userdata;
    uint32_t state = EONAY_TRANSACTION_OPEN;
    uint64_t submitted_at = 0;
    const char *receipt_id = "";
    const BusOption table[] = {{"ReceiptId", "s", &receipt_id},
                               {"SubmittedAt", "t", &submitted_at},
                               {"State", "u", &state},
                               {NULL, NULL, NULL}};
    if (fault->code != 0 || bus_read_dict(reply, table) < 0)
        return; /* asked again another time */
    if (state == EONAY_TRANSACTION_DONE && *receipt_id) {
        journal_done(s->manager->journal, s->id, receipt_id, submitted_at, NULL, NULL);
        settled(s, "done");
    } else if (state == EONAY_TRANSACTION_EXPIRED) {
        journal_ended(s->manager->journal, s->id, "expired", eonay_error_short_name(EONAY_ERROR_CODE_EXPIRED), NULL,
                      NULL);
        settled(s, "expired");
    }
}

static void settle_one(Backend *b, const JournalRecord *r) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    if (backend_begin(b, HOST_METHOD_STATUS, &m) != 0 || sd_bus_message_append(m, HOST_STATUS_IN, r->transaction) < 0)
        return;
    Settling *s = g_new0(Settling, 1);
    *s = (Settling){.manager = b->manager, .id = g_strdup(r->id)};
    if (backend_call(b, m, on_status, s, NULL) < 0)
        settling_free(s);
}

/* It was signed, and how it ended there is not known. */
static bool is_open_question(const JournalRecord *r, uint64_t now) {
    static const int passing[] = {EONAY_ERROR_BACKEND_UNREACHABLE, EONAY_ERROR_BACKEND_UNTRUSTED,
                                  EONAY_ERROR_BACKEND_PROTOCOL,    EONAY_ERROR_PLUGIN_CRASHED,
                                  EONAY_ERROR_PLUGIN_TIMEOUT,      EONAY_ERROR_STORAGE_FAILED,
                                  EONAY_ERROR_TIMED_OUT,           EONAY_ERROR_RATE_LIMITED};
    if (r->signed_at == 0 || r->signed_at + SETTLE_WITHIN < now || r->signed_at > now)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(passing); i++)
        if (g_strcmp0(eonay_error_short_name(passing[i]), r->error) == 0)
            return true;
    return false;
}

void consents_settle(Manager *m, const Backend *only) {
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
    const JournalQuery query = {.any_uid = true, .state = "failed", .limit = SETTLE_MAX};
    if (journal_list(m->journal, &query, records) != 0)
        return;
    uint64_t now = (uint64_t)g_get_real_time();
    for (guint i = 0; i < records->len; i++) {
        const JournalRecord *r = records->pdata[i];
        Backend *b = is_open_question(r, now) ? backend_find(m, r->backend) : NULL;
        if (b && b->host && (!only || b == only))
            settle_one(b, r);
    }
}
