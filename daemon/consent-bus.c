/* SPDX-License-Identifier: Apache-2.0 */
/* org.eonay.EOnay1.Consent: found only by the connection that opened it; for everybody else the object does not exist.
 */
#include <errno.h>

#include "agent.h"
#include "bus-util.h"
#include "consent.h"
#include "error.h"
#include "names.h"
#include "util.h"

static Consent *consent_of(Client *client, sd_bus_message *m) {
    return consent_find(client->manager, sd_bus_message_get_path(m), client);
}

/* --------------------------------------------------------------------------------------------------- appending -- */

int consent_append_texts(Consent *c, sd_bus_message *m) {
    int r = sd_bus_message_open_container(m, 'a', "(sssay)");
    for (guint i = 0; r >= 0 && i < c->texts->len; i++) {
        const Text *t = c->texts->pdata[i];
        gsize size;
        const void *bytes = g_bytes_get_data(t->bytes, &size);
        if ((r = sd_bus_message_open_container(m, 'r', "sssay")) < 0 ||
            (r = sd_bus_message_append(m, "sss", t->title, t->media_type, t->sha256)) < 0 ||
            (r = sd_bus_message_append_array(m, 'y', bytes, size)) < 0)
            return r;
        r = sd_bus_message_close_container(m);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int consent_append_details(Consent *c, sd_bus_message *m) {
    g_autofree char *masked = consent_subject_masked(c);
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 || (r = bus_append_string(m, "ConsentId", c->id)) < 0 ||
        (r = bus_append_string(m, "Requester", c->requester)) < 0 ||
        (r = bus_append_string(m, "Purpose", c->purpose)) < 0 ||
        (r = bus_append_string(m, "Backend", c->backend->instance->name)) < 0 ||
        (r = bus_append_u64(m, "CreatedAt", c->created_at)) < 0 ||
        (r = bus_append_u64(m, "ExpiresAt", c->expires_at)) < 0 ||
        (r = bus_append_u64(m, "RemainingUSec", consent_remaining(c))) < 0 ||
        (r = bus_append_string(m, "Level", c->level)) < 0 || (r = bus_append_string(m, "SubjectMasked", masked)) < 0 ||
        (r = bus_append_string(m, "State", consent_state_name(c->state))) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

int consent_append_receipt(Consent *c, sd_bus_message *m) {
    g_autoptr(GPtrArray) hashes = g_ptr_array_new();
    for (guint i = 0; i < c->texts->len; i++)
        g_ptr_array_add(hashes, ((Text *)c->texts->pdata[i])->sha256);
    g_ptr_array_add(hashes, NULL);
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 || (r = bus_append_string(m, "ConsentId", c->id)) < 0 ||
        (r = bus_append_u64(m, "SubmittedAt", c->submitted_at)) < 0 ||
        (r = bus_append_u64(m, "SignedAt", c->signed_at)) < 0 || (r = bus_append_string(m, "Level", c->level)) < 0 ||
        (r = bus_append_string(m, "CertificateFingerprint", c->fingerprint)) < 0 ||
        (r = bus_append_strv(m, "TextSha256", (char *const *)hashes->pdata)) < 0 ||
        (r = bus_append_string(m, "ReceiptId", c->receipt_id)) < 0 ||
        (r = bus_append_string(m, "Backend", c->backend->instance->name)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

/* ----------------------------------------------------------------------------------------------------- signals -- */

static int new_signal(Consent *c, const char *member, sd_bus_message **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r;
    if ((r = sd_bus_message_new_signal(c->manager->bus, &m, c->path, EONAY_INTERFACE_CONSENT, member)) < 0 ||
        (r = sd_bus_message_set_destination(m, c->owner->name)) < 0)
        return r;
    *ret = TAKE_PTR(m);
    return 0;
}

/* What the token needs from its holder right now. */
static int append_state_details(Consent *c, sd_bus_message *m) {
    const Token *t = c->signing ? signing_token(c->signing) : NULL;
    int r = sd_bus_message_open_container(m, 'a', "{sv}");
    if (r >= 0)
        r = bus_append_u64(m, "RemainingUSec", consent_remaining(c));
    if (r >= 0 && t)
        r = bus_append_bool(m, "PinPad", t->flags & EONAY_TOKEN_PINPAD);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

void consent_announce_state(Consent *c) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    if (!c->owner || new_signal(c, "StateChanged", &m) < 0 ||
        sd_bus_message_append(m, "s", consent_state_name(c->state)) < 0 || append_state_details(c, m) < 0)
        return;
    sd_bus_send(c->manager->bus, m, NULL);
}

static int append_result(Consent *c, const Fault *fault, sd_bus_message *m) {
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 ||
        (r = bus_append_string(m, "State", consent_state_name(c->state))) < 0 ||
        (r = bus_append_bool(m, "Retriable", c->state == CONSENT_REVIEWING)) < 0)
        return r;
    if (fault->code == 0)
        r = bus_append_string(m, "ReceiptId", c->receipt_id);
    else if ((r = bus_append_i32(m, "TriesLeft", fault->tries_left)) >= 0 &&
             (r = bus_append_string(m, "Message", eonay_error_text(fault->code))) >= 0 &&
             (r = bus_append_string(m, "Hint", eonay_error_hint(fault->code))) >= 0)
        r = bus_append_string(m, "Detail", fault->text);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_end(Consent *c, const Fault *fault, sd_bus_message *m) {
    const char *name = fault->code ? fault_name(fault) : "";
    int r = sd_bus_message_append(m, "bs", fault->code == 0, name ? name : "");
    return r < 0 ? r : append_result(c, fault, m);
}

/* The agent whose window is open tells the user how it ended. */
static void tell_agent(Consent *c, const Fault *fault) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    g_autofree char *name = TAKE_PTR(c->agent_name);
    g_autofree char *path = TAKE_PTR(c->agent_path);
    if (name && agent_begin_finished(c->manager, name, path, c->path, &m) >= 0 && append_end(c, fault, m) >= 0)
        sd_bus_send(c->manager->bus, m, NULL);
}

void consent_announce_finished(Consent *c, const Fault *fault) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    tell_agent(c, fault);
    if (c->owner && new_signal(c, "Finished", &m) >= 0 && append_end(c, fault, m) >= 0)
        sd_bus_send(c->manager->bus, m, NULL);
}

/* ----------------------------------------------------------------------------------------------------- methods -- */

typedef int (*Appender)(Consent *c, sd_bus_message *reply);

static int reply_with(Client *client, sd_bus_message *m, sd_bus_error *error, Appender append) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    Consent *c = consent_of(client, m);
    int r;
    if (!c)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if ((r = bus_read_no_options(m, error)) < 0 || (r = sd_bus_message_new_method_return(m, &reply)) < 0 ||
        (r = append(c, reply)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}

static int get_texts(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return reply_with(client, m, error, consent_append_texts);
}

static int get_details(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return reply_with(client, m, error, consent_append_details);
}

static int append_finished_receipt(Consent *c, sd_bus_message *reply) {
    return c->state == CONSENT_DONE ? consent_append_receipt(c, reply) : -ENOENT;
}

static int get_receipt(Client *client, sd_bus_message *m, sd_bus_error *error) {
    int r = reply_with(client, m, error, append_finished_receipt);
    return r == -ENOENT ? fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error) : r;
}

static int get_signature(Client *client, sd_bus_message *m, sd_bus_error *error) {
    uint32_t index = 0;
    const BusOption table[] = {{"index", "u", &index}, {NULL, NULL, NULL}};
    Consent *c = consent_of(client, m);
    int r;
    if (!c)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if ((r = bus_read_options(m, table, error)) < 0)
        return r;
    /* recorded ones only: what is not on disk has not happened */
    if ((c->state != CONSENT_SUBMITTING && c->state != CONSENT_DONE) || index >= c->signatures->len)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    _cleanup_close_ int fd = memfd_write("eonay-signature", c->signatures->pdata[index]);
    if (fd < 0)
        return fd;
    return sd_bus_reply_method_return(m, "h", fd);
}

static int read_sign_options(sd_bus_message *m, SignOptions *o, sd_bus_error *error) {
    const BusOption table[] = {{"accept-text-sha256", "as", &o->accepted},
                               {"pin", "h", &o->pin_fd},
                               {"allow-final-try", "b", &o->allow_final_try},
                               {NULL, NULL, NULL}};
    o->pin_fd = -1;
    o->interactive = sd_bus_message_get_allow_interactive_authorization(m) > 0;
    return bus_read_options(m, table, error);
}

static void sign_options_clear(SignOptions *o) {
    g_strfreev(o->accepted);
}

static int sign(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *path;
    _cleanup_(sign_options_clear) SignOptions o = {0};
    Consent *c = consent_of(client, m);
    int r;
    if (!c)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if ((r = sd_bus_message_read(m, "o", &path)) < 0)
        return r;
    if ((r = read_sign_options(m, &o, error)) < 0)
        return r;
    o.certificate = certificate_find(client->manager, path, client->user);
    if (!o.certificate)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    Fault f = signing_check(c, &o);
    if (f.code != 0) {
        r = fault_to_bus(&f, error);
        fault_clear(&f);
        return r;
    }
    r = sd_bus_reply_method_return(m, NULL);
    signing_start(c, &o);
    return r;
}

static int cancel(Client *client, sd_bus_message *m, sd_bus_error *error) {
    Consent *c = consent_of(client, m);
    int r;
    if (!c)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if ((r = bus_read_no_options(m, error)) < 0)
        return r;
    bool too_late = c->state == CONSENT_VERIFYING || c->state == CONSENT_SUBMITTING ||
                    (c->signing && signing_committed(c->signing));
    if (too_late)
        return fault_code_to_bus(EONAY_ERROR_BUSY, error);
    r = sd_bus_reply_method_return(m, NULL);
    Fault f = FAULT(EONAY_ERROR_CANCELLED);
    consent_end(c, CONSENT_CANCELLED, &f);
    return r;
}

static int close_consent(Client *client, sd_bus_message *m, sd_bus_error *error) {
    Consent *c = consent_of(client, m);
    int r;
    if (!c)
        return fault_code_to_bus(EONAY_ERROR_NOT_FOUND, error);
    if ((r = bus_read_no_options(m, error)) < 0)
        return r;
    r = sd_bus_reply_method_return(m, NULL);
    consent_abandon(c);
    return r;
}

#define METHOD(name, handler)                                                                                          \
    static int method_##handler(sd_bus_message *m, void *userdata, sd_bus_error *error) {                              \
        return client_gate(userdata, m, AUTH_NONE, handler, error);                                                    \
    }

METHOD(GetTexts, get_texts)
METHOD(GetDetails, get_details)
METHOD(Sign, sign)
METHOD(Cancel, cancel)
METHOD(Close, close_consent)
METHOD(GetSignature, get_signature)
METHOD(GetReceipt, get_receipt)

static const sd_bus_vtable consent_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("GetTexts", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a(sssay)", texts),
                            method_get_texts, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetDetails", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", details),
                            method_get_details, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Sign", SD_BUS_ARGS("o", certificate, "a{sv}", options), SD_BUS_NO_RESULT, method_sign,
                            SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_cancel,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Close", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_close_consent,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetSignature", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("h", signature),
                            method_get_signature, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetReceipt", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", receipt),
                            method_get_receipt, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL_WITH_ARGS("StateChanged", SD_BUS_ARGS("s", state, "a{sv}", details), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Finished", SD_BUS_ARGS("b", success, "s", error_name, "a{sv}", result), 0),
    SD_BUS_VTABLE_END,
};

/* Whether the object exists, for whoever is asking now. */
static int find_consent(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                        sd_bus_error *error) {
    (void)interface;
    (void)error;
    Manager *m = userdata;
    sd_bus_message *current = sd_bus_get_current_message(bus);
    const char *sender = current ? sd_bus_message_get_sender(current) : NULL;
    if (!consent_find(m, path, client_find(m, sender)))
        return 0;
    *ret_found = m;
    return 1;
}

int consents_export(Manager *m) {
    return sd_bus_add_fallback_vtable(m->bus, NULL, EONAY_PATH_CONSENT, EONAY_INTERFACE_CONSENT, consent_vtable,
                                      find_consent, m);
}
