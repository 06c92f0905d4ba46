/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token's part of one Sign(). The record is flushed to disk while the token checks the PIN, and Sign is sent right
 * behind Login: that is where the time goes.
 */
#include <string.h>

#include "bus-util.h"
#include "cades.h"
#include "crash-point.h"
#include "error.h"
#include "host-protocol.h"
#include "log.h"
#include "messages.h"
#include "names.h"
#include "reader.h"
#include "signing-private.h"
#include "sleep.h"
#include "util.h"

#define PIN_ATTEMPTS_MAX 3u /* prompts of the agent in one Sign() */
#define REMOVAL_PATIENCE (600u * USEC_PER_MSEC)

static void signing_send_sign(Signing *s);

/* The token must not stay logged in for a signature nobody wants any more. */
static void signing_abort(Signing *s) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    Host *host = token_signer(s->token);
    if (!s->pin_by_pipe) {
        host_kill(host); /* it waits at the reader's keypad and would not hear us */
        return;
    }
    if (host_running(host) && host_begin(host, HOST_METHOD_ABORT, &m) == 0 &&
        sd_bus_message_append(m, "t", s->request) >= 0)
        host_call(host, m, s->token->manager->config->sign_deadline * USEC_PER_MSEC, NULL, NULL, NULL);
}

void signing_clear_try(Signing *s) {
    if (s->login && !s->sign_sent)
        signing_abort(s);
    if (s->login)
        host_call_forget(s->login);
    if (s->sign)
        host_call_forget(s->sign);
    s->login = s->sign = NULL;
    s->pin = pinpipe_free(s->pin);
    s->turn = token_release(s->turn);
    g_ptr_array_set_size(s->cades, 0);
    journal_forget(s->consent->manager->journal, s);
    s->record_durable = false;
}
static int on_still_there(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    Signing *s = userdata;
    Fault f = fault_copy(&s->doubted);
    signing_fail(s, &f);
    fault_clear(&f);
    return 0;
}

/*
 * A module whose card is pulled says so in words of its own ("device error"), and often before the reader does. So the
 * end waits a moment for the reader's news, which is TokenRemoved.
 */
static void signing_fail_at_token(Signing *s, const Fault *fault) {
    const Token *t = s->token;
    bool doubtful = fault->code == EONAY_ERROR_PLUGIN_FAILED && reader_find(t->manager->readers, t->reader);
    if (doubtful && sd_event_add_time_relative(t->manager->event, &s->doubt, CLOCK_MONOTONIC, REMOVAL_PATIENCE, 0,
                                               on_still_there, s) >= 0)
        s->doubted = fault_copy(fault);
    else
        signing_fail(s, fault);
}

static uint64_t next_request(void) {
    static uint64_t counter;
    return ++counter;
}

/* --------------------------------------------------------------------------------------------- after the token -- */

static void on_signature_recorded(int r, void *userdata) {
    Signing *s = userdata;
    Consent *c = s->consent;
    if (r != 0) {
        signing_fail_code(s, r);
        return;
    }
    crash_point("signature-recorded");
    c->signing = NULL;
    consent_set_state(c, CONSENT_SUBMITTING); /* first of all: somebody waits for it */
    signing_free(s);
    sleep_signing_ended(c->manager->sleep);
    submission_start(c);
}

/* 0, or SIGNATURE_INVALID: nothing unverified leaves. */
static Fault finish_signature(Consent *c, Cades *cades, const void *value, size_t size) {
    uint8_t *der;
    size_t der_size;
    const char *why = "?";
    int r = cades_finish(cades, value, size, &der, &der_size, &why);
    if (r == 0) {
        g_ptr_array_add(c->signatures, g_bytes_new_with_free_func(der, der_size, free, der));
        return FAULT_NONE;
    }
    g_autofree char *id = g_strdup_printf("EONAY_CONSENT=%s", c->id);
    g_autofree char *uid = g_strdup_printf("EONAY_CALLER_UID=%u", (unsigned)c->uid);
    const char *fields[] = {id, uid, NULL};
    log_event(LOG_ERR, MESSAGE_SIGNATURE_REFUSED, fields, "the token's signature was refused: %s", why);
    return fault_printf(r > 0 ? r : EONAY_ERROR_SIGNATURE_INVALID, "%s", why);
}

