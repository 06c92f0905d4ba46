/* SPDX-License-Identifier: Apache-2.0 */
#include "asking.h"

#include "util.h"

#define QUESTIONS_MAX 64u /* half of what the bus allows: agents are asked as well */

struct Question {
    Manager *manager;
    uid_t uid;
    sd_bus_message *message; /* until it is sent */
    sd_bus_slot *slot;
    uint64_t timeout;
    sd_bus_message_handler_t handler;
    void *userdata;
};

static void question_free(Question *q) {
    sd_bus_slot_unref(q->slot);
    sd_bus_message_unref(q->message);
    g_free(q);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error);

static int question_send(Question *q) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = TAKE_PTR(q->message);
    int r = sd_bus_call_async(q->manager->bus, &q->slot, m, on_answer, q, q->timeout);
    if (r >= 0)
        q->manager->n_questions++;
    return r;
}

/* The first of another user than the one asked for last, else the first; NULL when nobody asks. */
static Question *next_question(Manager *m) {
    GList *next = m->questions.head;
    while (next && ((Question *)next->data)->uid == m->asked_for)
        next = next->next;
    Question *q = next ? next->data : g_queue_peek_head(&m->questions);
    if (!q)
        return NULL;
    g_queue_remove(&m->questions, q);
    m->asked_for = q->uid;
    return q;
}

/* One that cannot be sent is answered all the same: by its timeout, as if nobody had. */
static void ask_next(Manager *m) {
    while (m->n_questions < QUESTIONS_MAX && !m->stopping) {
        Question *q = next_question(m);
        if (!q || question_send(q) < 0)
            return; /* nobody asks; or the bus is gone, and soon so are we */
    }
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    Question *q = userdata;
    Manager *m = q->manager;
    sd_bus_message_handler_t handler = q->handler;
    void *of_handler = q->userdata;
    m->n_questions--;
    question_free(q);
    int r = handler(reply, of_handler, error);
    ask_next(m);
    return r;
}

int question_ask(Manager *m, uid_t uid, sd_bus_message *message, uint64_t timeout_usec,
                 sd_bus_message_handler_t handler, void *userdata, Question **ret) {
    Question *q = g_new0(Question, 1);
    *q = (Question){.manager = m,
                    .uid = uid,
                    .message = sd_bus_message_ref(message),
                    .timeout = timeout_usec,
                    .handler = handler,
                    .userdata = userdata};
    if (m->n_questions < QUESTIONS_MAX) {
        int r = question_send(q);
        if (r < 0) {
            question_free(q);
            return r;
        }
        m->asked_for = uid;
    } else
        g_queue_push_tail(&m->questions, q);
    *ret = q;
    return 0;
}

Question *question_drop(Question *q) {
    if (!q)
        return NULL;
    Manager *m = q->manager;
    if (q->message)
        g_queue_remove(&m->questions, q);
    else
        m->n_questions--;
    question_free(q);
    ask_next(m);
    return NULL;
}
