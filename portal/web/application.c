/* SPDX-License-Identifier: Apache-2.0 */
/* The moves are a table; the statement that moves names the state it starts from, so of two moves one sees nothing. */
#include "application.h"

#include <glib.h>
#include <openssl/rand.h>
#include <string.h>

#include "eonay/plugin.h"

static const char *const names[APPLICATION_STATE_COUNT] = {
    [APPLICATION_HELD] = "held",
    [APPLICATION_SUBMITTED] = "submitted",
    [APPLICATION_IN_PRODUCTION] = "in-production",
    [APPLICATION_COURIERED] = "couriered",
    [APPLICATION_DELIVERED] = "delivered",
    [APPLICATION_REJECTED] = "rejected",
};

static const struct {
    ApplicationState from;
    ApplicationState to;
} moves[] = {
    {APPLICATION_HELD, APPLICATION_IN_PRODUCTION},      {APPLICATION_HELD, APPLICATION_REJECTED},
    {APPLICATION_SUBMITTED, APPLICATION_IN_PRODUCTION}, {APPLICATION_SUBMITTED, APPLICATION_REJECTED},
    {APPLICATION_IN_PRODUCTION, APPLICATION_COURIERED}, {APPLICATION_IN_PRODUCTION, APPLICATION_REJECTED},
    {APPLICATION_COURIERED, APPLICATION_DELIVERED},
};

const char *application_state_name(ApplicationState state) {
    return names[state];
}

bool application_state_parse(const char *name, ApplicationState *ret) {
    for (size_t i = 0; name && i < APPLICATION_STATE_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *ret = (ApplicationState)i;
            return true;
        }
    return false;
}

bool application_may_move(ApplicationState from, ApplicationState to) {
    for (size_t i = 0; i < G_N_ELEMENTS(moves); i++)
        if (moves[i].from == from && moves[i].to == to)
            return true;
    return false;
}

static void take_row(StoreRows *rows, Application *a) {
    size_t size = 0;
    const void *fingerprint = store_rows_bytes(rows, 5, &size);

    *a = (Application){.is_renewal = strcmp(store_rows_text(rows, 2), "renewal") == 0,
                       .held_until = store_rows_int(rows, 6),
                       .created_at = store_rows_int(rows, 7),
                       .moved_at = store_rows_int(rows, 8)};
    g_strlcpy(a->id, store_rows_text(rows, 0), sizeof a->id);
    g_strlcpy(a->account, store_rows_text(rows, 1), sizeof a->account);
    (void)application_state_parse(store_rows_text(rows, 3), &a->state);
    g_strlcpy(a->receipt_id, store_rows_text(rows, 4), sizeof a->receipt_id);
    if (size == sizeof a->fingerprint)
        memcpy(a->fingerprint, fingerprint, size);
}

/* No letter that is taken for another, and none of a language. */
static void make_id(char ret[APPLICATION_ID_SIZE]) {
    static const char letters[] = "23456789BCDFGHJKLMNPQRSTVWXYZ";
    unsigned char bytes[APPLICATION_ID_SIZE];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        g_error("the machine gives no random numbers");
    ret[0] = 'B';
    for (size_t i = 1; i < APPLICATION_ID_SIZE - 1; i++)
        ret[i] = letters[bytes[i] % (sizeof letters - 1)];
    ret[APPLICATION_ID_SIZE - 1] = '\0';
}

static int submit_work(Store *store, void *data) {
    const Application *a = data;
    const char *state = application_state_name(a->state);
    int64_t changes = 0;
    int r = store_change(store, STATEMENT_APPLICATION_ADD, &changes, "tttttbii", a->id, a->account,
                         a->is_renewal ? "renewal" : "new", state, a->receipt_id, a->fingerprint, sizeof a->fingerprint,
                         a->held_until, a->created_at);

    if (r != 0)
        return r;
    if (changes == 0)
        return EONAY_ERROR_BUSY;
    return store_change(store, STATEMENT_APPLICATION_STEP_ADD, NULL, "tti", a->id, state, a->created_at);
}

