/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client ── method ─▶ eonayd ── CheckAuthorization(sender, action, details) ─▶ polkitd
 *                        │ ◀── yes: remembered │ no: AccessDenied │ a dialog is needed ──┘
 *                        └─ if the call allows a dialog: CheckAuthorization again, with it ─▶ (the session's agent)
 *
 * The first question never opens a dialog, so its yes is one that needed none and holds for further calls. A yes given
 * in a dialog holds for the one call only, unless the policy keeps it (auth_self_keep): then polkit says yes by itself.
 */
#include "authorise.h"

#include <inttypes.h>

#include "asking.h"
#include "log.h"
#include "messages.h"
#include "translate.h"
#include "util.h"

#define POLKIT             "org.freedesktop.PolicyKit1"
#define POLKIT_PATH        "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY   POLKIT ".Authority"
#define POLKIT_INTERACTIVE 1u
#define POLKIT_TIMEOUT     (25u * USEC_PER_SEC)
#define DIALOG_TIMEOUT     (120u * USEC_PER_SEC) /* a person types a password */
#define REMEMBERED_MAX     64u                   /* answers for one connection */

#define POLKIT_COMES_OR_GOES                                                                                           \
    "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',"          \
    "arg0='" POLKIT "'"

static const char *const action_ids[N_AUTH_ACTIONS] = {
    [AUTH_GET_CODE] = "org.eonay.eonay1.get-code", [AUTH_LIST_CERTIFICATES] = "org.eonay.eonay1.list-certificates",
    [AUTH_SIGN] = "org.eonay.eonay1.sign",         [AUTH_MANAGE_TOKEN] = "org.eonay.eonay1.manage-token",
    [AUTH_MANAGE] = "org.eonay.eonay1.manage",     [AUTH_VIEW_OTHERS] = "org.eonay.eonay1.view-others",
};

struct PolkitWatch {
    Manager *manager;
    sd_bus_slot *changed, *owner;
    bool silent;
};

struct Authorisation {
    Manager *manager;
    char *sender;
    uid_t uid;
    AuthAction action;
    bool interactive; /* a dialog may open */
    bool dialog;      /* and one is being asked for */
    char **details;   /* key, value, … */
    char *cancellation;
    uint64_t era; /* in which it was asked: an answer from before a change is not remembered */
    Question *question;
    AuthoriseHandler handler;
    void *userdata;
};

static Authorisation *authorisation_free(Authorisation *a) {
    question_drop(a->question);
    g_strfreev(a->details);
    g_free(a->cancellation);
    g_free(a->sender);
    g_free(a);
    return NULL;
}

/* Closes the dialog. */
static void send_cancellation(const Authorisation *a) {
    sd_bus_call_method_async(a->manager->bus, NULL, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY, "CancelCheckAuthorization",
                             NULL, NULL, "s", a->cancellation);
}

Authorisation *authorise_cancel(Authorisation *a) {
    if (!a)
        return NULL;
    if (a->question && a->dialog)
        send_cancellation(a);
    return authorisation_free(a);
}

/* ------------------------------------------------------------------------------------------------- what is remembered
 */

void authorisations_forget(Manager *m) {
    m->authorisation_era++;
}

static char *memory_key(AuthAction action, const char *const *details) {
    GString *key = g_string_new(action_ids[action]);
    for (; details && *details; details++)
        g_string_append_printf(key, "\x1f%s", *details);
    return g_string_free(key, FALSE);
}

static bool is_remembered(Client *c, AuthAction action, const char *const *details) {
    if (c->allowed_era != c->manager->authorisation_era || !c->allowed)
        return false;
    g_autofree char *key = memory_key(action, details);
    return g_hash_table_contains(c->allowed, key);
}

static void remember(const Authorisation *a) {
    Client *c = client_find(a->manager, a->sender);
    if (!c || a->dialog || a->era != a->manager->authorisation_era)
        return;
    if (!c->allowed)
        c->allowed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (c->allowed_era != a->era || g_hash_table_size(c->allowed) >= REMEMBERED_MAX)
        g_hash_table_remove_all(c->allowed);
    c->allowed_era = a->era;
    g_hash_table_add(c->allowed, memory_key(a->action, (const char *const *)a->details));
}

/* ------------------------------------------------------------------------------------------------------ the question
 */

typedef struct PolkitAnswer {
    int authorised, challenge; /* bool, as sd-bus has it */
    bool temporary;            /* polkit forgets it by itself after some minutes */
} PolkitAnswer;

static int read_answer(sd_bus_message *m, PolkitAnswer *a) {
    const char *key, *value;
    int r;
    *a = (PolkitAnswer){0};
    if ((r = sd_bus_message_enter_container(m, 'r', "bba{ss}")) < 0 ||
        (r = sd_bus_message_read(m, "bb", &a->authorised, &a->challenge)) < 0 ||
        (r = sd_bus_message_enter_container(m, 'a', "{ss}")) < 0)
        return r;
    while ((r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0)
        a->temporary |= g_str_equal(key, "polkit.temporary_authorization_id");
    return r;
}

static void settle(Authorisation *a, const sd_bus_error *error) {
    AuthoriseHandler handler = a->handler;
    void *userdata = a->userdata;
    authorisation_free(a);
    handler(error, userdata);
}

static void log_refusal(const Authorisation *a, const char *why) {
    g_autofree char *uid = g_strdup_printf("EONAY_CALLER_UID=%u", (unsigned)a->uid);
    g_autofree char *sender = g_strdup_printf("EONAY_CALLER=%s", a->sender);
    g_autofree char *action = g_strdup_printf("EONAY_ACTION=%s", action_ids[a->action]);
    const char *fields[] = {uid, sender, action, NULL};
    log_event(LOG_NOTICE, MESSAGE_NOT_AUTHORISED, fields, "%s: %s", action_ids[a->action], why);
}

static void refuse(Authorisation *a, bool password_would_help) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    if (password_would_help)
        sd_bus_error_set(&error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                         _("A password is needed: call again and allow interactive authorisation."));
    else
        sd_bus_error_set(&error, SD_BUS_ERROR_ACCESS_DENIED,
                         _("polkit does not allow this here; ask your administrator."));
    log_refusal(a, password_would_help ? "a dialog is needed and the call allows none" : "polkit says no");
    settle(a, &error);
}

static void refuse_in_silence(Authorisation *a, const sd_bus_error *why) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    PolkitWatch *w = a->manager->polkit;
    if (w && !w->silent)
        log_event(LOG_WARNING, MESSAGE_POLKIT_SILENT, NULL, "polkit does not answer, so nothing is allowed: %s",
                  why ? why->name : "no answer that can be read");
    if (w)
        w->silent = true;
    sd_bus_error_set(&error, SD_BUS_ERROR_ACCESS_DENIED, _("polkit does not answer, so nothing is allowed."));
    settle(a, &error);
}

