/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

GtkWidget *page_label(const char *text, const char *css_class) {
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_width_chars(GTK_LABEL(label), 24); /* never narrow and tall */
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    if (css_class)
        gtk_widget_add_css_class(label, css_class);
    return label;
}

GtkWidget *page_mnemonic(const char *mnemonic, GtkWidget *widget) {
    GtkWidget *label = gtk_label_new_with_mnemonic(mnemonic);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), widget);
    return label;
}

GtkWidget *page_drop_down(GtkWidget *label) {
    GtkWidget *list = gtk_drop_down_new_from_strings((const char *[]){NULL});
    GtkWidget *named[] = {list, gtk_widget_get_first_child(list)};
    gtk_label_set_use_underline(GTK_LABEL(label), TRUE);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), list);
    for (gsize i = 0; i < G_N_ELEMENTS(named) && named[i]; i++)
        gtk_accessible_update_relation(GTK_ACCESSIBLE(named[i]), GTK_ACCESSIBLE_RELATION_LABELLED_BY, label, NULL, -1);
    return list;
}

typedef struct Pressed {
    PageAction action;
    gpointer view;
} Pressed;

static void on_pressed(GtkButton *button, gpointer data) {
    (void)button;
    const Pressed *pressed = data;
    pressed->action(pressed->view);
}

static void pressed_free(gpointer data, GClosure *closure) {
    (void)closure;
    g_free(data);
}

GtkWidget *page_button(const char *mnemonic, PageAction action, gpointer view) {
    GtkWidget *button = gtk_button_new();
    gtk_button_set_child(GTK_BUTTON(button), page_mnemonic(mnemonic, button));
    Pressed *pressed = g_new(Pressed, 1);
    *pressed = (Pressed){action, view};
    g_signal_connect_data(button, "clicked", G_CALLBACK(on_pressed), pressed, pressed_free, 0);
    return button;
}

GtkWidget *page_alert(void) {
    GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "accessible-role", GTK_ACCESSIBLE_ROLE_ALERT, "wrap", TRUE,
                                    "xalign", 0.0, "visible", FALSE, "width-chars", 24, NULL);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_widget_add_css_class(label, "alert");
    return label;
}

void page_alert_set(GtkWidget *alert, const char *text) {
    gtk_label_set_text(GTK_LABEL(alert), text ? text : "");
    gtk_widget_set_visible(alert, text && *text);
}
