/* SPDX-License-Identifier: Apache-2.0 */
/* org.eonay.EOnay1.Manager: codes, certificates, files, agents. Consents and records have files of their own. */
#include "manager-bus.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent.h"
#include "backend.h"
#include "bus-util.h"
#include "code-digits.h"
#include "code.h"
#include "container.h"
#include "names.h"
#include "pinpipe.h"
#include "reader.h"
#include "token.h"
#include "util.h"
#include "verify-bus.h"

/* --------------------------------------------------------------------------------------------------------- code -- */

static int get_code(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *name;
    CodeRequest request = {0};
    char superseded[CODE_DIGITS + 1];
    const BusOption table[] = {{"purpose", "s", &request.purpose},
                               {"subject", "s", &request.subject},
                               {"language", "s", &request.language},
                               {"superseded-code", "s", &request.superseded_code},
                               {NULL, NULL, NULL}};
    int r;
    if ((r = sd_bus_message_read(m, "s", &name)) < 0 || (r = bus_read_options(m, table, error)) < 0)
        return r;
    if (request.superseded_code) {
        if (!code_normalise(request.superseded_code, superseded))
            return fault_code_to_bus(EONAY_ERROR_CODE_INVALID, error);
        request.superseded_code = superseded;
    }
    Backend *b = backend_find(client->manager, name);
    if (!b)
        return fault_code_to_bus(EONAY_ERROR_BACKEND_UNKNOWN, error);
    return code_get(client, b, &request, m, error);
}

static int cancel_code(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *handle;
    int r;
    if ((r = sd_bus_message_read(m, "s", &handle)) < 0 || (r = bus_read_no_options(m, error)) < 0)
        return r;
    r = code_cancel(client, handle);
    return r != 0 ? fault_code_to_bus(r, error) : sd_bus_reply_method_return(m, NULL);
}

/* ------------------------------------------------------------------------------------------------- certificates -- */

typedef struct CertificateFilter {
    bool usable;
    bool usable_set;
    const char *token;
    const char *purpose;
} CertificateFilter;

/* The one purpose there is; others have no certificates. */
#define PURPOSE_E_ONAY "e-onay.nes-application"

static bool filter_matches(const CertificateFilter *f, const Certificate *c, const User *user) {
    if (!token_visible(c->token, user) || (f->token && strcmp(f->token, c->token->path) != 0))
        return false;
    if (f->purpose && strcmp(f->purpose, PURPOSE_E_ONAY) != 0)
        return false;
    return !f->usable || certificate_reasons(c, NULL) == 0;
}

static gint compare_certificates(gconstpointer a, gconstpointer b) {
    return strcmp((*(Certificate *const *)a)->path, (*(Certificate *const *)b)->path);
}

static GPtrArray *matching_certificates(Manager *m, const CertificateFilter *f, const User *user) {
    GPtrArray *found = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, m->certificates);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (filter_matches(f, value, user))
            g_ptr_array_add(found, value);
    g_ptr_array_sort(found, compare_certificates);
    return found;
}

static int append_listed(const Certificate *c, sd_bus_message *reply) {
    int r;
    if ((r = sd_bus_message_open_container(reply, 'r', "oa{sv}")) < 0 ||
        (r = sd_bus_message_append(reply, "o", c->path)) < 0 || (r = certificate_append(c, reply, false)) < 0)
        return r;
    return sd_bus_message_close_container(reply);
}