static int ask(Authorisation *a);

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
    (void)unused;
    Authorisation *a = userdata;
    PolkitAnswer answer;
    a->question = NULL;
    if (a->dialog && sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY)) {
        send_cancellation(a);
        refuse(a, false);
        return 0;
    }
    if (sd_bus_message_is_method_error(reply, NULL) || read_answer(reply, &answer) < 0) {
        refuse_in_silence(a, sd_bus_message_get_error(reply));
        return 0;
    }
    if (a->manager->polkit)
        a->manager->polkit->silent = false;
    if (answer.authorised) {
        if (!answer.temporary)
            remember(a);
        settle(a, NULL);
        return 0;
    }
    if (answer.challenge && a->interactive && !a->dialog) {
        a->dialog = true;
        if (ask(a) >= 0)
            return 0;
    }
    refuse(a, answer.challenge && !a->dialog);
    return 0;
}

static int append_details(sd_bus_message *m, char *const *details) {
    int r = sd_bus_message_open_container(m, 'a', "{ss}");
    for (; r >= 0 && details && details[0]; details += 2)
        r = sd_bus_message_append(m, "{ss}", details[0], details[1]);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int ask(Authorisation *a) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    sd_bus *bus = a->manager->bus;
    int r = sd_bus_message_new_method_call(bus, &m, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY, "CheckAuthorization");
    if (r < 0 ||
        (r = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s", a->sender,
                                   action_ids[a->action])) < 0 ||
        (r = append_details(m, a->details)) < 0 ||
        (r = sd_bus_message_append(m, "us", a->dialog ? POLKIT_INTERACTIVE : 0, a->dialog ? a->cancellation : "")) < 0)
        return r;
    a->era = a->manager->authorisation_era;
    return question_ask(a->manager, a->uid, m, a->dialog ? DIALOG_TIMEOUT : POLKIT_TIMEOUT, on_answer, a, &a->question);
}

int authorise(Client *client, AuthAction action, bool interactive, const char *const *details, AuthoriseHandler handler,
              void *userdata, Authorisation **ret) {
    static uint64_t questions;
    if (client->manager->private_bus || is_remembered(client, action, details)) {
        *ret = NULL; /* on a private bus, client_gate() has let nobody else in */
        handler(NULL, userdata);
        return 0;
    }
    Authorisation *a = g_new0(Authorisation, 1);
    *a = (Authorisation){.manager = client->manager,
                         .sender = g_strdup(client->name),
                         .uid = client->user->uid,
                         .action = action,
                         .interactive = interactive,
                         .details = g_strdupv((char **)details),
                         .handler = handler,
                         .userdata = userdata};
    a->cancellation = g_strdup_printf("eonay-%" PRIu64, ++questions);
    int r = ask(a);
    if (r < 0) {
        authorisation_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

/* --------------------------------------------------------------------------------------------------- polkit changes */

static int on_polkit_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)m;
    (void)error;
    authorisations_forget(((PolkitWatch *)userdata)->manager);
    return 0;
}

int polkit_watch_new(Manager *m, PolkitWatch **ret) {
    PolkitWatch *w = g_new0(PolkitWatch, 1);
    int r;
    w->manager = m;
    if ((r = sd_bus_match_signal_async(m->bus, &w->changed, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY, "Changed",
                                       on_polkit_changed, NULL, w)) < 0 ||
        (r = sd_bus_add_match_async(m->bus, &w->owner, POLKIT_COMES_OR_GOES, on_polkit_changed, NULL, w)) < 0) {
        polkit_watch_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

PolkitWatch *polkit_watch_free(PolkitWatch *w) {
    if (!w)
        return NULL;
    sd_bus_slot_unref(w->changed);
    sd_bus_slot_unref(w->owner);
    g_free(w);
    return NULL;
}

bool polkit_silent(const PolkitWatch *w) {
    return w && w->silent;
}