int application_submit(Store *store, Application *a, int64_t now) {
    make_id(a->id);
    a->state = a->is_renewal && a->held_until > now ? APPLICATION_HELD : APPLICATION_SUBMITTED;
    if (a->state != APPLICATION_HELD)
        a->held_until = 0;
    a->created_at = a->moved_at = now;
    return store_write(store, submit_work, a);
}

typedef struct MoveWork {
    const char *id;
    ApplicationState to;
    int64_t now;
    Application found;
} MoveWork;

static int find_row(Store *store, const char *id, Application *ret) {
    _rows_ StoreRows *rows = NULL;
    int r = store_row(store, STATEMENT_APPLICATION_FIND, &rows, "t", id);

    if (r != 0)
        return r;
    if (!rows)
        return EONAY_ERROR_NOT_FOUND;
    take_row(rows, ret);
    return 0;
}

static int find_work(Store *store, void *data) {
    MoveWork *w = data;

    return find_row(store, w->id, &w->found);
}

static int move_work(Store *store, void *data) {
    MoveWork *w = data;
    int64_t changes = 0;
    int r = find_row(store, w->id, &w->found);

    if (r != 0)
        return r;
    if (!application_may_move(w->found.state, w->to))
        return EONAY_ERROR_UNSUPPORTED;
    if (w->to == APPLICATION_IN_PRODUCTION && w->found.held_until > w->now)
        return EONAY_ERROR_BUSY;
    r = store_change(store, STATEMENT_APPLICATION_MOVE, &changes, "ttti", w->id, names[w->found.state], names[w->to],
                     w->now);
    if (r != 0)
        return r;
    if (changes == 0)
        return EONAY_ERROR_UNSUPPORTED;
    return store_change(store, STATEMENT_APPLICATION_STEP_ADD, NULL, "tti", w->id, names[w->to], w->now);
}

int application_move(Store *store, const char *id, ApplicationState to, int64_t now) {
    MoveWork work = {.id = id, .to = to, .now = now};

    return store_write(store, move_work, &work);
}

int application_find(Store *store, const char *id, Application *ret) {
    MoveWork work = {.id = id};
    int r = store_read(store, find_work, &work);

    if (r == 0)
        *ret = work.found;
    return r;
}

typedef struct ListWork {
    const char *account; /* or: */
    ApplicationState state;
    int64_t now;
    ApplicationList *list;
} ListWork;

static int list_work(Store *store, void *data) {
    ListWork *w = data;
    _rows_ StoreRows *rows = NULL;
    int r = w->account ? store_query(store, STATEMENT_APPLICATION_OF_ACCOUNT, &rows, "t", w->account)
                       : store_query(store, STATEMENT_APPLICATION_DUE, &rows, "ti", names[w->state], w->now);

    w->list->n = 0;
    while (r == 0 && w->list->n < APPLICATION_LIST_MAX && (r = store_rows_next(rows)) == 1) {
        take_row(rows, &w->list->at[w->list->n++]);
        r = 0;
    }
    return r < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

int application_list(Store *store, const char *account, ApplicationList *ret) {
    ListWork work = {.account = account, .list = ret};

    return store_read(store, list_work, &work);
}

int application_due(Store *store, ApplicationState state, int64_t now, ApplicationList *ret) {
    ListWork work = {.state = state, .now = now, .list = ret};

    return store_read(store, list_work, &work);
}

typedef struct StepsWork {
    const char *id;
    ApplicationStep *steps;
    size_t n;
} StepsWork;

static int steps_work(Store *store, void *data) {
    StepsWork *w = data;
    _rows_ StoreRows *rows = NULL;
    int r = store_query(store, STATEMENT_APPLICATION_STEPS, &rows, "t", w->id);

    w->n = 0;
    while (r == 0 && w->n < APPLICATION_STEPS_MAX && (r = store_rows_next(rows)) == 1) {
        ApplicationStep *step = &w->steps[w->n++];

        *step = (ApplicationStep){.at = store_rows_int(rows, 1)};
        (void)application_state_parse(store_rows_text(rows, 0), &step->state);
        r = 0;
    }
    return r < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

int application_steps(Store *store, const char *id, ApplicationStep ret[APPLICATION_STEPS_MAX], size_t *ret_n) {
    StepsWork work = {.id = id, .steps = ret};
    int r = store_read(store, steps_work, &work);

    *ret_n = work.n;
    return r;
}