static int list_certificates_now(Client *client, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    CertificateFilter f = {0};
    const BusOption table[] = {
        {"usable", "b", &f.usable}, {"token", "o", &f.token}, {"purpose", "s", &f.purpose}, {NULL, NULL, NULL}};
    int r;
    if ((r = bus_read_options(m, table, error)) < 0 || (r = sd_bus_message_new_method_return(m, &reply)) < 0 ||
        (r = sd_bus_message_open_container(reply, 'a', "(oa{sv})")) < 0)
        return r;
    g_autoptr(GPtrArray) found = matching_certificates(client->manager, &f, client->user);
    for (guint i = 0; i < found->len; i++)
        if ((r = append_listed(found->pdata[i], reply)) < 0)
            return r;
    if ((r = sd_bus_message_close_container(reply)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}

/* Right after the start, the list is answered when the first look at the tokens is over: an empty one would be untrue.
 */
static int list_certificates(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return modules_listing(client->manager) ? manager_wait_for_tokens(client, m, list_certificates_now, error)
                                            : list_certificates_now(client, m, error);
}

typedef struct WaitingCall {
    sd_bus_message *message;
    ClientHandler handler;
} WaitingCall;

void waiting_call_free(gpointer call) {
    sd_bus_message_unref(((WaitingCall *)call)->message);
    g_free(call);
}

int manager_wait_for_tokens(Client *client, sd_bus_message *m, ClientHandler handler, sd_bus_error *error) {
    if (client->manager->waiting_calls->len >= client->manager->config->calls_per_user)
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "Too many calls wait for the first look at the tokens.");
    WaitingCall *call = g_new0(WaitingCall, 1);
    *call = (WaitingCall){.message = sd_bus_message_ref(m), .handler = handler};
    g_ptr_array_add(client->manager->waiting_calls, call);
    return 1;
}

void manager_answer_waiting(Manager *m) {
    if (modules_listing(m))
        return;
    g_autoptr(GPtrArray) waiting = TAKE_PTR(m->waiting_calls);
    m->waiting_calls = g_ptr_array_new_with_free_func(waiting_call_free);
    for (guint i = 0; i < waiting->len; i++) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const WaitingCall *call = waiting->pdata[i];
        Client *client = client_find(m, sd_bus_message_get_sender(call->message));
        int r = client ? call->handler(client, call->message, &error) : 0;
        if (r < 0)
            sd_bus_reply_method_errno(call->message, r, &error);
    }
}

/* -------------------------------------------------------------------------------------------------------- files -- */

typedef struct FileCall {
    Manager *manager;
    User *user; /* counted */
    sd_bus_message *message;
    char *owner;
    PinPipe *pin;
    int fd;
    char *label;
} FileCall;

static void file_call_free(FileCall *f) {
    pinpipe_free(f->pin);
    safe_close(f->fd);
    sd_bus_message_unref(f->message);
    user_call_end(f->manager, f->user);
    g_free(f->owner);
    g_free(f->label);
    g_free(f);
}

static void file_call_refuse(FileCall *f, const Fault *fault) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    fault_to_bus(fault, &error);
    sd_bus_reply_method_error(f->message, &error);
    file_call_free(f);
}

/* A token that shows nothing is of no use: its certificates need the passphrase. */
static int check_file(const Module *module, bool with_passphrase) {
    if (module->tokens->len == 0)
        return EONAY_ERROR_FILE_INVALID;
    const Token *t = module->tokens->pdata[0];
    bool hides = t->flags & EONAY_TOKEN_NEEDS_SECRET_TO_LIST && t->certificates->len == 0;
    return hides && !with_passphrase ? EONAY_ERROR_PIN_REQUIRED : 0;
}

/* module NULL: it went away with its owner. */
static void on_file_listed(Module *module, const Fault *fault, void *userdata) {
    FileCall *f = userdata;
    Fault told = fault_copy(fault);
    if (told.code == 0)
        told.code = check_file(module, f->pin != NULL);
    if (told.code == 0) {
        sd_bus_reply_method_return(f->message, "o", ((Token *)module->tokens->pdata[0])->path);
        file_call_free(f);
        return;
    }
    file_call_refuse(f, &told);
    fault_clear(&told);
    if (module)
        module_remove(module);
}

static void file_call_begin(FileCall *f) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    Client *owner = client_find(f->manager, f->owner);
    Module *module;
    if (!owner) {
        file_call_free(f);
        return;
    }
    if (module_new_file(owner, f->label, TAKE_FD(f->fd), &module, &error) < 0) {
        sd_bus_reply_method_error(f->message, &error);
        file_call_free(f);
        return;
    }
    module_list(module, f->pin ? pinpipe_fd(f->pin) : -1, on_file_listed, f);
}

