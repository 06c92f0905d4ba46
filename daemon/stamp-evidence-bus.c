/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StampEvidence: a time stamp over the manifest of an evidence container, for the owner of a consent that is done. Only
 * the hash is known here. Stamps may cost money, so that each user has a few in a row and then one a minute.
 */
#include <string.h>

#include "bus-util.h"
#include "manager-bus.h"
#include "stamp.h"
#include "util.h"

#define STAMP_LIFE       (60u * USEC_PER_SEC)
#define STAMP_INTERVAL   (60u * USEC_PER_SEC) /* so often there is one more */
#define BUDGETS_MAX      256u                 /* users remembered before those with a full budget are forgotten */
#define SHA256_SIZE      32u
#define TIMER_ACCURACY   USEC_PER_SEC
#define CONSENT_FINISHED "done"

typedef struct EvidenceStamp {
    Manager *manager;
    User *user;
    sd_bus_message *message;
    Stamp *stamp;
    sd_event_source *deadline;
} EvidenceStamp;

struct EvidenceStamps {
    GPtrArray *calls;    /* EvidenceStamp* */
    GHashTable *budgets; /* uid → uint64_t*: CLOCK_MONOTONIC until which the stamps taken are spread */
};

static void evidence_stamp_free(gpointer call) {
    EvidenceStamp *e = call;
    stamp_cancel(e->stamp);
    sd_event_source_disable_unref(e->deadline);
    user_call_end(e->manager, e->user);
    sd_bus_message_unref(e->message);
    g_free(e);
}

static EvidenceStamps *evidence_stamps(Manager *m) {
    if (!m->evidence_stamps) {
        m->evidence_stamps = g_new0(EvidenceStamps, 1);
        m->evidence_stamps->calls = g_ptr_array_new_with_free_func(evidence_stamp_free);
        m->evidence_stamps->budgets = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
    return m->evidence_stamps;
}

EvidenceStamps *evidence_stamps_free(EvidenceStamps *s) {
    if (!s)
        return NULL;
    g_ptr_array_unref(s->calls);
    g_hash_table_unref(s->budgets);
    g_free(s);
    return NULL;
}

static gboolean budget_is_full(gpointer uid, gpointer until, gpointer now) {
    (void)uid;
    return *(const uint64_t *)until <= *(const uint64_t *)now;
}

/* Takes one stamp of the user's; false when he has to wait. */
static bool budget_take(GHashTable *budgets, uid_t uid) {
    uint64_t now = (uint64_t)g_get_monotonic_time();
    if (g_hash_table_size(budgets) >= BUDGETS_MAX)
        g_hash_table_foreach_remove(budgets, budget_is_full, &now);
    uint64_t *until = g_hash_table_lookup(budgets, GUINT_TO_POINTER(uid));
    if (!until) {
        until = g_new0(uint64_t, 1);
        g_hash_table_insert(budgets, GUINT_TO_POINTER(uid), until);
    }
    uint64_t next = MAX(*until, now) + STAMP_INTERVAL;
    if (next - now > EONAY_STAMPS_PER_USER * STAMP_INTERVAL)
        return false;
    *until = next;
    return true;
}

static void evidence_stamp_end(EvidenceStamp *e, sd_bus_error *error) {
    if (sd_bus_error_is_set(error))
        sd_bus_reply_method_error(e->message, error);
    g_ptr_array_remove_fast(e->manager->evidence_stamps->calls, e);
}

static int reply_token(sd_bus_message *call, GBytes *token) {
    _cleanup_close_ int fd = memfd_write("eonay-time-stamp", token);
    return fd < 0 ? fd : sd_bus_reply_method_return(call, "h", fd);
}

static void on_stamped(const Fault *fault, GBytes *token, const Timestamp *stamp, void *userdata) {
    (void)stamp;
    EvidenceStamp *e = userdata;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    e->stamp = NULL;
    if (fault->code != 0)
        fault_to_bus(fault, &error);
    else if (reply_token(e->message, token) < 0)
        fault_code_to_bus(EONAY_ERROR_PLUGIN_FAILED, &error);
    evidence_stamp_end(e, &error);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    fault_code_to_bus(EONAY_ERROR_TIMESTAMP_FAILED, &error);
    evidence_stamp_end(userdata, &error);
    return 0;
}

/* 0: it is the caller's and done. */
static int consent_check(const Client *client, const char *id) {
    const JournalQuery query = {.uid = client->user->uid, .id = id, .state = CONSENT_FINISHED, .limit = 1};
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
    int r = journal_list(client->manager->journal, &query, records);
    if (r != 0)
        return r;
    return records->len == 1 ? 0 : EONAY_ERROR_NOT_FOUND;
}

static int read_call(sd_bus_message *m, const char **ret_id, const uint8_t **ret_hash, sd_bus_error *error) {
    const void *hash;
    size_t size;
    int r;
    if ((r = sd_bus_message_read(m, "s", ret_id)) < 0 || (r = sd_bus_message_read_array(m, 'y', &hash, &size)) < 0 ||
        (r = bus_read_no_options(m, error)) < 0)
        return r;
    if (size != SHA256_SIZE)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "A SHA-256 has 32 bytes.");
    *ret_hash = hash;
    return 0;
}

static int stamp_begin_for(Client *client, sd_bus_message *m, const uint8_t *hash, sd_bus_error *error) {
    Manager *manager = client->manager;
    EvidenceStamp *e = g_new0(EvidenceStamp, 1);
    e->manager = manager;
    e->message = sd_bus_message_ref(m);
    int r = user_call_begin(client, &e->user, error);
    if (r >= 0)
        r = sd_event_add_time_relative(manager->event, &e->deadline, CLOCK_BOOTTIME, STAMP_LIFE, TIMER_ACCURACY,
                                       on_deadline, e);
    if (r < 0) {
        evidence_stamp_free(e);
        return r;
    }
    GPtrArray *calls = evidence_stamps(manager)->calls;
    g_ptr_array_add(calls, e);
    r = stamp_start(manager, hash, on_stamped, e, &e->stamp);
    if (r == 0)
        return 1; /* it may have ended already */
    g_ptr_array_remove_fast(calls, e);
    return fault_code_to_bus(r, error);
}

int manager_stamp_evidence(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *id;
    const uint8_t *hash = NULL;
    int r = read_call(m, &id, &hash, error);
    if (r < 0)
        return r;
    if ((r = consent_check(client, id)) != 0)
        return fault_code_to_bus(r, error);
    /* Nobody to ask costs nothing. */
    if (client->manager->config->timestamps->len == 0)
        return fault_code_to_bus(EONAY_ERROR_LEVEL_UNREACHABLE, error);
    if (!budget_take(evidence_stamps(client->manager)->budgets, client->user->uid))
        return fault_code_to_bus(EONAY_ERROR_RATE_LIMITED, error);
    return stamp_begin_for(client, m, hash, error);
}
