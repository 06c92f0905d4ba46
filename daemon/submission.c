/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery to the authority: the recorded signatures under one idempotency key, again and again with growing pauses, or
 * those that the authority asks for, while the code lives. When it is dead, or the authority refuses, it is asked what
 * is on record: an answer that was lost on the way must not turn an approval into a failure. If it does not answer
 * then, consent-settle.c asks later.
 */
#include "bus-util.h"
#include "consent.h"
#include "crash-point.h"
#include "error.h"
#include "host-protocol.h"
#include "log.h"
#include "util.h"

#define PAUSE_FIRST         (200u * USEC_PER_MSEC)
#define STATUS_ATTEMPTS_MAX 20u
#define PAUSE_MAX           (5u * USEC_PER_SEC)
#define PAUSE_DEAD_MAX      (30u * USEC_PER_SEC) /* somebody may still wait for the outcome */
#define RETRY_AFTER_MAX     3600u                /* seconds */
#define GARBLED_MAX         3u                   /* answers that make no sense, before it is asked for the state */

struct Submission {
    Consent *consent;
    HostCall *call;
    sd_event_source *pause;
    uint64_t pause_usec;
    bool asking;      /* for the state, and no more tries */
    unsigned asked;   /* times for the state */
    unsigned garbled; /* tries whose answer made no sense */
    Fault last;       /* why the last try failed */
};

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata);

Submission *submission_free(Submission *s) {
    if (!s)
        return NULL;
    if (s->call)
        host_call_forget(s->call);
    journal_forget(s->consent->manager->journal, s);
    sd_event_source_disable_unref(s->pause);
    fault_clear(&s->last);
    g_free(s);
    return NULL;
}

static void on_done_recorded(int r, void *userdata) {
    Submission *s = userdata;
    Consent *c = s->consent;
    if (r != 0) /* the authority has it; a restart would ask again and get the same receipt */
        journal_owe_done(c->manager->journal, c->id, c->receipt_id, c->submitted_at);
    crash_point("done-recorded");
    Fault none = FAULT_NONE;
    c->submission = submission_free(s);
    consent_set_state(c, CONSENT_DONE);
    consent_log_end(c, &none);
    consent_finished(c, &none);
    if (!c->owner)
        g_hash_table_remove(c->manager->consents, c->path);
}

/* 0 when there is a receipt in the answer. */
static int read_receipt(Consent *c, sd_bus_message *reply, uint32_t *ret_state) {
    const char *receipt_id = "";
    const BusOption table[] = {{"ReceiptId", "s", &receipt_id},
                               {"SubmittedAt", "t", &c->submitted_at},
                               {"State", "u", ret_state},
                               {NULL, NULL, NULL}};
    if (bus_read_dict(reply, table) < 0 || !*receipt_id)
        return EONAY_ERROR_BACKEND_PROTOCOL;
    g_free(c->receipt_id);
    c->receipt_id = g_strdup(receipt_id);
    return 0;
}

static void submission_done(Submission *s) {
    Consent *c = s->consent;
    c->expiry = sd_event_source_disable_unref(c->expiry);
    journal_done(c->manager->journal, c->id, c->receipt_id, c->submitted_at, on_done_recorded, s);
}

static void submission_fail(Submission *s, const Fault *fault) {
    consent_end(s->consent, fault->code == EONAY_ERROR_CODE_EXPIRED ? CONSENT_EXPIRED : CONSENT_FAILED, fault);
}

static bool is_passing(int code) {
    return code == EONAY_ERROR_BACKEND_UNREACHABLE || code == EONAY_ERROR_BACKEND_UNTRUSTED ||
           code == EONAY_ERROR_PLUGIN_CRASHED || code == EONAY_ERROR_PLUGIN_TIMEOUT ||
           code == EONAY_ERROR_RATE_LIMITED || code == EONAY_ERROR_STORAGE_FAILED || code == EONAY_ERROR_BUSY ||
           code == EONAY_ERROR_TIMED_OUT;
}

/* Retry-After, where the authority gave one. */
static uint64_t asked_pause(const Fault *fault) {
    if (fault->code != EONAY_ERROR_RATE_LIMITED && fault->code != EONAY_ERROR_BACKEND_UNREACHABLE)
        return 0;
    return MIN(fault->native_code, RETRY_AFTER_MAX) * USEC_PER_SEC;
}

static void submission_wait(Submission *s, const Fault *fault) {
    uint64_t left = consent_remaining(s->consent), pause = MAX(s->pause_usec, asked_pause(fault));
    pause = MIN(pause, left > 0 ? left : PAUSE_DEAD_MAX);
    s->pause_usec = MIN(s->pause_usec * 2, PAUSE_MAX);
    sd_event_add_time_relative(s->consent->manager->event, &s->pause, CLOCK_BOOTTIME, pause, 0, on_pause_over, s);
}