static Fault finish_signatures(Signing *s, sd_bus_message *reply) {
    const void *value;
    size_t size;
    guint n = 0;
    if (sd_bus_message_enter_container(reply, 'a', "ay") < 0)
        return FAULT(EONAY_ERROR_PLUGIN_FAILED);
    while (sd_bus_message_at_end(reply, false) == 0) {
        if (sd_bus_message_read_array(reply, 'y', &value, &size) < 0 || n >= s->cades->len)
            return FAULT(EONAY_ERROR_PLUGIN_FAILED);
        Fault f = finish_signature(s->consent, s->cades->pdata[n++], value, size);
        if (f.code != 0)
            return f;
    }
    return n == s->cades->len ? FAULT_NONE : FAULT(EONAY_ERROR_PLUGIN_FAILED);
}

static void on_sign_answer(const Fault *fault, sd_bus_message *reply, void *userdata) {
    Signing *s = userdata;
    Consent *c = s->consent;
    s->sign = NULL;
    crash_point("sign-answered");
    s->turn = token_release(s->turn);
    if (fault->code != 0) {
        signing_fail_at_token(s, fault);
        return;
    }
    consent_set_state(c, CONSENT_VERIFYING);
    Fault f = finish_signatures(s, reply);
    if (f.code != 0) {
        g_ptr_array_set_size(c->signatures, 0);
        signing_fail(s, &f);
        fault_clear(&f);
        return;
    }
    crash_point("verified");
    token_right_pin(s->token, c->user);
    c->signed_at = s->signing_time * USEC_PER_SEC;
    c->fingerprint = g_strdup(s->fingerprint);
    signing_raise(s);
}

void signing_record(Signing *s) {
    Consent *c = s->consent;
    journal_signed(c->manager->journal, c->id, c->signed_at, (GBytes *const *)c->signatures->pdata, c->signatures->len,
                   on_signature_recorded, s);
}

/* --------------------------------------------------------------------------------------------------- the token -- */

