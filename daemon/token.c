/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <errno.h>
#include <string.h>

#include "bus-util.h"
#include "host-protocol.h"
#include "util.h"

struct TokenTurn {
    Manager *manager;
    Token *token; /* NULL after the token went away */
    User *user;
    Client *client; /* NULL: a caller like the user's others */
    TokenGranted granted;
    void *userdata;
    bool said; /* token_pass() was called */
    sd_event_source *patience;
    bool overdue; /* it has waited too long, and is in no queue any more */
};

static void grant(TokenTurn *turn) {
    turn->patience = sd_event_source_disable_unref(turn->patience);
    turn->granted(turn->userdata);
}

bool token_visible(const Token *t, const User *user) {
    return !t->module->owner || (user && t->module->owner->user == user);
}

Token *token_find(Manager *m, const char *path, const User *user) {
    Token *t = g_hash_table_lookup(m->tokens, path);
    return t && token_visible(t, user) ? t : NULL;
}

const char *token_pin_state(const Token *t) {
    if (t->flags & EONAY_TOKEN_PIN_LOCKED)
        return "locked";
    if (t->flags & EONAY_TOKEN_PIN_FINAL_TRY)
        return "final-try";
    if (t->flags & EONAY_TOKEN_PIN_LOW)
        return "low";
    return t->flags & EONAY_TOKEN_PIN_UNKNOWN ? "unknown" : "ok";
}

void token_free(Token *t) {
    if (!t)
        return;
    if (t->turn)
        t->turn->token = NULL;
    if (t->passed)
        t->passed->token = NULL;
    for (TokenTurn *turn; (turn = g_queue_pop_head(&t->turns));) {
        turn->token = NULL;
        grant(turn); /* who asks for the token now is told that it went */
    }
    host_free(t->signer);
    g_ptr_array_unref(t->certificates);
    g_hash_table_unref(t->wrong_pins);
    char *strings[] = {t->path, t->key, t->label, t->serial, t->manufacturer, t->model, t->reader, t->state};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_free(t);
}

Host *token_signer(Token *t) {
    if (!t->signer)
        t->signer =
            host_new(&t->manager->host_context, t->module->manifest, t->module->instance, t->module->files, "sign");
    return t->signer;
}

