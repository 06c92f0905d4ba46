/* SPDX-License-Identifier: Apache-2.0 */
/* A method call that waits for polkit. Counted for its user meanwhile; its sender may have left when the answer comes.
 */
#include "authorise.h"
#include "util.h"

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
    return authorise_call_for(client, m, action, NULL, handler, error);
}

int authorise_call_for(Client *client, sd_bus_message *m, AuthAction action, const char *const *details,
                       ClientHandler handler, sd_bus_error *error) {
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
        r = authorise(client, action, interactive, details, on_gate, g, &question);
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
