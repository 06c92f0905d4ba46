/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   code ─▶ OpenConsent ─▶ GetDetails, GetTexts, certificates ─▶ contract ─▶ Sign ─▶ Finished ─▶ success
 *     ▲                                                            ▲                   │
 *     └──────────────────── a new code ◀── failure ◀───────────────┴── a wrong PIN ────┘
 * The certificates are read again whenever a card comes or goes.
 */
#include "journey.h"

#include "../../eonayctl/state.h"
#include "authorities.h"
#include "candidates.h"
#include "daemon-call.h"
#include "eonay/plugin.h"
#include "error.h"
#include "names.h"
#include "token-facts.h"
#include "translate.h"
#include "util.h"

#define SETTLE_MS 300 /* a card brings several objects */

struct Journey {
    GtkApplication *application;
    GDBusConnection *bus;
    GCancellable *cancellable; /* of the calls for this code */
    View *view;
    char *consent; /* its path, NULL before and after */
    Contract *contract;
    GVariant *certificates; /* the answer, until the tokens are known */
    GVariant *objects;      /* the same, until the default authority is known */
    gboolean signing;
    guint signals[4];
    guint settle;
};

static void ask(Journey *j, const char *path, const char *interface, const char *member, GVariant *parameters,
                const char *reply, DaemonAnswer done) {
    daemon_call(&(DaemonCall){.bus = j->bus,
                              .cancellable = j->cancellable,
                              .path = path,
                              .interface = interface,
                              .member = member,
                              .parameters = parameters,
                              .reply = reply},
                done, j);
}

static GVariant *no_options(void) {
    return g_variant_new("(a{sv})", NULL);
}

/* ---- the end of a consent ---- */

static void stop_settling(Journey *j) {
    if (j->settle)
        g_source_remove(j->settle);
    j->settle = 0;
}