static int append_digests(Signing *s, sd_bus_message *m) {
    int r = sd_bus_message_open_container(m, 'a', "ay");
    for (guint i = 0; r >= 0 && i < s->cades->len; i++) {
        size_t size;
        const uint8_t *digest = cades_digest(s->cades->pdata[i], &size);
        r = sd_bus_message_append_array(m, 'y', digest, size);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int send_sign(Signing *s) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    Host *host = token_signer(s->token);
    gsize size;
    const void *der = g_bytes_get_data(s->certificate, &size);
    int r = host_begin(host, HOST_METHOD_SIGN, &m);
    if (r != 0)
        return r;
    if ((r = sd_bus_message_append(m, "ts", s->request, s->token->key)) < 0 ||
        (r = sd_bus_message_append_array(m, 'y', der, size)) < 0 ||
        (r = sd_bus_message_append(m, "u", s->mechanism)) < 0 || (r = append_digests(s, m)) < 0)
        return r;
    uint64_t deadline = s->consent->manager->config->sign_deadline * USEC_PER_MSEC * s->cades->len;
    return host_call(host, m, deadline, on_sign_answer, s, &s->sign);
}

static void on_signing_recorded(int r, void *userdata) {
    Signing *s = userdata;
    if (r != 0) {
        signing_fail_code(s, r);
        return;
    }
    crash_point("signing-recorded");
    s->record_durable = true;
    if (s->pin_by_pipe || !s->login)
        signing_send_sign(s);
    /* else somebody has to type at the reader first, which may take long: until then there is a way back */
}

static void signing_send_sign(Signing *s) {
    if (!s->pin_by_pipe && consent_remaining(s->consent) < EONAY_LIFE_MARGIN_USEC) {
        signing_fail_code(s, EONAY_ERROR_CODE_EXPIRED);
        return;
    }
    s->sign_sent = true;
    int r = send_sign(s);
    if (r != 0) {
        signing_fail_code(s, r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED);
        return;
    }
    crash_point("sign-sent");
    if (s->pin_by_pipe)
        token_pass(s->turn);
}

static void on_wrong_pin(Signing *s, const Fault *fault) {
    Consent *c = s->consent;
    g_autofree char *id = g_strdup_printf("EONAY_CONSENT=%s", c->id);
    g_autofree char *uid = g_strdup_printf("EONAY_CALLER_UID=%u", (unsigned)c->uid);
    g_autofree char *token = g_strdup_printf("EONAY_TOKEN=%s", s->token->path);
    g_autofree char *caller = g_strdup_printf("EONAY_CALLER=%s", c->owner ? c->owner->name : "");
    const char *fields[] = {id, uid, token, caller, NULL};
    log_event(LOG_WARNING, MESSAGE_PIN_INCORRECT, fields, "wrong PIN, tries left: %d", fault->tries_left);
    token_wrong_pin(s->token, c->user);
    s->token->credential_wrong |= s->by_credential;
    s->tries_left = fault->tries_left;
    bool again = s->by_agent && s->attempts < PIN_ATTEMPTS_MAX && agent_find(c->manager, c->owner, c->user) &&
                 token_may_try(s->token, c->user, s->fingerprint, s->allow_final_try) == 0;
    if (!again) {
        signing_fail(s, fault);
        return;
    }
    journal_ended(c->manager->journal, c->id, consent_state_name(CONSENT_REVIEWING), NULL, NULL, NULL);
    signing_clear_try(s);
    s->recorded = false;
    signing_ask_pin(s);
}

static bool fault_is_crash(const Fault *fault) {
    return fault->code == EONAY_ERROR_PLUGIN_CRASHED || fault->code == EONAY_ERROR_PLUGIN_TIMEOUT;
}

/* The host died of the signature before this one, with our PIN still in its pipe: another host gets it. Once. */
static void signing_send_again(Signing *s) {
    PinPipe *pin = TAKE_PTR(s->pin);
    s->sent_again = true;
    signing_clear_try(s);
    s->pin = pin;
    signing_take_token(s);
}

/* What the host says of the token now; its listeners hear of it when it is news. */
static void look_at_token(Token *t, sd_bus_message *reply) {
    uint32_t flags = t->flags;
    g_autofree char *state = g_strdup(t->state);
    if (token_update(t, reply) >= 0 && (t->flags != flags || g_strcmp0(t->state, state) != 0))
        token_announce_change(t);
}

static void on_login_answer(const Fault *fault, sd_bus_message *reply, void *userdata) {
    Signing *s = userdata;
    s->login = NULL;
    if (reply)
        look_at_token(s->token, reply);
    crash_point("login-answered");
    if (fault->code == 0) {
        s->pin = pinpipe_free(s->pin);
        if (!s->pin_by_pipe && s->record_durable)
            signing_send_sign(s);
        return; /* else Sign is on its way, or waits for the record */
    }
    /* the host refuses the Sign behind a failed Login, so nothing was signed */
    bool untouched = fault_is_crash(fault) && s->pin && pinpipe_is_full(s->pin);
    if (s->sign)
        host_call_forget(s->sign);
    s->sign = NULL;
    s->sign_sent = false;
    if (untouched && !s->sent_again) {
        signing_send_again(s);
        return;
    }
    if (fault->code == EONAY_ERROR_PIN_INCORRECT)
        on_wrong_pin(s, fault);
    else
        signing_fail_at_token(s, fault);
}

/* Of a PIN that was in order before, a right one changes nothing: looking at the token would keep it from signing. */
static uint32_t login_flags(const Signing *s) {
    uint32_t bad = EONAY_TOKEN_PIN_LOW | EONAY_TOKEN_PIN_FINAL_TRY | EONAY_TOKEN_PIN_LOCKED;
    return (s->allow_final_try ? EONAY_LOGIN_ALLOW_FINAL_TRY : 0) | (s->by_credential ? HOST_LOGIN_CREDENTIAL : 0) |
           (s->token->flags & bad ? 0 : HOST_LOGIN_QUIET);
}

static int send_login(Signing *s) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    const Config *config = s->consent->manager->config;
    Host *host = token_signer(s->token);
    int r = host_begin(host, HOST_METHOD_LOGIN, &m);
    if (r != 0)
        return r;
    s->request = next_request();
    if ((r = sd_bus_message_append(m, "ts", s->request, s->token->key)) < 0)
        return r;
    r = s->pin ? sd_bus_message_append(m, "ah", 1, pinpipe_fd(s->pin)) : sd_bus_message_append(m, "ah", 0);
    if (r < 0 || (r = sd_bus_message_append(m, "u", login_flags(s))) < 0)
        return r;
    s->pin_by_pipe = s->pin || s->by_credential;
    uint64_t deadline = (s->pin_by_pipe ? config->login_deadline : config->pinpad_deadline) * USEC_PER_MSEC;
    return host_call(host, m, deadline, on_login_answer, s, &s->login);
}

