/* SPDX-License-Identifier: Apache-2.0 */
#include "token-facts.h"

#include "../../eonayctl/text.h"
#include "daemon-call.h"
#include "names.h"

typedef struct Question {
    GDBusConnection *bus;
    GCancellable *cancellable;
    GPtrArray *choices; /* a list read again does not change under the answer */
    guint at;
    void (*known)(gpointer);
    gpointer userdata;
} Question;

static void ask(const Question *of, guint at);

static void question_free(gpointer data) {
    Question *q = data;
    g_object_unref(q->bus);
    g_object_unref(q->cancellable);
    g_ptr_array_unref(q->choices);
    g_free(q);
}

static void take(Choice *c, GVariant *description) {
    const char *label = "", *reader = "";
    g_variant_lookup(description, "PinMinLength", "u", &c->pin_min);
    g_variant_lookup(description, "PinMaxLength", "u", &c->pin_max);
    g_variant_lookup(description, "Label", "&s", &label);
    g_variant_lookup(description, "ReaderName", "&s", &reader);
    if (!*label || *reader)
        return;
    g_free(c->token_label);
    c->token_label = text_clean(label);
}

static void on_described(GVariant *answer, const GError *error, gpointer data) {
    const Question *q = data;
    if (!error) {
        g_autoptr(GVariant) description = g_variant_get_child_value(answer, 0);
        take(q->choices->pdata[q->at], description);
    }
    if (q->at + 1 < q->choices->len)
        ask(q, q->at + 1);
    else
        q->known(q->userdata);
}

static void ask(const Question *of, guint at) {
    Question *q = g_new0(Question, 1);
    *q = (Question){g_object_ref(of->bus), g_object_ref(of->cancellable), g_ptr_array_ref(of->choices), at, of->known,
                    of->userdata};
    daemon_call(&(DaemonCall){.bus = q->bus,
                              .cancellable = q->cancellable,
                              .path = ((const Choice *)q->choices->pdata[at])->token,
                              .interface = EONAY_INTERFACE_TOKEN,
                              .member = "Describe",
                              .parameters = g_variant_new("(a{sv})", NULL),
                              .reply = "(a{sv})",
                              .forget = question_free},
                on_described, q);
}

void token_facts_ask(GDBusConnection *bus, GCancellable *cancellable, GPtrArray *choices, void (*known)(gpointer),
                     gpointer userdata) {
    if (choices->len > 0)
        ask(&(Question){bus, cancellable, choices, 0, known, userdata}, 0);
}