static void submission_remember(Submission *s, const Fault *fault) {
    fault_clear(&s->last);
    s->last = fault_copy(fault);
}

static void submission_retry(Submission *s, const Fault *fault) {
    submission_remember(s, fault);
    log_debug("consent %s: not delivered yet: %s", s->consent->id, eonay_error_short_name(fault->code));
    submission_wait(s, fault);
}

/* What made us ask stays the reason, should no answer come. */
static void submission_ask_later(Submission *s, const Fault *fault) {
    if (s->last.code == 0)
        submission_remember(s, fault);
    submission_wait(s, fault);
}

static void on_status(const Fault *fault, sd_bus_message *reply, void *userdata) {
    Submission *s = userdata;
    uint32_t state = 0;
    s->call = NULL;
    if (fault->code == 0 && read_receipt(s->consent, reply, &state) == 0 && state == EONAY_TRANSACTION_DONE) {
        submission_done(s);
        return;
    }
    if (is_passing(fault->code) && s->asked < STATUS_ATTEMPTS_MAX) {
        submission_ask_later(s, fault);
        return;
    }
    Fault f = s->last.code != 0 ? fault_copy(&s->last) : FAULT(EONAY_ERROR_CODE_EXPIRED);
    submission_fail(s, &f);
    fault_clear(&f);
}

static void submission_ask(Submission *s) {
    s->asked++;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    Backend *b = s->consent->backend;
    int r = backend_begin(b, HOST_METHOD_STATUS, &m);
    if (r == 0)
        r = sd_bus_message_append(m, HOST_STATUS_IN, s->consent->transaction);
    if (r >= 0)
        r = backend_call(b, m, on_status, s, &s->call);
    if (r != 0) { /* the host is given a rest */
        Fault f = FAULT(r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED);
        on_status(&f, NULL, s);
    }
}

/* Refused; but an earlier try may have arrived, be it one that only the plugin or a proxy knows of. */
static void submission_doubt(Submission *s, const Fault *fault) {
    submission_remember(s, fault);
    s->asking = true;
    submission_ask(s);
}

static void on_submitted(const Fault *fault, sd_bus_message *reply, void *userdata) {
    Submission *s = userdata;
    uint32_t unused = 0;
    s->call = NULL;
    backend_answered(s->consent->backend, fault);
    crash_point("submit-answered");
    if (fault->code == 0 && read_receipt(s->consent, reply, &unused) == 0) {
        submission_done(s);
        return;
    }
    Fault f = fault->code ? fault_copy(fault) : FAULT(EONAY_ERROR_BACKEND_PROTOCOL);
    bool garbled = f.code == EONAY_ERROR_BACKEND_PROTOCOL;
    if (is_passing(f.code) || (garbled && s->garbled++ < GARBLED_MAX))
        submission_retry(s, &f);
    else
        submission_doubt(s, &f);
    fault_clear(&f);
}

static int append_signatures(const Consent *c, sd_bus_message *m) {
    int r = sd_bus_message_open_container(m, 'a', "ay");
    for (guint i = 0; r >= 0 && i < c->signatures->len; i++) {
        gsize size;
        const void *der = g_bytes_get_data(c->signatures->pdata[i], &size);
        r = sd_bus_message_append_array(m, 'y', der, size);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int submission_send(Submission *s) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    Consent *c = s->consent;
    int r = backend_begin(c->backend, HOST_METHOD_SUBMIT, &m);
    if (r != 0)
        return r;
    if ((r = sd_bus_message_append(m, "ss", c->transaction, c->idempotency_key)) < 0 ||
        (r = append_signatures(c, m)) < 0)
        return r;
    return backend_call(c->backend, m, on_submitted, s, &s->call);
}

static void submission_try(Submission *s) {
    if (s->asking || consent_remaining(s->consent) == 0) {
        submission_ask(s);
        return;
    }
    int r = submission_send(s);
    if (r != 0) {
        Fault f = FAULT(r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED);
        if (is_passing(f.code))
            submission_retry(s, &f);
        else
            submission_fail(s, &f);
        return;
    }
    crash_point("submit-sent");
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    Submission *s = userdata;
    s->pause = sd_event_source_disable_unref(s->pause);
    submission_try(s);
    return 0;
}

void submission_start(Consent *c) {
    Submission *s = g_new0(Submission, 1);
    s->consent = c;
    s->pause_usec = PAUSE_FIRST;
    s->last = FAULT_NONE;
    c->submission = s;
    submission_try(s);
}