int token_update(Token *t, sd_bus_message *m) {
    const char *label = NULL, *serial = NULL, *manufacturer = NULL, *model = NULL, *reader = NULL, *state = NULL;
    const BusOption table[] = {{"Label", "s", &label},
                               {"Serial", "s", &serial},
                               {"Manufacturer", "s", &manufacturer},
                               {"Model", "s", &model},
                               {"Reader", "s", &reader},
                               {"State", "s", &state},
                               {"Flags", "u", &t->flags},
                               {"PinMin", "u", &t->pin_min},
                               {"PinMax", "u", &t->pin_max},
                               {"Mechanisms", "u", &t->mechanisms},
                               {NULL, NULL, NULL}};
    int r = bus_read_dict(m, table);
    if (r < 0)
        return r;
    const struct {
        const char *from;
        char **to;
    } strings[] = {{label, &t->label}, {serial, &t->serial}, {manufacturer, &t->manufacturer},
                   {model, &t->model}, {reader, &t->reader}, {state, &t->state}};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        if (strings[i].from) {
            g_free(*strings[i].to);
            *strings[i].to = g_strdup(strings[i].from);
        }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- turns -- */

static bool was_served_before(const TokenTurn *a, const TokenTurn *b) {
    if (a->user->served_at != b->user->served_at)
        return a->user->served_at < b->user->served_at;
    return (a->client ? a->client->served_at : 0) < (b->client ? b->client->served_at : 0);
}

/* Who was served longest ago; the first who came among those. */
static TokenTurn *next_turn(Token *t) {
    GList *next = t->turns.head;
    for (GList *i = next->next; i; i = i->next)
        if (was_served_before(i->data, next->data))
            next = i;
    TokenTurn *turn = next->data;
    g_queue_delete_link(&t->turns, next);
    return turn;
}

static void grant_next(Token *t) {
    static uint64_t turns;
    if (t->turn || g_queue_is_empty(&t->turns) || t->manager->stopping)
        return;
    t->turn = next_turn(t);
    t->turn->user->served_at = ++turns;
    if (t->turn->client)
        t->turn->client->served_at = turns;
    grant(t->turn);
}

Fault token_busy(const Token *t) {
    return fault_printf(EONAY_ERROR_BUSY, "%u are waiting", g_queue_get_length((GQueue *)&t->turns));
}

Fault token_overdue(const TokenTurn *turn) {
    if (!turn || !turn->overdue)
        return FAULT_NONE;
    return fault_printf(EONAY_ERROR_BUSY, "waited for %u ms", (unsigned)turn->manager->config->queue_wait);
}

static int on_patience_ends(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source, (void)usec;
    TokenTurn *turn = userdata;
    turn->overdue = true;
    g_queue_remove(&TAKE_PTR(turn->token)->turns, turn);
    grant(turn);
    return 0;
}

/* Each user has the whole length: who fills it keeps nobody else out. */
static unsigned waiting_of(const Token *t, const User *user) {
    unsigned n = 0;
    for (const GList *i = t->turns.head; i; i = i->next)
        n += ((const TokenTurn *)i->data)->user == user;
    return n;
}

int token_wait(Token *t, User *user, Client *client, TokenGranted granted, void *userdata, TokenTurn **ret) {
    if (waiting_of(t, user) >= t->manager->config->queue_length)
        return EONAY_ERROR_BUSY;
    TokenTurn *turn = g_new0(TokenTurn, 1);
    *turn = (TokenTurn){
        .manager = t->manager, .token = t, .user = user, .client = client, .granted = granted, .userdata = userdata};
    uint64_t patience = t->manager->config->queue_wait * USEC_PER_MSEC;
    if (t->turn && sd_event_add_time_relative(t->manager->event, &turn->patience, CLOCK_MONOTONIC, patience, 0,
                                              on_patience_ends, turn) < 0) {
        g_free(turn);
        return EONAY_ERROR_BUSY;
    }
    g_queue_push_tail(&t->turns, turn);
    *ret = turn;
    grant_next(t);
    return 0;
}

static void pass_on(Token *t) {
    if (!t->turn || !t->turn->said || t->passed)
        return;
    t->passed = TAKE_PTR(t->turn);
    grant_next(t);
}

void token_pass(TokenTurn *turn) {
    turn->said = true;
    if (turn->token)
        pass_on(turn->token);
}

TokenTurn *token_release(TokenTurn *turn) {
    if (!turn)
        return NULL;
    Token *t = turn->token;
    if (t && t->turn == turn)
        t->turn = NULL;
    else if (t && t->passed == turn)
        t->passed = NULL;
    else if (t)
        g_queue_remove(&t->turns, turn);
    sd_event_source_disable_unref(turn->patience);
    g_free(turn);
    if (t) {
        pass_on(t);
        grant_next(t);
    }
    return NULL;
}

/* --------------------------------------------------------------------------------------------------------- PIN -- */

/*
 * One user must not use up another's tries: on a shared token a uid that has never signed with the certificate gets one
 * wrong PIN per insertion. A private daemon has one user, and so has a file.
 */
static bool token_is_shared(const Token *t) {
    return !t->manager->private_bus && !t->module->owner;
}

int token_may_try(const Token *t, const User *user, const char *fingerprint, bool allow_final_try) {
    if (t->flags & EONAY_TOKEN_PIN_LOCKED)
        return EONAY_ERROR_PIN_LOCKED;
    if (t->flags & EONAY_TOKEN_PIN_FINAL_TRY && !allow_final_try)
        return EONAY_ERROR_PIN_FINAL_TRY;
    if (token_is_shared(t) && g_hash_table_contains(t->wrong_pins, GUINT_TO_POINTER(user->uid)) &&
        !journal_has_signed(t->manager->journal, user->uid, fingerprint))
        return EONAY_ERROR_PIN_FEW_TRIES_LEFT;
    return 0;
}

void token_wrong_pin(Token *t, const User *user) {
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(t->wrong_pins, GUINT_TO_POINTER(user->uid)));
    g_hash_table_insert(t->wrong_pins, GUINT_TO_POINTER(user->uid), GUINT_TO_POINTER(n + 1));
}

void token_right_pin(Token *t, const User *user) {
    uint32_t before = t->flags;
    g_hash_table_remove(t->wrong_pins, GUINT_TO_POINTER(user->uid));
    t->flags &= ~(uint32_t)(EONAY_TOKEN_PIN_LOW | EONAY_TOKEN_PIN_FINAL_TRY); /* some modules notice after the logout */
    if (t->flags != before)
        token_announce_change(t);
}
