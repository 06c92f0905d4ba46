/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reviewing ─▶ authorising ─▶ confirming ─▶ awaiting-pin ─▶ signing ─▶ verifying ─▶ submitting ─▶ done
 *     ▲             │              │              │            │
 *     └─────────────┴──────────────┴──────────────┴────────────┘  a refusal or a wrong PIN, while nothing was signed
 * Every state but the last ones can end in failed, cancelled or expired. Once the token may have signed, there is no
 * way back: the code is spent.
 */
#include "consent-private.h"

#include <string.h>
#include <sys/random.h>

#include "crash-point.h"
#include "error.h"
#include "log.h"
#include "messages.h"
#include "names.h"
#include "sleep.h"
#include "tckn.h"
#include "tidy.h"
#include "util.h"

#define END_STATES ((1u << CONSENT_FAILED) | (1u << CONSENT_CANCELLED) | (1u << CONSENT_EXPIRED))
#define BIT(state) (1u << CONSENT_##state)

static const struct {
    const char *name;
    unsigned next; /* set of states */
} consent_states[N_CONSENT_STATES] = {
    [CONSENT_REVIEWING] = {"reviewing", BIT(AUTHORISING) | END_STATES},
    [CONSENT_AUTHORISING] = {"authorising", BIT(CONFIRMING) | BIT(AWAITING_PIN) | BIT(REVIEWING) | END_STATES},
    [CONSENT_CONFIRMING] = {"confirming", BIT(AWAITING_PIN) | BIT(REVIEWING) | END_STATES},
    [CONSENT_AWAITING_PIN] = {"awaiting-pin", BIT(SIGNING) | BIT(REVIEWING) | END_STATES},
    [CONSENT_SIGNING] = {"signing", BIT(VERIFYING) | BIT(AWAITING_PIN) | BIT(REVIEWING) | END_STATES},
    [CONSENT_VERIFYING] = {"verifying", BIT(SUBMITTING) | END_STATES},
    [CONSENT_SUBMITTING] = {"submitting", BIT(DONE) | END_STATES},
    [CONSENT_DONE] = {"done", 0},
    [CONSENT_FAILED] = {"failed", 0},
    [CONSENT_CANCELLED] = {"cancelled", 0},
    [CONSENT_EXPIRED] = {"expired", 0},
};

const char *consent_state_name(ConsentState s) {
    return consent_states[s].name;
}

bool consent_state_is_final(ConsentState s) {
    return consent_states[s].next == 0;
}

void consent_set_state(Consent *c, ConsentState state) {
    if (c->state == state)
        return;
    g_assert(consent_states[c->state].next & (1u << state));
    c->state = state;
    consent_announce_state(c);
}