static void on_passphrase(int r, void *userdata) {
    FileCall *f = userdata;
    Fault fault = FAULT(r);
    if (r != 0)
        file_call_refuse(f, &fault);
    else
        file_call_begin(f);
}

static int add_file(Client *client, sd_bus_message *m, sd_bus_error *error) {
    int fd, pin = -1, r;
    size_t size;
    const char *label = NULL;
    const BusOption table[] = {{"label", "s", &label}, {"pin", "h", &pin}, {NULL, NULL, NULL}};
    if ((r = sd_bus_message_read(m, "h", &fd)) < 0 || (r = bus_read_options(m, table, error)) < 0)
        return r;
    r = memfd_check(fd, EONAY_FILE_SIZE_MAX, &size);
    if (r != 0)
        return r > 0 ? fault_code_to_bus(r, error) : r;
    FileCall *f = g_new0(FileCall, 1);
    *f = (FileCall){.manager = client->manager, .message = sd_bus_message_ref(m), .owner = g_strdup(client->name)};
    f->label = g_strdup(label);
    f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if ((r = user_call_begin(client, &f->user, error)) < 0) {
        file_call_free(f);
        return r;
    }
    if (pin < 0) {
        file_call_begin(f);
        return 1;
    }
    uint64_t timeout = client->manager->config->pin_delivery * USEC_PER_MSEC;
    r = pinpipe_wait(client->manager->event, pin, timeout, on_passphrase, f, &f->pin);
    if (r == 0)
        return 1;
    file_call_free(f);
    return r > 0 ? fault_code_to_bus(r, error) : r;
}

/* ------------------------------------------------------------------------------------------------------- agents -- */

/* Answered when it is in its place: nobody is asked before. */
static void on_agent_known(void *message) {
    sd_bus_reply_method_return(message, NULL);
    sd_bus_message_unref(message);
}

static int register_agent(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *path;
    int r;
    if ((r = sd_bus_message_read(m, "o", &path)) < 0 || (r = bus_read_no_options(m, error)) < 0)
        return r;
    r = agent_register(client, path);
    if (r < 0)
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many agents of one connection.");
    agents_recognise(client, on_agent_known, sd_bus_message_ref(m));
    return 1;
}

static int unregister_agent(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *path;
    int r;
    if ((r = sd_bus_message_read(m, "o", &path)) < 0 || (r = bus_read_no_options(m, error)) < 0)
        return r;
    r = agent_unregister(client, path);
    return r != 0 ? fault_code_to_bus(r, error) : sd_bus_reply_method_return(m, NULL);
}

/* Told to its own user only, so this is a method and no property. */
static int has_agent(Client *client, sd_bus_message *m, sd_bus_error *error) {
    int r = bus_read_no_options(m, error);
    if (r < 0)
        return r;
    return sd_bus_reply_method_return(m, "b", agent_find(client->manager, client, client->user) != NULL);
}

static int refresh(Client *client, sd_bus_message *m, sd_bus_error *error) {
    int r = bus_read_no_options(m, error);
    if (r < 0)
        return r;
    Manager *manager = client->manager;
    if (manager->refreshes->len >= manager->config->calls_per_user)
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait for a look at the tokens.");
    g_ptr_array_add(manager->refreshes, sd_bus_message_ref(m));
    for (guint i = 0; i < manager->modules->len; i++)
        if (!((Module *)manager->modules->pdata[i])->owner)
            module_retry(manager->modules->pdata[i]);
    backends_forgive(manager);
    readers_rescan(manager->readers);
    manager_listed(manager); /* answers at once when nothing is under way */
    return 1;
}

/* --------------------------------------------------------------------------------------------------- properties -- */

static int property_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                            sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
    return sd_bus_message_append(reply, "s", EONAY_VERSION);
}

