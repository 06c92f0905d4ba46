/* SPDX-License-Identifier: Apache-2.0 */
/* OpenConsent, and SignConsent: the whole way in one call, for scripts. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent.h"
#include "bus-util.h"
#include "code-digits.h"
#include "consent.h"
#include "manager-bus.h"
#include "pinpipe.h"
#include "translate.h"
#include "util.h"

/* A call that waits for a consent. */
typedef struct ConsentCall {
    Manager *manager;
    sd_bus_message *message;
    char *certificate; /* "/": the only usable one */
    SignOptions options;
} ConsentCall;

static void consent_call_free(ConsentCall *call) {
    sd_bus_message_unref(call->message);
    g_free(call->certificate);
    g_strfreev(call->options.accepted);
    safe_close(call->options.pin_fd);
    g_free(call);
}

static ConsentCall *consent_call_new(Manager *m, sd_bus_message *message) {
    ConsentCall *call = g_new0(ConsentCall, 1);
    call->manager = m;
    call->message = sd_bus_message_ref(message);
    call->options.pin_fd = -1;
    return call;
}

static void consent_call_refuse(ConsentCall *call, const Fault *fault) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    fault_to_bus(fault, &error);
    sd_bus_reply_method_error(call->message, &error);
    consent_call_free(call);
}

/* What both begin with: code, backend and the caller's limit. */
static int start_opening(Client *client, const char *pasted, const char *backend, ConsentOpened handler,
                         ConsentCall *call, sd_bus_error *error) {
    char code[CODE_DIGITS + 1];
    Manager *m = client->manager;
    if (!code_normalise(pasted, code))
        return fault_code_to_bus(EONAY_ERROR_CODE_INVALID, error);
    Backend *b = backend_find(m, backend);
    if (!b)
        return fault_code_to_bus(EONAY_ERROR_BACKEND_UNKNOWN, error);
    if (!journal_usable(m->journal))
        return fault_code_to_bus(EONAY_ERROR_STORAGE_FAILED, error); /* before the code is spent */
    if (client->user->n_consents >= m->config->consents_per_user)
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 _("At most %u consents of one user at a time: close those that are finished."),
                                 (unsigned)m->config->consents_per_user);
    int r = consent_open(client, b, code, handler, call);
    explicit_bzero(code, sizeof(code));
    return r > 0 ? fault_code_to_bus(r, error) : r;
}

/* ------------------------------------------------------------------------------------------------- OpenConsent -- */

static void on_opened(Consent *c, const Fault *fault, void *userdata) {
    ConsentCall *call = userdata;
    if (!c) {
        consent_call_refuse(call, fault);
        return;
    }
    sd_bus_reply_method_return(call->message, "o", c->path);
    consent_call_free(call);
}

int manager_open_consent(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *code, *backend = NULL;
    const BusOption table[] = {{"backend", "s", &backend}, {NULL, NULL, NULL}};
    int r;
    if ((r = sd_bus_message_read(m, "s", &code)) < 0 || (r = bus_read_options(m, table, error)) < 0)
        return r;
    ConsentCall *call = consent_call_new(client->manager, m);
    r = start_opening(client, code, backend, on_opened, call, error);
    if (r >= 0)
        return 1;
    consent_call_free(call);
    return r;
}

/* ------------------------------------------------------------------------------------------------- SignConsent -- */

static void reply_receipt(ConsentCall *call, Consent *c) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    if (sd_bus_message_new_method_return(call->message, &reply) >= 0 && consent_append_receipt(c, reply) >= 0)
        sd_bus_send(NULL, reply, NULL);
    consent_call_free(call);
}

/* One call is one try: what could be tried again on the object ends here. */
static void on_ended(Consent *c, const Fault *fault, void *userdata) {
    ConsentCall *call = userdata;
    if (fault->code == 0)
        reply_receipt(call, c);
    else
        consent_call_refuse(call, fault);
    if (consent_state_is_final(c->state))
        c->owner = NULL; /* whoever ended it now takes it off the list */
    else
        consent_abandon(c);
}