/* One SignedData a text, all with the same signing time. */
static int build_signatures(Signing *s) {
    gsize certificate_size;
    const void *certificate = g_bytes_get_data(s->certificate, &certificate_size);
    const GPtrArray *texts = s->consent->texts;
    s->signing_time = (uint64_t)g_get_real_time() / USEC_PER_SEC;
    for (guint i = 0; i < texts->len; i++) {
        gsize size;
        const void *bytes = g_bytes_get_data(((Text *)texts->pdata[i])->bytes, &size);
        Cades *cades;
        int r = cades_new_with_policy(certificate, certificate_size, bytes, size, (int64_t)s->signing_time,
                                      s->mechanism, cades_level_traits(s->level)->policy, &cades);
        if (r != 0)
            return r;
        g_ptr_array_add(s->cades, cades);
    }
    return 0;
}

static void on_turn(void *userdata) {
    Signing *s = userdata;
    Consent *c = s->consent;
    Fault overdue = token_overdue(s->turn);
    if (overdue.code != 0) {
        signing_fail(s, &overdue);
        fault_clear(&overdue);
        return;
    }
    if (consent_remaining(c) < EONAY_LIFE_MARGIN_USEC) {
        signing_fail_code(s, EONAY_ERROR_CODE_EXPIRED); /* no signature for a code that would be dead on arrival */
        return;
    }
    int r = token_may_try(s->token, c->user, s->fingerprint, s->allow_final_try);
    if (r == 0)
        r = build_signatures(s);
    if (r == 0)
        r = send_login(s);
    if (r != 0) {
        signing_fail_code(s, r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED);
        return;
    }
    crash_point("login-sent");
    s->recorded = true;
    consent_set_state(c, CONSENT_SIGNING);
    const JournalSigning record = {.fingerprint = s->fingerprint,
                                   .certificate = s->certificate,
                                   .mechanism = s->mechanism,
                                   .idempotency_key = c->idempotency_key,
                                   .confirmed_at = s->confirmed_at,
                                   .confirmed_by = s->confirmed_by};
    journal_signing(c->manager->journal, c->id, &record, on_signing_recorded, s);
}

void signing_take_token(Signing *s) {
    crash_point("pin-delivered");
    const Consent *c = s->consent;
    if (token_wait(s->token, c->user, c->owner, on_turn, s, &s->turn) == 0)
        return;
    Fault f = token_busy(s->token);
    signing_fail(s, &f);
    fault_clear(&f);
}
