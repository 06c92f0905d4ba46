/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call in each turn of the event loop, after what has arrived was taken off the bus; but not later than after
 * TAKEN_MAX arrivals, so that a flood of calls does not keep those that wait from being worked on. A user who comes
 * while another one waits is served before more is taken off: a flood of the one does not hold up the other.
 */
#include "dispatch.h"

#define AFTER_THE_BUS  (SD_EVENT_PRIORITY_NORMAL + 1)
#define BEFORE_THE_BUS (SD_EVENT_PRIORITY_NORMAL - 1)
#define TAKEN_MAX      512u

struct Dispatch {
    sd_event_source *turn;
    GQueue users;   /* User*, each once, with clients that wait; who was served longest ago comes first */
    unsigned taken; /* calls since the last turn */
    unsigned round; /* turns before more is taken off the bus */
    uint64_t turns;
};

/* The next of a user: its connections take turns as well. */
static Client *next_client(Dispatch *d) {
    User *user = g_queue_pop_head(&d->users);
    Client *c = g_queue_pop_head(&user->waiting);
    c->waits = false;
    user->worked_at = ++d->turns;
    if (!g_queue_is_empty(&user->waiting))
        g_queue_push_tail(&d->users, user);
    return c;
}

static void go_before_the_bus(Dispatch *d, bool before) {
    sd_event_source_set_priority(d->turn, before ? BEFORE_THE_BUS : AFTER_THE_BUS);
}

static int on_turn(sd_event_source *source, void *userdata) {
    Dispatch *d = userdata;
    d->taken = 0;
    d->round -= d->round > 0;
    go_before_the_bus(d, d->round > 0);
    if (!g_queue_is_empty(&d->users))
        client_run_next(next_client(d));
    if (g_queue_is_empty(&d->users))
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
    return 0;
}

static int by_last_work(const void *a, const void *b, void *unused) {
    (void)unused;
    uint64_t x = ((const User *)a)->worked_at, y = ((const User *)b)->worked_at;
    return x < y ? -1 : x > y;
}

static void add_user(Dispatch *d, User *user) {
    g_queue_insert_sorted(&d->users, user, by_last_work, NULL);
    if (g_queue_get_length(&d->users) < 2)
        return;
    d->round = g_queue_get_length(&d->users);
    go_before_the_bus(d, true);
}

void dispatch_add(Client *c) {
    Dispatch *d = c->manager->dispatch;
    if (++d->taken >= TAKEN_MAX)
        go_before_the_bus(d, true);
    if (c->waits)
        return;
    c->waits = true;
    if (g_queue_is_empty(&c->user->waiting))
        add_user(d, c->user);
    g_queue_push_tail(&c->user->waiting, c);
    sd_event_source_set_enabled(d->turn, SD_EVENT_ON);
}

void dispatch_remove(Client *c) {
    if (!c->waits)
        return;
    c->waits = false;
    g_queue_remove(&c->user->waiting, c);
    if (g_queue_is_empty(&c->user->waiting))
        g_queue_remove(&c->manager->dispatch->users, c->user);
}

int dispatch_new(Manager *m, Dispatch **ret) {
    Dispatch *d = g_new0(Dispatch, 1);
    int r = sd_event_add_defer(m->event, &d->turn, on_turn, d);
    if (r >= 0)
        r = sd_event_source_set_priority(d->turn, AFTER_THE_BUS);
    if (r >= 0)
        r = sd_event_source_set_enabled(d->turn, SD_EVENT_OFF);
    if (r < 0) {
        dispatch_free(d);
        return r;
    }
    *ret = d;
    return 0;
}

Dispatch *dispatch_free(Dispatch *d) {
    if (!d)
        return NULL;
    sd_event_source_disable_unref(d->turn);
    g_queue_clear(&d->users);
    g_free(d);
    return NULL;
}
