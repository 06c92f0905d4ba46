/* SPDX-License-Identifier: Apache-2.0 */
#include "../../eonayctl/text.h"
#include "parts.h"
#include "translate.h"

struct ClockBar {
    GtkWidget *box, *created, *signing, *left;
    const Contract *contract;
    guint timer;
    PageAction expired;
    gpointer userdata;
};

static void label_set(GtkWidget *label, const char *format, const char *value) {
    g_autofree char *text = g_strdup_printf(format, value);
    gtk_label_set_text(GTK_LABEL(label), text);
}

static gboolean on_second(gpointer data) {
    ClockBar *b = data;
    guint left = contract_seconds_left(b->contract);
    g_autofree char *now = text_time(g_get_real_time());
    g_autofree char *seconds = g_strdup_printf("%u", left);
    label_set(b->signing, _("Signing date: %s"), now);
    label_set(b->left, _("Remaining time: %s s"), seconds);
    if (left < 30)
        gtk_widget_add_css_class(b->left, "error");
    else
        gtk_widget_remove_css_class(b->left, "error");
    if (left > 0)
        return G_SOURCE_CONTINUE;
    b->timer = 0;
    b->expired(b->userdata);
    return G_SOURCE_REMOVE;
}

static void clock_bar_free(gpointer data) {
    ClockBar *b = data;
    if (b->timer)
        g_source_remove(b->timer);
    g_free(b);
}

ClockBar *clock_bar_new(PageAction expired, gpointer userdata) {
    ClockBar *b = g_new0(ClockBar, 1);
    b->expired = expired;
    b->userdata = userdata;
    b->box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 24);
    gtk_widget_add_css_class(b->box, "clock");
    b->created = gtk_label_new("");
    b->signing = gtk_label_new("");
    b->left = g_object_new(GTK_TYPE_LABEL, "accessible-role", GTK_ACCESSIBLE_ROLE_TIMER, "hexpand", TRUE, "xalign", 1.0,
                           NULL);
    gtk_box_append(GTK_BOX(b->box), b->created);
    gtk_box_append(GTK_BOX(b->box), b->signing);
    gtk_box_append(GTK_BOX(b->box), b->left);
    g_object_set_data_full(G_OBJECT(b->box), "part", b, clock_bar_free);
    return b;
}

GtkWidget *clock_bar_widget(const ClockBar *b) {
    return b->box;
}

void clock_bar_show(ClockBar *b, const Contract *c) {
    if (b->timer)
        g_source_remove(b->timer);
    b->timer = 0;
    b->contract = c;
    if (!c)
        return;
    g_autofree char *created = text_time(c->created_at);
    label_set(b->created, _("Creation date: %s"), created);
    if (on_second(b) == G_SOURCE_CONTINUE)
        b->timer = g_timeout_add_seconds(1, on_second, b);
}
