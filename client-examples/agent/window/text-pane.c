/* SPDX-License-Identifier: Apache-2.0 */
/* A text stands in a frame of its own, so that it cannot pass itself off as a part of the window. */
#include "parts.h"
#include "translate.h"

typedef struct Pane {
    GtkWidget *box;
    GtkWidget *first; /* of the texts */
} Pane;

static Pane *pane_of(GtkWidget *widget) {
    return g_object_get_data(G_OBJECT(widget), "pane");
}

GtkWidget *text_pane_new(void) {
    Pane *p = g_new0(Pane, 1);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_widget_set_hexpand(scrolled, TRUE);
    gtk_widget_set_vexpand(scrolled, TRUE);
    p->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), p->box);
    g_object_set_data_full(G_OBJECT(scrolled), "pane", p, g_free);
    return scrolled;
}

/* A label and not a text view: its height is known before it is drawn, so that no part of a text can stay out of sight.
 */
static GtkWidget *text_new(const ContractText *t) {
    gsize size;
    const char *bytes = g_bytes_get_data(t->bytes, &size);
    g_autofree char *text = g_strndup(bytes, size);
    GtkWidget *label = page_label(text, NULL);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_label_set_yalign(GTK_LABEL(label), 0);
    return label;
}

/* The authority's own title; with several texts, which of them it is. */
static char *heading(const ContractText *t, guint number, guint of) {
    if (of > 1)
        return g_strdup_printf(_("Text to be signed, %u of %u: %s"), number, of, t->title);
    return *t->title ? g_strdup(t->title) : g_strdup(_("Text to be signed"));
}

static void add_text(Pane *p, const ContractText *t, guint number, guint of) {
    g_autofree char *label = heading(t, number, of);
    g_autofree char *hash = g_strdup_printf("SHA-256: %s", t->sha256);
    GtkWidget *text = text_new(t);
    GtkWidget *frame = gtk_frame_new(NULL);
    gtk_widget_add_css_class(frame, "contract-text");
    gtk_frame_set_child(GTK_FRAME(frame), text);
    gtk_box_append(GTK_BOX(p->box), page_label(label, "heading"));
    gtk_box_append(GTK_BOX(p->box), frame);
    GtkWidget *digest = page_label(hash, "dim-label");
    gtk_widget_add_css_class(digest, "hash");
    gtk_box_append(GTK_BOX(p->box), digest);
    if (!p->first)
        p->first = text;
}

/* The program that asks has shown them, and named them by their hashes. */
static void add_hashes(Pane *p, const Contract *c) {
    gtk_box_append(GTK_BOX(p->box), page_label(_("The program that asks has shown you the text itself. If you have not "
                                                 "read it there, cancel."),
                                               NULL));
    for (char **hash = c->hashes; hash && *hash; hash++) {
        GtkWidget *label = page_label(*hash, "hash");
        gtk_label_set_selectable(GTK_LABEL(label), TRUE);
        gtk_box_append(GTK_BOX(p->box), label);
    }
}

void text_pane_show(GtkWidget *widget, const Contract *c) {
    Pane *p = pane_of(widget);
    GtkWidget *child;
    while ((child = gtk_widget_get_first_child(p->box)))
        gtk_box_remove(GTK_BOX(p->box), child);
    p->first = NULL;
    for (guint i = 0; c && i < c->texts->len; i++)
        add_text(p, c->texts->pdata[i], i + 1, c->texts->len);
    if (c && c->texts->len == 0)
        add_hashes(p, c);
}

void text_pane_focus(GtkWidget *widget) {
    const Pane *p = pane_of(widget);
    if (p->first)
        gtk_widget_grab_focus(p->first);
}