static int property_backends(sd_bus *bus, const char *path, const char *interface, const char *property,
                             sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    const Manager *m = userdata;
    int r = sd_bus_message_open_container(reply, 'a', "o");
    for (guint i = 0; r >= 0 && i < m->config->backends->len; i++) {
        const InstanceConfig *instance = m->config->backends->pdata[i];
        const Backend *b = g_hash_table_lookup(m->backends, instance->name);
        r = sd_bus_message_append(reply, "o", b->path);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int property_default_backend(sd_bus *bus, const char *path, const char *interface, const char *property,
                                    sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "s", ((Manager *)userdata)->config->default_backend);
}

static int property_limits(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    const Config *c = ((Manager *)userdata)->config;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"ConsentsPerUser", c->consents_per_user},
                {"CallsPerUser", c->calls_per_user},
                {"FilesPerUser", c->files_per_user},
                {"QueueLength", c->queue_length},
                {"QueueWaitMs", c->queue_wait},
                {"PinDeliveryMs", c->pin_delivery},
                {"PinMaxBytes", EONAY_SECRET_MAX},
                {"FileMaxBytes", EONAY_FILE_SIZE_MAX},
                {"SignatureMaxBytes", EONAY_SIGNATURE_SIZE_MAX},
                {"TextsMax", EONAY_TEXTS_MAX},
                {"TextMaxBytes", EONAY_TEXT_SIZE_MAX},
                {"StampsPerUser", EONAY_STAMPS_PER_USER},
                {"ImportsPerUser", EONAY_IMPORTS_PER_USER},
                {"ContainerMaxBytes", EVIDENCE_CONTAINER_MAX}};
    int r = sd_bus_message_open_container(reply, 'a', "{sv}");
    for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(rows); i++)
        r = bus_append_u64(reply, rows[i].name, rows[i].value);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int property_health(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return manager_append_health(userdata, reply);
}

/* ------------------------------------------------------------------------------------------------------ the face -- */

#define METHOD(handler, action)                                                                                        \
    static int method_##handler(sd_bus_message *m, void *userdata, sd_bus_error *error) {                              \
        return client_gate(userdata, m, action, handler, error);                                                       \
    }

#define METHOD_OF_SESSION(handler, action)                                                                             \
    static int method_##handler(sd_bus_message *m, void *userdata, sd_bus_error *error) {                              \
        return client_gate_session(userdata, m, action, handler, error);                                               \
    }

METHOD(get_code, AUTH_GET_CODE)
METHOD(cancel_code, AUTH_NONE)
METHOD_OF_SESSION(manager_open_consent, AUTH_GET_CODE)
METHOD(list_certificates, AUTH_LIST_CERTIFICATES)
METHOD_OF_SESSION(manager_sign_consent, AUTH_GET_CODE)
METHOD(add_file, AUTH_LIST_CERTIFICATES)
METHOD(manager_verify_signature, AUTH_NONE)
METHOD(manager_verify_timestamp, AUTH_NONE)
METHOD(manager_extend_signature, AUTH_GET_CODE)
METHOD(manager_get_approval, AUTH_GET_CODE)
METHOD(manager_list_consents, AUTH_NONE)
METHOD(manager_export_evidence, AUTH_NONE)
METHOD(manager_stamp_evidence, AUTH_NONE)
METHOD(manager_import_evidence, AUTH_GET_CODE)
METHOD_OF_SESSION(register_agent, AUTH_NONE)
METHOD(unregister_agent, AUTH_NONE)
METHOD_OF_SESSION(has_agent, AUTH_NONE)
METHOD(refresh, AUTH_LIST_CERTIFICATES)

