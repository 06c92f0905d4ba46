/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client ── method ─▶ eonayd ── CheckAuthorization(sender, action, details) ─▶ polkitd ─(dialog in the session)─▶
 * answer └────────── the handler runs, or AccessDenied ◀───────────────────────────────────────────┘
 */
#include "authorise.h"

#include <errno.h>

#include "translate.h"
#include "util.h"

#define POLKIT_INTERACTIVE 1u
#define POLKIT_TIMEOUT     (120u * USEC_PER_SEC) /* a person types a password */

static const char *const action_ids[N_AUTH_ACTIONS] = {
    [AUTH_GET_CODE] = "org.eonay.eonay1.get-code", [AUTH_LIST_CERTIFICATES] = "org.eonay.eonay1.list-certificates",
    [AUTH_SIGN] = "org.eonay.eonay1.sign",         [AUTH_MANAGE_TOKEN] = "org.eonay.eonay1.manage-token",
    [AUTH_MANAGE] = "org.eonay.eonay1.manage",     [AUTH_VIEW_OTHERS] = "org.eonay.eonay1.view-others",
};

struct Authorisation {
    sd_bus_slot *slot;
    AuthoriseHandler handler;
    void *userdata;
};

Authorisation *authorise_cancel(Authorisation *a) {
    if (!a)
        return NULL;
    sd_bus_slot_unref(a->slot);
    g_free(a);
    return NULL;
}

static void settle(Authorisation *a, const sd_bus_error *error) {
    AuthoriseHandler handler = a->handler;
    void *userdata = a->userdata;
    authorise_cancel(a);
    handler(error, userdata);
}

static int on_polkit(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
    (void)unused;
    Authorisation *a = userdata;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int authorised = false, challenge = false;
    if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
        sd_bus_message_read(reply, "bb", &authorised, &challenge) < 0)
        sd_bus_error_set(&error, SD_BUS_ERROR_ACCESS_DENIED, _("polkit does not answer, so nothing is allowed."));
    else if (!authorised && challenge)
        sd_bus_error_set(&error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                         _("A password is needed: call again and allow interactive authorisation."));
    else if (!authorised)
        sd_bus_error_set(&error, SD_BUS_ERROR_ACCESS_DENIED,
                         _("polkit does not allow this here; ask your administrator."));
    settle(a, sd_bus_error_is_set(&error) ? &error : NULL);
    return 0;
}

static int append_details(sd_bus_message *m, const char *const *details) {
    int r = sd_bus_message_open_container(m, 'a', "{ss}");
    for (; r >= 0 && details && details[0]; details += 2)
        r = sd_bus_message_append(m, "{ss}", details[0], details[1]);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int ask_polkit(Authorisation *a, Client *client, AuthAction action, bool interactive,
                      const char *const *details) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(client->manager->bus, &m, "org.freedesktop.PolicyKit1",
                                           "/org/freedesktop/PolicyKit1/Authority",
                                           "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
    if (r < 0 ||
        (r = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s", client->name,
                                   action_ids[action])) < 0 ||
        (r = append_details(m, details)) < 0 ||
        (r = sd_bus_message_append(m, "us", interactive ? POLKIT_INTERACTIVE : 0, "")) < 0)
        return r;
    return sd_bus_call_async(client->manager->bus, &a->slot, m, on_polkit, a, POLKIT_TIMEOUT);
}

int authorise(Client *client, AuthAction action, bool interactive, const char *const *details, AuthoriseHandler handler,
              void *userdata, Authorisation **ret) {
    if (client->manager->private_bus) {
        *ret = NULL;
        handler(NULL, userdata); /* client_gate() has let nobody else in */
        return 0;
    }
    Authorisation *a = g_new0(Authorisation, 1);
    a->handler = handler;
    a->userdata = userdata;
    int r = ask_polkit(a, client, action, interactive, details);
    if (r < 0) {
        authorise_cancel(a);
        return r;
    }
    *ret = a;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- the gate -- */

typedef struct GatedCall {
    Manager *manager;
    sd_bus_message *message;
    ClientHandler handler;
    User *user;   /* counted while polkit is asked */
    bool pending; /* authorise() has returned: the answer must be sent by us */
    int result;
    sd_bus_error error;
} GatedCall;

static void on_gate(const sd_bus_error *refusal, void *userdata) {
    GatedCall *g = userdata;
    Client *client = client_find(g->manager, sd_bus_message_get_sender(g->message));
    if (refusal)
        g->result = sd_bus_error_copy(&g->error, refusal);
    else if (client)
        g->result = g->handler(client, g->message, &g->error);
    if (!g->pending)
        return;
    if (sd_bus_error_is_set(&g->error))
        sd_bus_reply_method_error(g->message, &g->error);
    else if (g->result < 0)
        sd_bus_reply_method_errno(g->message, g->result, NULL);
    sd_bus_error_free(&g->error);
    user_call_end(g->manager, g->user);
    sd_bus_message_unref(g->message);
    g_free(g);
}

int authorise_call(Client *client, sd_bus_message *m, AuthAction action, ClientHandler handler, sd_bus_error *error) {
    if (action == AUTH_NONE)
        return handler(client, m, error);
    GatedCall *g = g_new0(GatedCall, 1);
    Authorisation *question = NULL;
    g->manager = client->manager;
    g->message = sd_bus_message_ref(m);
    g->handler = handler;
    bool interactive = sd_bus_message_get_allow_interactive_authorization(m) > 0;
    int r = client->manager->private_bus ? 0 : user_call_begin(client, &g->user, error);
    if (r >= 0)
        r = authorise(client, action, interactive, NULL, on_gate, g, &question);
    if (r >= 0 && question) {
        g->pending = true;
        return 1;
    }
    r = r < 0 ? r : g->result;
    if (sd_bus_error_is_set(&g->error))
        sd_bus_error_move(error, &g->error);
    user_call_end(client->manager, g->user);
    sd_bus_message_unref(g->message);
    g_free(g);
    return r;
}