static Certificate *only_usable(const Consent *c, unsigned *ret_n) {
    Certificate *found = NULL;
    GHashTableIter iter;
    gpointer value;
    *ret_n = 0;
    g_hash_table_iter_init(&iter, c->manager->certificates);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Certificate *certificate = value;
        if (token_visible(certificate->token, c->user) && certificate_reasons(certificate, c->subject) == 0) {
            found = certificate;
            ++*ret_n;
        }
    }
    return found;
}

static Fault choose_certificate(const ConsentCall *call, const Consent *c, Certificate **ret) {
    unsigned n;
    if (strcmp(call->certificate, "/") != 0) {
        *ret = certificate_find(call->manager, call->certificate, c->user);
        return FAULT(*ret ? 0 : EONAY_ERROR_NOT_FOUND);
    }
    *ret = only_usable(c, &n);
    if (n == 1)
        return FAULT_NONE;
    return n == 0 ? FAULT(EONAY_ERROR_NO_CERTIFICATE)
                  : fault_printf(EONAY_ERROR_NO_CERTIFICATE, "%u are usable: name one of them", n);
}

static void on_opened_to_sign(Consent *c, const Fault *fault, void *userdata) {
    ConsentCall *call = userdata;
    if (!c) {
        consent_call_refuse(call, fault);
        return;
    }
    c->ended = on_ended;
    c->userdata = call;
    Fault f = choose_certificate(call, c, &call->options.certificate);
    if (f.code == 0)
        f = signing_check(c, &call->options);
    if (f.code == 0)
        signing_start(c, &call->options);
    else {
        c->ended = NULL;
        consent_call_refuse(call, &f);
        consent_abandon(c);
    }
    fault_clear(&f);
}

static int read_sign_options(sd_bus_message *m, ConsentCall *call, const char **backend, sd_bus_error *error) {
    SignOptions *o = &call->options;
    int pin = -1;
    const BusOption table[] = {{"accept-text-sha256", "as", &o->accepted},
                               {"pin", "h", &pin},
                               {"allow-final-try", "b", &o->allow_final_try},
                               {"backend", "s", backend},
                               {NULL, NULL, NULL}};
    int r = bus_read_options(m, table, error);
    if (r < 0)
        return r;
    o->interactive = sd_bus_message_get_allow_interactive_authorization(m) > 0;
    o->pin_fd = pin >= 0 ? fcntl(pin, F_DUPFD_CLOEXEC, 3) : -1;
    return 0;
}

/* What would fail anyway is refused before the code is spent on it. */
static int check_before_opening(Client *client, const ConsentCall *call, sd_bus_error *error) {
    const SignOptions *o = &call->options;
    bool by_name = strcmp(call->certificate, "/") != 0;
    if (by_name && !modules_listing(client->manager) &&
        !certificate_find(client->manager, call->certificate, client->user))
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if (!agent_find(client->manager, client, client->user) && !o->accepted)
        return fault_code_to_bus(o->pin_fd >= 0 ? EONAY_ERROR_TEXT_MISMATCH : EONAY_ERROR_NO_AGENT, error);
    int r = o->pin_fd >= 0 ? pinpipe_check(o->pin_fd) : 0;
    return r > 0 ? fault_code_to_bus(r, error) : r;
}

int manager_sign_consent(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *code, *certificate, *backend = NULL;
    int r = sd_bus_message_read(m, "so", &code, &certificate);
    if (r < 0)
        return r;
    ConsentCall *call = consent_call_new(client->manager, m);
    call->certificate = g_strdup(certificate);
    if ((r = read_sign_options(m, call, &backend, error)) >= 0)
        r = check_before_opening(client, call, error);
    bool too_early = r >= 0 && modules_listing(client->manager); /* the code would be spent for what is not there yet */
    if (r >= 0 && !too_early)
        r = start_opening(client, code, backend, on_opened_to_sign, call, error);
    if (r >= 0 && !too_early)
        return 1;
    consent_call_free(call);
    if (too_early && (r = sd_bus_message_rewind(m, true)) >= 0)
        return manager_wait_for_tokens(client, m, manager_sign_consent, error);
    return r;
}
