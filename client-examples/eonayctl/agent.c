/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call is put in the line and answered later, when the user has typed a line or the daemon took the question back:
 * the event loop never waits for the keyboard. Calls of anybody but the daemon are refused: otherwise every program on
 * the bus could ask for the PIN in the daemon's name.
 */
#include "agent.h"

#include <stdio.h>
#include <string.h>

#include "eonay/plugin.h"
#include "error.h"
#include "json.h"
#include "pin-source.h"
#include "prompt.h"
#include "text.h"
#include "texts.h"

#define QUESTIONS_MAX 64u

typedef struct Question {
    Agent *agent;
    sd_bus_message *call;
    char *consent;
    bool wants_pin;
    GPtrArray *texts; /* of ConfirmText */
    json_t *details;
    Prompt *prompt;
} Question;

struct Agent {
    Ctl *ctl;
    Terminal *terminal;
    bool accept;
    bool allow_final_try;
    GQueue questions; /* Question*; the first one is on the screen */
    sd_bus_slot *slot;
    sd_event_source *next; /* opens the next question from the loop, not from within a handler */
};

static void question_free(Question *q) {
    prompt_free(q->prompt);
    sd_bus_message_unref(q->call);
    g_clear_pointer(&q->texts, g_ptr_array_unref);
    json_decref(q->details);
    g_free(q->consent);
    g_free(q);
}

static void question_end(Question *q) {
    Agent *a = q->agent;
    g_queue_remove(&a->questions, q);
    question_free(q);
    if (!g_queue_is_empty(&a->questions))
        sd_event_source_set_enabled(a->next, SD_EVENT_ONESHOT);
}

static void refuse(Question *q, int code) {
    sd_bus_reply_method_errorf(q->call, eonay_error_name(code), "%s", eonay_error_text(code));
    question_end(q);
}

/* ---- the text ---- */

static void on_confirmed(Prompt *p, Pin *answer, void *userdata) {
    (void)p;
    Question *q = userdata;
    sd_bus_reply_method_return(q->call, "b", answer && prompt_is_yes(pin_text(answer)));
    question_end(q);
}

static void ask_confirmation(Question *q) {
    Agent *a = q->agent;
    texts_show(terminal_out(a->terminal), q->texts, q->details);
    if (a->accept) {
        sd_bus_reply_method_return(q->call, "b", 1);
        question_end(q);
    } else if (prompt_new(a->ctl->event, a->terminal, _("Do you agree and want to sign this? [y/N] "), false,
                          on_confirmed, q, &q->prompt) < 0) {
        refuse(q, EONAY_ERROR_CANCELLED);
    }
}

/* ---- the PIN ---- */

static void give_pin(Question *q, const Pin *pin) {
    _cleanup_close_ int fd = -1;
    if (!pin || pin_size(pin) == 0 || pin_pipe(pin, &fd) < 0) {
        refuse(q, EONAY_ERROR_CANCELLED);
        return;
    }
    sd_bus_reply_method_return(q->call, "h", fd);
    question_end(q);
}

static void on_pin(Prompt *p, Pin *answer, void *userdata) {
    (void)p;
    give_pin(userdata, answer);
}

static bool is_final(const Question *q) {
    return json_get_bool(q->details, "FinalTry", false);
}

/* A PIN that nobody typed is given once only: the same wrong one again would lock the token. */
static void give_stored_pin(Question *q) {
    _cleanup_(pin_freep) Pin *pin = NULL;
    if (strcmp(json_get_string(q->details, "Reason", "first"), "first") != 0 ||
        (is_final(q) && !q->agent->allow_final_try)) {
        refuse(q, is_final(q) ? EONAY_ERROR_PIN_FINAL_TRY : EONAY_ERROR_PIN_INCORRECT);
        return;
    }
    pin_source_take(q->agent->ctl, q->agent->terminal, "", NULL, &pin);
    give_pin(q, pin);
}

static void tell_about_pin(FILE *out, const Question *q) {
    g_autofree char *requester = text_clean(json_get_string(q->details, "Requester", ""));
    g_autofree char *caller = text_clean(json_get_string(q->details, "Caller", ""));
    long long tries = json_get_integer(q->details, "TriesLeft", -1);
    fprintf(out, _("\nA PIN is needed to sign for '%s' (program: %s).\n"), requester, *caller ? caller : "-");
    if (strcmp(json_get_string(q->details, "Reason", "first"), "first") != 0)
        fprintf(out, "%s\n", eonay_error_text(EONAY_ERROR_PIN_INCORRECT));
    if (tries >= 0)
        fprintf(out, _("PIN tries left: %lld\n"), tries);
    if (is_final(q))
        fprintf(out, "%s\n",
                _("This is the LAST try before the token locks itself. Enter alone ends without using it."));
}

static void ask_pin(Question *q) {
    Agent *a = q->agent;
    if (pin_source_is_given()) {
        give_stored_pin(q);
        return;
    }
    FILE *out = terminal_out(a->terminal);
    tell_about_pin(out, q);
    g_autofree char *label = text_clean(json_get_string(q->details, "TokenLabel", ""));
    g_autofree char *name = text_common_name(json_get_string(q->details, "CertificateSubject", ""));
    g_autofree char *question = g_strdup_printf(_("PIN of %s, %s (is not shown; Enter alone ends): "), label, name);
    if (prompt_new(a->ctl->event, a->terminal, question, true, on_pin, q, &q->prompt) < 0)
        refuse(q, EONAY_ERROR_CANCELLED);
}

