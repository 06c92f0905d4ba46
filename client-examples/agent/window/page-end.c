/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"
#include "translate.h"

struct EndPage {
    GtkWidget *box, *icon, *title, *what, *hint, *again, *close;
};

EndPage *end_page_new(PageAction again, PageAction close, gpointer view) {
    EndPage *p = g_new0(EndPage, 1);
    p->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    gtk_widget_add_css_class(p->box, "page");
    gtk_widget_set_valign(p->box, GTK_ALIGN_CENTER);
    gtk_widget_set_halign(p->box, GTK_ALIGN_CENTER);
    gtk_widget_set_size_request(p->box, 460, -1);
    p->icon = gtk_image_new();
    gtk_image_set_pixel_size(GTK_IMAGE(p->icon), 64);
    p->title = page_label("", "title-2");
    p->what = page_label("", NULL);
    p->hint = page_label("", "dim-label");
    GtkWidget *labels[] = {p->title, p->what, p->hint};
    GtkWidget *buttons = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    gtk_widget_set_halign(buttons, GTK_ALIGN_CENTER);
    p->again = page_button(_("Use a _new code"), again, view);
    p->close = page_button(_("_Close the application"), close, view);
    gtk_widget_add_css_class(p->close, "suggested-action");
    gtk_box_append(GTK_BOX(buttons), p->again);
    gtk_box_append(GTK_BOX(buttons), p->close);
    gtk_box_append(GTK_BOX(p->box), p->icon);
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        gtk_label_set_justify(GTK_LABEL(labels[i]), GTK_JUSTIFY_CENTER);
        gtk_label_set_xalign(GTK_LABEL(labels[i]), 0.5F);
        gtk_label_set_max_width_chars(GTK_LABEL(labels[i]), 60);
        gtk_box_append(GTK_BOX(p->box), labels[i]);
    }
    gtk_box_append(GTK_BOX(p->box), buttons);
    gtk_accessible_update_relation(GTK_ACCESSIBLE(p->close), GTK_ACCESSIBLE_RELATION_DESCRIBED_BY, p->title, p->what,
                                   p->hint, NULL, -1);
    g_object_set_data_full(G_OBJECT(p->box), "page", p, g_free);
    return p;
}

GtkWidget *end_page_widget(const EndPage *p) {
    return p->box;
}

GtkWidget *end_page_default(const EndPage *p) {
    return p->close;
}

static void label_set(GtkWidget *label, const char *text) {
    gtk_label_set_text(GTK_LABEL(label), text ? text : "");
    gtk_widget_set_visible(label, text && *text);
}

void end_page_show(EndPage *p, gboolean success, const char *what, const char *hint, gboolean can_begin_again) {
    gtk_image_set_from_icon_name(GTK_IMAGE(p->icon), success ? "object-select-symbolic" : "dialog-warning-symbolic");
    gtk_widget_remove_css_class(p->icon, success ? "error" : "success");
    gtk_widget_add_css_class(p->icon, success ? "success" : "error");
    /* TRANSLATORS: the words of the authority's own application */
    label_set(p->title, success ? _("The operation was successful") : _("The operation could not be completed"));
    label_set(p->what, what);
    label_set(p->hint, hint);
    gtk_widget_set_visible(p->again, can_begin_again);
}