static uint64_t now_boottime(void) {
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

uint64_t consent_remaining(const Consent *c) {
    uint64_t now = now_boottime();
    return now < c->deadline ? c->deadline - now : 0;
}

char *consent_subject_masked(const Consent *c) {
    char masked[TCKN_LENGTH + 1] = "";
    if (tckn_valid(c->subject))
        tckn_mask(c->subject, masked);
    return g_strdup(masked);
}

Consent *consent_find(Manager *m, const char *path, const Client *client) {
    Consent *c = g_hash_table_lookup(m->consents, path);
    return c && client && c->owner == client ? c : NULL;
}

void consent_free(Consent *c) {
    if (!c)
        return;
    signing_free(c->signing);
    submission_free(c->submission);
    sd_event_source_disable_unref(c->expiry);
    journal_forget(c->manager->journal, c);
    if (c->user) {
        c->user->n_consents--;
        user_unref(c->manager, c->user);
    }
    tidy_later(c->manager);
    g_ptr_array_unref(c->texts);
    g_ptr_array_unref(c->signatures);
    char *strings[] = {c->id,          c->path,       c->transaction, c->requester,
                       c->purpose,     c->level,      c->subject,     c->idempotency_key,
                       c->fingerprint, c->receipt_id, c->agent_name,  c->agent_path};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_free(c);
}

void consent_asks(Consent *c, const char *agent_name, const char *agent_path) {
    g_free(c->agent_name);
    g_free(c->agent_path);
    c->agent_name = g_strdup(agent_name);
    c->agent_path = g_strdup(agent_path);
}

/* ------------------------------------------------------------------------------------------------------ the end -- */

void consent_finished(Consent *c, const Fault *fault) {
    ConsentHandler ended = TAKE_PTR(c->ended);
    consent_announce_finished(c, fault);
    sleep_signing_ended(c->manager->sleep);
    if (ended)
        ended(c, fault, c->userdata);
}

void consent_log_end(const Consent *c, const Fault *fault) {
    g_autofree char *id = g_strdup_printf("EONAY_CONSENT=%s", c->id);
    g_autofree char *uid = g_strdup_printf("EONAY_CALLER_UID=%u", (unsigned)c->uid);
    g_autofree char *backend = g_strdup_printf("EONAY_BACKEND=%s", c->backend ? c->backend->instance->name : "?");
    g_autofree char *caller = g_strdup_printf("EONAY_CALLER=%s", c->owner ? c->owner->name : "");
    const char *fields[] = {id, uid, backend, caller, NULL};
    if (fault->code == 0)
        log_event(LOG_NOTICE, MESSAGE_CONSENT_DONE, fields, "consent recorded by the authority");
    else
        log_event(LOG_WARNING, MESSAGE_CONSENT_FAILED, fields, "consent %s: %s%s%s", consent_state_name(c->state),
                  eonay_error_short_name(fault->code), fault->text ? ": " : "", fault->text ? fault->text : "");
}

static void on_cancelled(const Fault *fault, sd_bus_message *reply, void *userdata) {
    (void)fault;
    (void)reply;
    (void)userdata; /* whatever the authority says, nothing is left to do */
}

void consent_tell_authority(Consent *c) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    if (!c->backend || backend_begin(c->backend, "Cancel", &m) != 0 ||
        sd_bus_message_append(m, "s", c->transaction) < 0)
        return;
    backend_call(c->backend, m, on_cancelled, NULL, NULL);
}

static void on_end_recorded(int r, void *userdata) {
    (void)r;
    (void)userdata;
    crash_point("cancel-recorded");
}

void consent_end(Consent *c, ConsentState state, const Fault *fault) {
    if (consent_state_is_final(c->state))
        return;
    Fault told = fault_copy(fault);
    bool tell = c->state != CONSENT_SUBMITTING;
    c->signing = signing_free(c->signing);
    c->submission = submission_free(c->submission);
    c->expiry = sd_event_source_disable_unref(c->expiry);
    journal_ended(c->manager->journal, c->id, consent_state_name(state), eonay_error_short_name(told.code),
                  on_end_recorded, NULL);
    consent_set_state(c, state);
    consent_log_end(c, &told);
    if (tell)
        consent_tell_authority(c);
    consent_finished(c, &told);
    if (!c->owner)
        g_hash_table_remove(c->manager->consents, c->path);
    fault_clear(&told);
}

void consent_reopen(Consent *c, const Fault *fault) {
    Fault told = fault_copy(fault);
    bool recorded = c->signing && signing_recorded(c->signing);
    c->signing = signing_free(c->signing);
    if (recorded)
        journal_ended(c->manager->journal, c->id, consent_state_name(CONSENT_REVIEWING), NULL, NULL, NULL);
    consent_set_state(c, CONSENT_REVIEWING);
    consent_finished(c, &told);
    fault_clear(&told);
}

void consent_abandon(Consent *c) {
    c->owner = NULL;
    if (consent_state_is_final(c->state)) {
        g_hash_table_remove(c->manager->consents, c->path);
        return;
    }
    if (c->state == CONSENT_SUBMITTING || c->state == CONSENT_VERIFYING ||
        (c->signing && signing_committed(c->signing)))
        return; /* signed, or about to be: it is still delivered, and taken off the list then */
    Fault f = FAULT(EONAY_ERROR_CANCELLED);
    consent_end(c, CONSENT_CANCELLED, &f);
}

typedef bool (*ConsentMatch)(const Consent *, const void *);

/* Their paths: what is done to one (its turn at the token goes to the next) may end, and free, another. */
static GPtrArray *consents_where(Manager *m, ConsentMatch matches, const void *what) {
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, m->consents);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (matches(value, what))
            g_ptr_array_add(found, g_strdup(((Consent *)value)->path));
    return found;
}