/* Nobody waits for the answer: the daemon ends what is unsigned, and delivers what is signed. */
static void leave_consent(Journey *j) {
    g_cancellable_cancel(j->cancellable);
    g_object_unref(j->cancellable);
    j->cancellable = g_cancellable_new();
    stop_settling(j);
    if (j->consent)
        g_dbus_connection_call(j->bus, EONAY_BUS_NAME, j->consent, EONAY_INTERFACE_CONSENT, "Close", no_options(), NULL,
                               G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
    g_clear_pointer(&j->consent, g_free);
    g_clear_pointer(&j->certificates, g_variant_unref);
    j->signing = FALSE;
}

static void forget_contract(Journey *j) {
    contract_free(j->contract);
    j->contract = NULL;
}

static void fail(Journey *j, const GError *error) {
    g_autofree char *text = daemon_error_text(error);
    leave_consent(j);
    view_show_failure(j->view, text, NULL, TRUE);
    forget_contract(j);
}

/* ---- certificates ---- */

static void set_problem(Journey *j, const char *problem) {
    g_free(j->contract->problem);
    j->contract->problem = g_strdup(problem);
}

static void on_token_facts(gpointer data) {
    const Journey *j = data;
    if (j->contract && j->consent && !j->signing)
        view_show_contract(j->view, j->contract);
}

static void on_objects(GVariant *objects, const GError *error, gpointer data) {
    Journey *j = data;
    g_autofree char *problem = NULL;
    if (error) {
        fail(j, error);
        return;
    }
    GPtrArray *old = j->contract->choices;
    j->contract->choices = candidates_read(j->certificates, objects, &problem);
    j->contract->none_usable = problem != NULL;
    if (problem)
        set_problem(j, problem);
    else if (old && old->len == 0)
        set_problem(j, NULL);
    if (!j->signing)
        view_show_contract(j->view, j->contract);
    if (old)
        g_ptr_array_unref(old);
    token_facts_ask(j->bus, j->cancellable, j->contract->choices, on_token_facts, j);
}

static void on_certificates(GVariant *answer, const GError *error, gpointer data) {
    Journey *j = data;
    if (error) {
        fail(j, error);
        return;
    }
    g_clear_pointer(&j->certificates, g_variant_unref);
    j->certificates = g_variant_ref(answer);
    ask(j, EONAY_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, "(a{oa{sa{sv}}})", on_objects);
}

static void look_for_certificates(Journey *j) {
    ask(j, EONAY_PATH, EONAY_INTERFACE_MANAGER, "ListCertificates", no_options(), "(a(oa{sv}))", on_certificates);
}

static gboolean on_settled(gpointer data) {
    Journey *j = data;
    j->settle = 0;
    look_for_certificates(j);
    return G_SOURCE_REMOVE;
}

static void on_objects_changed(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                               const char *signal, GVariant *parameters, gpointer data) {
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    (void)parameters;
    Journey *j = data;
    if (!j->contract || !j->consent || j->signing)
        return;
    stop_settling(j);
    j->settle = g_timeout_add(SETTLE_MS, on_settled, j);
}

/* ---- authorities ---- */

static void on_default_authority(GVariant *answer, const GError *error, gpointer data) {
    Journey *j = data;
    g_autoptr(GVariant) objects = g_steal_pointer(&j->objects);
    g_autoptr(GVariant) value = NULL;
    if (error || !objects)
        return;
    g_variant_get(answer, "(v)", &value);
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return;
    g_autoptr(GPtrArray) authorities = authorities_read(objects, g_variant_get_string(value, NULL));
    view_offer_authorities(j->view, authorities);
}

/* What is wrong is told when the code is sent; without an answer the default authority is asked. */
static void on_backends(GVariant *objects, const GError *error, gpointer data) {
    Journey *j = data;
    if (error)
        return;
    g_clear_pointer(&j->objects, g_variant_unref);
    j->objects = g_variant_ref(objects);
    ask(j, EONAY_PATH, "org.freedesktop.DBus.Properties", "Get",
        g_variant_new("(ss)", EONAY_INTERFACE_MANAGER, "DefaultBackend"), "(v)", on_default_authority);
}

static void show_code(Journey *j, const char *problem) {
    view_show_code(j->view, problem);
    ask(j, EONAY_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, "(a{oa{sa{sv}}})", on_backends);
}

/* ---- opening ---- */

static void on_texts(GVariant *answer, const GError *error, gpointer data) {
    Journey *j = data;
    if (error) {
        fail(j, error);
        return;
    }
    g_autoptr(GVariant) texts = g_variant_get_child_value(answer, 0);
    int r = contract_take_texts(j->contract, texts);
    if (r == 0) {
        look_for_certificates(j);
        return;
    }
    leave_consent(j);
    view_show_failure(j->view, eonay_error_text(r), eonay_error_hint(r), TRUE);
    forget_contract(j);
}

static void on_details(GVariant *answer, const GError *error, gpointer data) {
    Journey *j = data;
    if (error) {
        fail(j, error);
        return;
    }
    g_autoptr(GVariant) details = g_variant_get_child_value(answer, 0);
    forget_contract(j);
    j->contract = contract_new(details);
    ask(j, j->consent, EONAY_INTERFACE_CONSENT, "GetTexts", no_options(), "(a(sssay))", on_texts);
}

static void on_opened(GVariant *answer, const GError *error, gpointer data) {
    Journey *j = data;
    if (error) { /* another code may do */
        g_autofree char *text = daemon_error_text(error);
        show_code(j, text);
        return;
    }
    g_variant_get(answer, "(o)", &j->consent);
    ask(j, j->consent, EONAY_INTERFACE_CONSENT, "GetDetails", no_options(), "(a{sv})", on_details);
}

static void on_code(const char *code, const char *authority, void *userdata) {
    Journey *j = userdata;
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (authority)
        g_variant_builder_add(&options, "{sv}", "backend", g_variant_new_string(authority));
    view_show_busy(j->view, _("Asking the authority…"));
    ask(j, EONAY_PATH, EONAY_INTERFACE_MANAGER, "OpenConsent", g_variant_new("(sa{sv})", code, &options), "(o)",
        on_opened);
}

/* ---- signing ---- */

static void on_sign_accepted(GVariant *answer, const GError *error, gpointer data) {
    (void)answer;
    Journey *j = data;
    if (!error)
        return; /* Finished tells the end */
    g_autofree char *text = daemon_error_text(error);
    g_autofree char *name = daemon_error_name(error);
    j->signing = FALSE;
    if (eonay_error_from_name(name) == EONAY_ERROR_CODE_EXPIRED) {
        fail(j, error);
        return;
    }
    set_problem(j, text);
    look_for_certificates(j);
}

static GVariant *sign_parameters(const Contract *c, const Answer *answer, gboolean with_pin) {
    GVariantBuilder options, hashes;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_init(&hashes, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < c->texts->len; i++)
        g_variant_builder_add(&hashes, "s", ((const ContractText *)c->texts->pdata[i])->sha256);
    g_variant_builder_add(&options, "{sv}", "accept-text-sha256", g_variant_builder_end(&hashes));
    if (with_pin)
        g_variant_builder_add(&options, "{sv}", "pin", g_variant_new_handle(0));
    if (answer->allow_final_try)
        g_variant_builder_add(&options, "{sv}", "allow-final-try", g_variant_new_boolean(TRUE));
    return g_variant_new("(oa{sv})", answer->choice->path, &options);
}

static void on_sign(const Answer *answer, void *userdata) {
    Journey *j = userdata;
    gboolean with_pin = answer->pin_fd >= 0;
    g_autoptr(GUnixFDList) list = with_pin ? g_unix_fd_list_new_from_array(&answer->pin_fd, 1) : NULL;
    j->signing = TRUE;
    daemon_call(&(DaemonCall){.bus = j->bus,
                              .cancellable = j->cancellable,
                              .path = j->consent,
                              .interface = EONAY_INTERFACE_CONSENT,
                              .member = "Sign",
                              .parameters = sign_parameters(j->contract, answer, with_pin),
                              .descriptors = list,
                              .reply = "()"},
                on_sign_accepted, j);
    view_show_busy(j->view, with_pin ? _("Signing…") : _("Enter the PIN on the keypad of the reader."));
}

static gboolean is_ours(const Journey *j, const char *path) {
    return j->consent && g_strcmp0(path, j->consent) == 0;
}

static void on_state_changed(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                             const char *signal, GVariant *parameters, gpointer data) {
    (void)bus;
    (void)sender;
    (void)interface;
    (void)signal;
    Journey *j = data;
    const char *state = "";
    if (!is_ours(j, path) || !j->signing)
        return;
    g_variant_get(parameters, "(&s@a{sv})", &state, NULL);
    gboolean shown =
        g_strcmp0(state, "signing") == 0 || g_strcmp0(state, "verifying") == 0 || g_strcmp0(state, "submitting") == 0;
    if (shown)
        view_show_busy(j->view, state_of_consent(state));
}

/* The consent is still open: the page comes back with what went wrong. */
static void try_again(Journey *j, int code, GVariant *details) {
    const char *hint = eonay_error_hint(code), *message = eonay_error_text(code);
    g_autofree char *problem = g_strdup_printf("%s %s", message, hint);
    j->signing = FALSE;
    j->contract->tries_left = -1;
    g_variant_lookup(details, "TriesLeft", "i", &j->contract->tries_left);
    set_problem(j, problem);
    look_for_certificates(j);
}

static void on_finished(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                        const char *signal, GVariant *parameters, gpointer data) {
    (void)bus;
    (void)sender;
    (void)interface;
    (void)signal;
    Journey *j = data;
    gboolean success, retriable = FALSE;
    const char *name, *receipt = NULL, *message = NULL;
    g_autoptr(GVariant) details = NULL;
    if (!is_ours(j, path) || !j->contract)
        return;
    g_variant_get(parameters, "(b&s@a{sv})", &success, &name, &details);
    g_variant_lookup(details, "Retriable", "b", &retriable);
    g_variant_lookup(details, "ReceiptId", "&s", &receipt);
    g_variant_lookup(details, "Message", "&s", &message);
    int code = eonay_error_from_name(name);
    if (!success && retriable && code > 0 && code != EONAY_ERROR_PIN_LOCKED) {
        try_again(j, code, details);
        return;
    }
    leave_consent(j);
    if (success)
        view_show_success(j->view, receipt);
    else
        view_show_error(j->view, name, message, TRUE);
    forget_contract(j);
}

/* ---- the whole ---- */

static void on_again(void *userdata) {
    Journey *j = userdata;
    leave_consent(j);
    show_code(j, NULL);
    forget_contract(j);
}

static void on_close(void *userdata) {
    Journey *j = userdata;
    leave_consent(j);
    if (j->bus)
        g_dbus_connection_flush_sync(j->bus, NULL, NULL);
    g_application_quit(G_APPLICATION(j->application));
}

static const ViewHandlers handlers = {.code = on_code, .sign = on_sign, .again = on_again, .close = on_close};

static void on_owner_changed(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                             const char *signal, GVariant *parameters, gpointer data) {
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    (void)parameters;
    Journey *j = data;
    if (!j->consent)
        return;
    g_clear_pointer(&j->consent, g_free);
    leave_consent(j);
    view_show_failure(j->view, _("The E-Onay service has ended."), _("Begin again with a new code."), TRUE);
    forget_contract(j);
}

static guint subscribe(Journey *j, const char *sender, const char *interface, const char *member, const char *first,
                       GDBusSignalCallback handler) {
    return g_dbus_connection_signal_subscribe(j->bus, sender, interface, member, NULL, first, G_DBUS_SIGNAL_FLAGS_NONE,
                                              handler, j, NULL);
}

static gboolean connect_bus(Journey *j, const char *address, GError **error) {
    const char *chosen = address ? address : g_getenv("DBUS_SYSTEM_BUS_ADDRESS");
    j->bus = g_dbus_connection_new_for_address_sync(chosen ? chosen : "unix:path=/run/dbus/system_bus_socket",
                                                    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                        G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                    NULL, NULL, error);
    if (!j->bus)
        return FALSE;
    g_dbus_connection_set_exit_on_close(j->bus, FALSE);
    j->signals[0] = subscribe(j, EONAY_BUS_NAME, EONAY_INTERFACE_CONSENT, "StateChanged", NULL, on_state_changed);
    j->signals[1] = subscribe(j, EONAY_BUS_NAME, EONAY_INTERFACE_CONSENT, "Finished", NULL, on_finished);
    j->signals[2] = subscribe(j, EONAY_BUS_NAME, "org.freedesktop.DBus.ObjectManager", NULL, NULL, on_objects_changed);
    j->signals[3] = subscribe(j, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", EONAY_BUS_NAME,
                              on_owner_changed);
    return TRUE;
}

Journey *journey_new(GtkApplication *application, const char *address, gboolean shuffle_keypad) {
    Journey *j = g_new0(Journey, 1);
    g_autoptr(GError) error = NULL;
    j->application = application;
    j->cancellable = g_cancellable_new();
    j->view = view_new(application, &handlers, j, shuffle_keypad);
    if (connect_bus(j, address, &error))
        show_code(j, NULL);
    else
        view_show_failure(j->view, _("The system bus cannot be reached."), error->message, FALSE);
    return j;
}

Journey *journey_free(Journey *j) {
    if (!j)
        return NULL;
    leave_consent(j);
    for (gsize i = 0; j->bus && i < G_N_ELEMENTS(j->signals); i++)
        g_dbus_connection_signal_unsubscribe(j->bus, j->signals[i]);
    view_free(j->view);
    contract_free(j->contract);
    g_clear_pointer(&j->objects, g_variant_unref);
    g_object_unref(j->cancellable);
    g_clear_object(&j->bus);
    g_free(j);
    return NULL;
}
