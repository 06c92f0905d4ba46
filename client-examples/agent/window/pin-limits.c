/* SPDX-License-Identifier: Apache-2.0 */
#include "pin-limits.h"

#include "daemon-call.h"
#include "names.h"

typedef struct Question {
    GPtrArray *choices; /* a list read again does not change under the answer */
    guint at;
    void (*changed)(gpointer);
    gpointer userdata;
} Question;

static void question_free(gpointer data) {
    Question *q = data;
    g_ptr_array_unref(q->choices);
    g_free(q);
}

static void on_described(GVariant *answer, const GError *error, gpointer data) {
    const Question *q = data;
    if (error)
        return;
    Choice *c = q->choices->pdata[q->at];
    g_autoptr(GVariant) description = g_variant_get_child_value(answer, 0);
    g_variant_lookup(description, "PinMinLength", "u", &c->pin_min);
    g_variant_lookup(description, "PinMaxLength", "u", &c->pin_max);
    q->changed(q->userdata);
}

void pin_limits_ask(GDBusConnection *bus, GCancellable *cancellable, GPtrArray *choices, void (*changed)(gpointer),
                    gpointer userdata) {
    for (guint i = 0; i < choices->len; i++) {
        Question *q = g_new0(Question, 1);
        *q = (Question){g_ptr_array_ref(choices), i, changed, userdata};
        daemon_call(&(DaemonCall){.bus = bus,
                                  .cancellable = cancellable,
                                  .path = ((const Choice *)choices->pdata[i])->token,
                                  .interface = EONAY_INTERFACE_TOKEN,
                                  .member = "Describe",
                                  .parameters = g_variant_new("(a{sv})", NULL),
                                  .reply = "(a{sv})",
                                  .forget = question_free},
                    on_described, q);
    }
}
