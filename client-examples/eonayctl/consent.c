/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sign() returns at once; StateChanged and Finished tell the rest. Signals count only when they come from the
 * connection that answered our calls: anybody on the bus may send a message that looks like one.
 */
#include "consent.h"

#include <string.h>

#include "bus.h"
#include "error.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "state.h"
#include "text.h"
#include "texts.h"

static bool is_from_daemon(const Consent *c, sd_bus_message *m) {
    return g_strcmp0(sd_bus_message_get_sender(m), c->ctl->daemon) == 0;
}

static int on_state_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Consent *c = userdata;
    const char *state;
    if (!is_from_daemon(c, m) || sd_bus_message_read(m, "s", &state) < 0)
        return 0;
    g_free(c->state);
    c->state = text_clean(state);
    return 0;
}

static int on_finished(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Consent *c = userdata;
    const char *name;
    int success;
    json_t *result = NULL;
    if (!is_from_daemon(c, m) || sd_bus_message_read(m, "bs", &success, &name) < 0 || json_read(m, &result) < 0)
        return 0;
    json_decref(c->result);
    g_free(c->error);
    c->result = result;
    c->error = g_strdup(name);
    c->success = success;
    c->ended = true;
    return 0;
}

static int follow(Consent *c) {
    int r = sd_bus_match_signal(c->ctl->bus, NULL, EONAY_BUS_NAME, c->path, EONAY_INTERFACE_CONSENT, "StateChanged",
                                on_state_changed, c);
    if (r >= 0)
        r = sd_bus_match_signal(c->ctl->bus, NULL, EONAY_BUS_NAME, c->path, EONAY_INTERFACE_CONSENT, "Finished",
                                on_finished, c);
    if (r >= 0)
        r = bus_watch_daemon(c->ctl);
    return r < 0 ? failure_report(c->ctl, r, NULL) : CTL_OK;
}

static int redeem(Ctl *ctl, const char *code, const char *backend, Consent *c) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    const char *path;
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "OpenConsent");
    if (m) {
        sd_bus_message_sensitive(m);
        sd_bus_message_append(m, "s", code);
        sd_bus_message_open_container(m, 'a', "{sv}");
        bus_append_string(m, "backend", backend);
        sd_bus_message_close_container(m);
    }
    int r = bus_call_or_report(ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = sd_bus_message_read(reply, "o", &path);
    if (r < 0)
        return failure_report_errno(ctl, r);
    c->path = g_strdup(path);
    return CTL_OK;
}

/* A call on the consent without options. */
static int ask(Consent *c, const char *member, sd_bus_message **ret) {
    sd_bus_message *m = bus_method(c->ctl, c->path, EONAY_INTERFACE_CONSENT, member);
    if (m)
        sd_bus_message_append(m, "a{sv}", 0);
    return bus_call_or_report(c->ctl, m, ret);
}

static int ask_dictionary(Consent *c, const char *member, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = ask(c, member, &reply);
    if (r != CTL_OK)
        return r;
    r = json_read(reply, ret);
    return r < 0 ? failure_report_errno(c->ctl, r) : CTL_OK;
}

static int read_texts(Consent *c) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = ask(c, "GetTexts", &reply);
    if (r != CTL_OK)
        return r;
    r = texts_read(reply, &c->texts);
    if (r < 0)
        return failure_report_errno(c->ctl, r);
    return r > 0 ? failure_report_code(c->ctl, r, NULL) : CTL_OK;
}

int consent_open(Ctl *ctl, const char *code, const char *backend, Consent *c) {
    c->ctl = ctl;
    int r = redeem(ctl, code, backend, c);
    if (r == CTL_OK)
        r = follow(c);
    if (r == CTL_OK)
        r = ask_dictionary(c, "GetDetails", &c->details);
    if (r == CTL_OK)
        r = read_texts(c);
    return r;
}

void consent_clear(Consent *c) {
    g_clear_pointer(&c->path, g_free);
    g_clear_pointer(&c->details, json_decref);
    g_clear_pointer(&c->texts, g_ptr_array_unref);
    g_clear_pointer(&c->state, g_free);
    g_clear_pointer(&c->error, g_free);
    g_clear_pointer(&c->result, json_decref);
}

static sd_bus_message *sign_message(Consent *c, const ConsentSign *how) {
    sd_bus_message *m = bus_method(c->ctl, c->path, EONAY_INTERFACE_CONSENT, "Sign");
    if (!m || sd_bus_message_append(m, "o", how->certificate) < 0 || sd_bus_message_open_container(m, 'a', "{sv}") < 0)
        return m;
    if (how->accept)
        texts_accept(m, c->texts);
    bus_append_fd(m, "pin", how->pin_fd);
    if (how->allow_final_try)
        bus_append_bool(m, "allow-final-try", true);
    sd_bus_message_close_container(m);
    return m;
}

static int wait_for_end(Consent *c, Terminal *terminal) {
    int r = 0;
    while (r == 0 && !c->ended) {
        terminal_countdown(terminal, state_of_consent(c->state), json_get_integer(c->details, "ExpiresAt", 0));
        r = bus_turn(c->ctl, USEC_PER_SEC);
    }
    terminal_status(terminal, NULL);
    if (c->ended)
        return CTL_OK;
    return failure_report(c->ctl, r, NULL);
}

int consent_sign(Consent *c, const ConsentSign *how, Terminal *terminal) {
    if (c->ended && !json_get_bool(c->result, "Retriable", false))
        return consent_report(c); /* it ended while the user was asked */
    c->ended = c->success = false;
    int r = bus_call_or_report(c->ctl, sign_message(c, how), NULL);
    return r == CTL_OK ? wait_for_end(c, terminal) : r;
}

int consent_report(const Consent *c) {
    int64_t tries = json_get_integer(c->result, "TriesLeft", -1);
    int code = eonay_error_from_name(c->error);
    g_autofree char *left = NULL;
    if (tries >= 0 && failure_exit(code) == CTL_PIN)
        left = g_strdup_printf(_("PIN tries left: %lld"), (long long)tries);
    if (left && code > 0)
        return failure_report_code(c->ctl, code, left);
    return failure_report_named(c->ctl, c->error, json_get_string(c->result, "Hint", NULL));
}

void consent_cancel(Consent *c) {
    sd_bus_message *m = NULL;
    if (!c->path || (c->ended && c->success) ||
        sd_bus_message_new_method_call(c->ctl->bus, &m, EONAY_BUS_NAME, c->path, EONAY_INTERFACE_CONSENT, "Cancel") < 0)
        return;
    if (sd_bus_message_append(m, "a{sv}", 0) >= 0)
        sd_bus_call(c->ctl->bus, m, 2 * USEC_PER_SEC, NULL, NULL);
    sd_bus_message_unref(m);
}

int consent_signature(Consent *c, unsigned index, GBytes **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int fd;
    sd_bus_message *m = bus_method(c->ctl, c->path, EONAY_INTERFACE_CONSENT, "GetSignature");
    if (m)
        sd_bus_message_append(m, "a{sv}", 1, "index", "u", (uint32_t)index);
    int r = bus_call_or_report(c->ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = sd_bus_message_read(reply, "h", &fd);
    if (r >= 0)
        r = file_from_memfd(fd, EONAY_SIGNATURE_SIZE_MAX, ret);
    return r < 0 ? failure_report_errno(c->ctl, r) : CTL_OK;
}

int consent_receipt(Consent *c, json_t **ret) {
    return ask_dictionary(c, "GetReceipt", ret);
}