#define OPEN      SD_BUS_VTABLE_UNPRIVILEGED
#define SENSITIVE (SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE)

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("GetCode", SD_BUS_ARGS("s", backend, "a{sv}", options),
                            SD_BUS_RESULT("s", code, "a{sv}", details), method_get_code, SENSITIVE),
    SD_BUS_METHOD_WITH_ARGS("CancelCode", SD_BUS_ARGS("s", handle, "a{sv}", options), SD_BUS_NO_RESULT,
                            method_cancel_code, OPEN),
    SD_BUS_METHOD_WITH_ARGS("OpenConsent", SD_BUS_ARGS("s", code, "a{sv}", options), SD_BUS_RESULT("o", consent),
                            method_manager_open_consent, SENSITIVE),
    SD_BUS_METHOD_WITH_ARGS("ListCertificates", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("a(oa{sv})", certificates),
                            method_list_certificates, OPEN),
    SD_BUS_METHOD_WITH_ARGS("SignConsent", SD_BUS_ARGS("s", code, "o", certificate, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", receipt), method_manager_sign_consent, SENSITIVE),
    SD_BUS_METHOD_WITH_ARGS("AddFile", SD_BUS_ARGS("h", file, "a{sv}", options), SD_BUS_RESULT("o", token),
                            method_add_file, OPEN),
    SD_BUS_METHOD_WITH_ARGS("VerifySignature", SD_BUS_ARGS("h", signature, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", report), method_manager_verify_signature, OPEN),
    SD_BUS_METHOD_WITH_ARGS("VerifyTimestamp", SD_BUS_ARGS("h", token, "ay", sha256, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", report), method_manager_verify_timestamp, OPEN),
    SD_BUS_METHOD_WITH_ARGS("ExtendSignature", SD_BUS_ARGS("h", signature, "s", level, "a{sv}", options),
                            SD_BUS_RESULT("h", extended), method_manager_extend_signature, OPEN),
    SD_BUS_METHOD_WITH_ARGS("GetApproval", SD_BUS_ARGS("s", backend, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", approval), method_manager_get_approval, OPEN),
    SD_BUS_METHOD_WITH_ARGS("ListConsents", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("aa{sv}", consents),
                            method_manager_list_consents, OPEN),
    SD_BUS_METHOD_WITH_ARGS("ExportEvidence", SD_BUS_ARGS("s", consent_id, "a{sv}", options),
                            SD_BUS_RESULT("h", evidence), method_manager_export_evidence, OPEN),
    SD_BUS_METHOD_WITH_ARGS("StampEvidence", SD_BUS_ARGS("s", consent_id, "ay", sha256, "a{sv}", options),
                            SD_BUS_RESULT("h", token), method_manager_stamp_evidence, OPEN),
    SD_BUS_METHOD_WITH_ARGS("ImportEvidence", SD_BUS_ARGS("h", evidence, "a{sv}", options),
                            SD_BUS_RESULT("s", consent_id), method_manager_import_evidence, OPEN),
    SD_BUS_METHOD_WITH_ARGS("RegisterAgent", SD_BUS_ARGS("o", agent, "a{sv}", options), SD_BUS_NO_RESULT,
                            method_register_agent, OPEN),
    SD_BUS_METHOD_WITH_ARGS("UnregisterAgent", SD_BUS_ARGS("o", agent, "a{sv}", options), SD_BUS_NO_RESULT,
                            method_unregister_agent, OPEN),
    SD_BUS_METHOD_WITH_ARGS("HasAgent", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("b", there), method_has_agent,
                            OPEN),
    SD_BUS_METHOD_WITH_ARGS("Refresh", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_refresh, OPEN),
    SD_BUS_SIGNAL_WITH_ARGS("CodeReady", SD_BUS_ARGS("s", handle, "s", code, "a{sv}", details), 0),
    SD_BUS_SIGNAL_WITH_ARGS("CodeFailed", SD_BUS_ARGS("s", handle, "s", error, "s", message), 0),
    SD_BUS_PROPERTY("Version", "s", property_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Backends", "ao", property_backends, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("DefaultBackend", "s", property_default_backend, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Limits", "a{sv}", property_limits, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Health", "aa{sv}", property_health, 0, 0),
    SD_BUS_VTABLE_END,
};

int manager_export(Manager *m) {
    int r;
    if ((r = sd_bus_add_object_manager(m->bus, NULL, EONAY_PATH)) < 0)
        return r;
    return sd_bus_add_object_vtable(m->bus, NULL, EONAY_PATH, EONAY_INTERFACE_MANAGER, manager_vtable, m);
}