static int on_next(sd_event_source *source, void *userdata) {
    (void)source;
    Agent *a = userdata;
    Question *q = g_queue_peek_head(&a->questions);
    if (!q || q->prompt)
        return 0;
    if (q->wants_pin)
        ask_pin(q);
    else
        ask_confirmation(q);
    return 0;
}

/* ---- the interface ---- */

static bool is_daemon(const Agent *a, sd_bus_message *m) {
    return a->ctl->daemon && g_strcmp0(sd_bus_message_get_sender(m), a->ctl->daemon) == 0;
}

static int enqueue(Agent *a, sd_bus_message *m, Question *q) {
    q->agent = a;
    q->call = sd_bus_message_ref(m);
    g_queue_push_tail(&a->questions, q);
    sd_event_source_set_enabled(a->next, SD_EVENT_ONESHOT);
    return 1;
}

static int check_call(Agent *a, sd_bus_message *m, sd_bus_error *error) {
    if (!is_daemon(a, m))
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "Only the E-Onay service may call the agent.");
    if (g_queue_get_length(&a->questions) >= QUESTIONS_MAX)
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many questions are open.");
    return 0;
}

static int method_confirm_text(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Agent *a = userdata;
    const char *consent;
    GPtrArray *texts = NULL;
    json_t *details = NULL;
    int r = check_call(a, m, error);
    if (r < 0 || (r = sd_bus_message_read(m, "o", &consent)) < 0 || (r = texts_read(m, &texts)) < 0)
        return r;
    if (r > 0)
        return sd_bus_error_setf(error, eonay_error_name(r), "%s", eonay_error_text(r));
    if ((r = json_read(m, &details)) < 0) {
        g_ptr_array_unref(texts);
        return r;
    }
    Question *q = g_new0(Question, 1);
    q->consent = g_strdup(consent);
    q->texts = texts;
    q->details = details;
    return enqueue(a, m, q);
}

static int method_request_pin(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Agent *a = userdata;
    const char *consent;
    json_t *details = NULL;
    int r = check_call(a, m, error);
    if (r < 0 || (r = sd_bus_message_read(m, "o", &consent)) < 0 || (r = json_read(m, &details)) < 0)
        return r;
    Question *q = g_new0(Question, 1);
    q->consent = g_strdup(consent);
    q->details = details;
    q->wants_pin = true;
    return enqueue(a, m, q);
}

static Question *find_question(Agent *a, const char *consent) {
    for (GList *l = a->questions.head; l; l = l->next)
        if (strcmp(((Question *)l->data)->consent, consent) == 0)
            return l->data;
    return NULL;
}

static int method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Agent *a = userdata;
    const char *consent;
    int r = check_call(a, m, error);
    if (r < 0 || (r = sd_bus_message_read(m, "o", &consent)) < 0)
        return r;
    for (Question *q = find_question(a, consent); q; q = find_question(a, consent)) {
        bool shown = q->prompt;
        refuse(q, EONAY_ERROR_CANCELLED);
        if (shown)
            fprintf(terminal_out(a->terminal), "%s\n", _("The question was taken back; do not type the PIN any more."));
    }
    fflush(terminal_out(a->terminal));
    return sd_bus_reply_method_return(m, NULL);
}

static int method_finished(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Agent *a = userdata;
    FILE *out = terminal_out(a->terminal);
    const char *consent, *name;
    int success;
    if (!is_daemon(a, m))
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "Only the E-Onay service may call the agent.");
    int r = sd_bus_message_read(m, "obs", &consent, &success, &name);
    if (r < 0)
        return r;
    int code = eonay_error_from_name(name);
    if (success)
        fputs(_("The consent is signed and the authority has received it.\n"), out);
    else if (code > 0)
        fprintf(out, "%s %s\n", eonay_error_text(code), eonay_error_hint(code));
    fflush(out);
    return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable agent_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("ConfirmText", SD_BUS_ARGS("o", consent, "a(sssay)", texts, "a{sv}", details),
                            SD_BUS_RESULT("b", confirmed), method_confirm_text, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RequestPin", SD_BUS_ARGS("o", consent, "a{sv}", details), SD_BUS_RESULT("h", pin),
                            method_request_pin, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("o", consent, "a{sv}", details), SD_BUS_NO_RESULT, method_cancel,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Finished", SD_BUS_ARGS("o", consent, "b", success, "s", error_name, "a{sv}", details),
                            SD_BUS_NO_RESULT, method_finished, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int agent_new(Ctl *ctl, Terminal *terminal, bool accept, bool allow_final_try, Agent **ret) {
    _cleanup_(agent_freep) Agent *a = g_new0(Agent, 1);
    a->ctl = ctl;
    a->terminal = terminal;
    a->accept = accept;
    a->allow_final_try = allow_final_try;
    g_queue_init(&a->questions);
    int r = sd_event_add_defer(ctl->event, &a->next, on_next, a);
    if (r >= 0)
        r = sd_event_source_set_enabled(a->next, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_bus_add_object_vtable(ctl->bus, &a->slot, AGENT_PATH, EONAY_INTERFACE_AGENT, agent_vtable, a);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(a);
    return 0;
}

Agent *agent_free(Agent *a) {
    if (!a)
        return NULL;
    while (!g_queue_is_empty(&a->questions))
        refuse(g_queue_peek_head(&a->questions), EONAY_ERROR_CANCELLED);
    sd_bus_slot_unref(a->slot);
    sd_event_source_disable_unref(a->next);
    g_free(a);
    return NULL;
}
