/* SPDX-License-Identifier: Apache-2.0 */
/* The asking part of one Sign(): polkit, the texts, the PIN. The PIN's pipe is waited for, never read. */
#include "bus-util.h"
#include "crash-point.h"
#include "names.h"
#include "signing-private.h"
#include "util.h"

/* ----------------------------------------------------------------------------------------------------- the PIN -- */

static void on_pin_delivered(int r, void *userdata) {
    Signing *s = userdata;
    if (r != 0)
        signing_fail_code(s, r);
    else
        signing_take_token(s);
}

static void signing_wait_for_pin(Signing *s, int fd) {
    Manager *m = s->consent->manager;
    int r = pinpipe_wait(m->event, fd, m->config->pin_delivery * USEC_PER_MSEC, on_pin_delivered, s, &s->pin);
    if (r != 0)
        signing_fail_code(s, r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED);
}

static void on_agent_pin(int r, int fd, void *userdata) {
    Signing *s = userdata;
    s->agent_call = NULL;
    if (r != 0)
        signing_fail_code(s, r);
    else
        signing_wait_for_pin(s, fd);
}

static int append_text_hashes(const Consent *c, sd_bus_message *m) {
    g_autoptr(GPtrArray) hashes = g_ptr_array_new();
    for (guint i = 0; i < c->texts->len; i++)
        g_ptr_array_add(hashes, ((Text *)c->texts->pdata[i])->sha256);
    g_ptr_array_add(hashes, NULL);
    return bus_append_strv(m, "TextSha256", (char *const *)hashes->pdata);
}

/* The local program as far as known: what the bus can tell is the process id, and a process cannot be trusted to name
 * itself. */
static char *describe_caller(const Signing *s) {
    const Client *caller = s->consent->owner;
    return caller ? g_strdup_printf("%s (pid %d)", caller->name, (int)caller->pid) : g_strdup("");
}

/* Who takes the PIN: the agent that is asked now, the keypad of the reader, or the program that brought it. */
static const char *pin_entry(const Signing *s) {
    if (s->pin_fd >= 0 || s->by_credential)
        return "caller";
    return s->token->flags & EONAY_TOKEN_PINPAD ? "reader" : "agent";
}

static int append_agent_details(const Signing *s, sd_bus_message *m) {
    const Consent *c = s->consent;
    const Token *t = s->token;
    g_autofree char *caller = describe_caller(s);
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 ||
        (r = bus_append_string(m, "Requester", c->requester)) < 0 || (r = bus_append_string(m, "Caller", caller)) < 0 ||
        (r = bus_append_string(m, "TokenLabel", t->label)) < 0 ||
        (r = bus_append_string(m, "CertificateSubject", s->subject)) < 0 || (r = append_text_hashes(c, m)) < 0 ||
        (r = bus_append_string(m, "Reason", s->attempts > 1 ? "incorrect" : "first")) < 0 ||
        (r = bus_append_i32(m, "TriesLeft", s->tries_left)) < 0 ||
        (r = bus_append_bool(m, "FinalTry", t->flags & EONAY_TOKEN_PIN_FINAL_TRY)) < 0 ||
        (r = bus_append_u32(m, "MinLength", t->pin_min)) < 0 || (r = bus_append_u32(m, "MaxLength", t->pin_max)) < 0 ||
        (r = bus_append_u64(m, "CreatedAt", c->created_at)) < 0 ||
        (r = bus_append_u64(m, "ExpiresAt", c->expires_at)) < 0 ||
        (r = bus_append_u64(m, "RemainingUSec", consent_remaining(c))) < 0 ||
        (r = bus_append_string(m, "PinEntry", pin_entry(s))) < 0 ||
        (r = bus_append_u32(m, "CallerPid", c->owner ? (uint32_t)c->owner->pid : 0)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

static int ask_agent(Signing *s, Agent *agent, const char *member, bool with_texts, AgentHandler handler) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    Consent *c = s->consent;
    int r;
    if ((r = agent_begin(agent, member, c->path, &m)) < 0 || (with_texts && (r = consent_append_texts(c, m)) < 0) ||
        (r = append_agent_details(s, m)) < 0)
        return r;
    consent_asks(c, agent->client->name, agent->path);
    return agent_call(agent, m, c->path, !with_texts, consent_remaining(c), handler, s, &s->agent_call);
}

void signing_ask_pin(Signing *s) {
    Consent *c = s->consent;
    consent_set_state(c, CONSENT_AWAITING_PIN);
    s->attempts++;
    if (s->pin_fd >= 0) {
        _cleanup_close_ int fd = TAKE_FD(s->pin_fd);
        signing_wait_for_pin(s, fd);
        return;
    }
    if (s->by_credential || s->token->flags & EONAY_TOKEN_PINPAD) {
        signing_take_token(s);
        return;
    }
    Agent *agent = agent_find(c->manager, c->owner, c->user);
    s->by_agent = true;
    if (!agent || ask_agent(s, agent, "RequestPin", false, on_agent_pin) < 0)
        signing_fail_code(s, EONAY_ERROR_NO_AGENT);
}

/* --------------------------------------------------------------------------------- authorisation and the texts -- */

static void on_confirmed(int r, int fd, void *userdata) {
    (void)fd;
    Signing *s = userdata;
    s->agent_call = NULL;
    if (r != 0) {
        signing_fail_code(s, r);
        return;
    }
    s->confirmed_at = (uint64_t)g_get_real_time();
    crash_point("confirmed");
    signing_ask_pin(s);
}

void signing_confirm(Signing *s) {
    Consent *c = s->consent;
    crash_point("authorised");
    if (s->accepted) {
        signing_ask_pin(s);
        return;
    }
    consent_set_state(c, CONSENT_CONFIRMING);
    Agent *agent = agent_find(c->manager, c->owner, c->user);
    s->confirmed_by = agent ? agent_kind(agent, c->owner) : NULL;
    if (!agent || ask_agent(s, agent, "ConfirmText", true, on_confirmed) < 0)
        signing_fail_code(s, EONAY_ERROR_NO_AGENT);
}

static void on_authorised(const sd_bus_error *refusal, void *userdata) {
    Signing *s = userdata;
    s->authorisation = NULL;
    if (!refusal) {
        signing_prepare_level(s);
        return;
    }
    Fault f = fault_printf(EONAY_ERROR_CANCELLED, "%s", refusal->message);
    f.bus_name = sd_bus_error_has_name(refusal, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)
                     ? SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED
                     : SD_BUS_ERROR_ACCESS_DENIED;
    signing_fail(s, &f);
    fault_clear(&f);
}

void signing_authorise(Signing *s) {
    const char *details[] = {"requester", s->consent->requester, "token", s->token->label, "certificate", s->subject,
                             NULL};
    int r = authorise(s->consent->owner, AUTH_SIGN, s->interactive, details, on_authorised, s, &s->authorisation);
    if (r < 0)
        signing_fail_code(s, EONAY_ERROR_PLUGIN_FAILED);
}