/* NULL when it is gone, or is no longer one of them. */
static Consent *still(Manager *m, const GPtrArray *found, guint i, ConsentMatch matches, const void *what) {
    Consent *c = g_hash_table_lookup(m->consents, found->pdata[i]);
    return c && matches(c, what) ? c : NULL;
}

static bool is_owned_by(const Consent *c, const void *client) {
    return c->owner == client;
}

static bool is_signing_with(const Consent *c, const void *token) {
    /* one that is being verified needs the token no more */
    return c->state != CONSENT_VERIFYING && c->signing && signing_token(c->signing) == token;
}

void consents_client_gone(Manager *m, Client *client) {
    g_autoptr(GPtrArray) found = consents_where(m, is_owned_by, client);
    for (guint i = 0; i < found->len; i++) {
        Consent *c = still(m, found, i, is_owned_by, client);
        if (c)
            consent_abandon(c);
    }
}

void consents_token_gone(Manager *m, const Token *token) {
    g_autoptr(GPtrArray) found = consents_where(m, is_signing_with, token);
    Fault f = FAULT(EONAY_ERROR_TOKEN_REMOVED);
    for (guint i = 0; i < found->len; i++) {
        Consent *c = still(m, found, i, is_signing_with, token);
        if (!c)
            continue;
        if (signing_committed(c->signing))
            consent_end(c, CONSENT_FAILED, &f);
        else
            consent_reopen(c, &f);
    }
}

static bool is_committed(const Consent *c, const void *unused) {
    (void)unused;
    return c->signing && signing_committed(c->signing);
}

static bool is_uncommitted(const Consent *c, const void *unused) {
    (void)unused;
    return c->signing && !signing_committed(c->signing);
}

unsigned consents_committed(Manager *m) {
    g_autoptr(GPtrArray) found = consents_where(m, is_committed, NULL);
    return found->len;
}

void consents_cancel_uncommitted(Manager *m) {
    g_autoptr(GPtrArray) found = consents_where(m, is_uncommitted, NULL);
    Fault f = FAULT(EONAY_ERROR_CANCELLED);
    for (guint i = 0; i < found->len; i++) {
        Consent *c = still(m, found, i, is_uncommitted, NULL);
        if (c)
            consent_reopen(c, &f);
    }
}

void consents_stop_signing(Manager *m) {
    g_autoptr(GPtrArray) found = consents_where(m, is_committed, NULL);
    Fault f = FAULT(EONAY_ERROR_INTERRUPTED);
    for (guint i = 0; i < found->len; i++) {
        Consent *c = still(m, found, i, is_committed, NULL);
        if (c && c->state != CONSENT_VERIFYING)
            consent_end(c, CONSENT_FAILED, &f);
    }
}

/* ------------------------------------------------------------------------------------------------------ its life -- */

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    Consent *c = userdata;
    if (c->state == CONSENT_VERIFYING || c->state == CONSENT_SUBMITTING ||
        (c->signing && signing_committed(c->signing)))
        return 0; /* signed, or the token is at it: submission finds out that it is too late */
    Fault f = FAULT(EONAY_ERROR_CODE_EXPIRED);
    consent_end(c, CONSENT_EXPIRED, &f);
    return 0;
}

/* The clock that goes on while the machine sleeps: the authority's does too. */
int consent_watch_expiry(Consent *c, uint64_t remaining) {
    c->deadline = now_boottime() + remaining;
    return sd_event_add_time(c->manager->event, &c->expiry, CLOCK_BOOTTIME, c->deadline, 0, on_expiry, c);
}

static char *random_id(void) {
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        g_error("no random numbers");
    GString *hex = g_string_sized_new(32);
    for (size_t i = 0; i < sizeof(bytes); i++)
        g_string_append_printf(hex, "%02x", bytes[i]);
    return g_string_free(hex, FALSE);
}

Consent *consent_new(Manager *m, const char *id) {
    Consent *c = g_new0(Consent, 1);
    c->manager = m;
    c->id = id ? g_strdup(id) : random_id();
    c->path = g_strdup_printf("%s/%s", EONAY_PATH_CONSENT, c->id);
    c->texts = g_ptr_array_new_with_free_func((GDestroyNotify)text_free);
    c->signatures = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    c->idempotency_key = random_id();
    return c;
}
