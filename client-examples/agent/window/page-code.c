/* SPDX-License-Identifier: Apache-2.0 */
/* "İleri" can be pressed when there are exactly 15 digits; what is pasted may have spaces, line ends and hyphens. */
#include <string.h>

#include "code-entry.h"
#include "pages.h"
#include "translate.h"

struct CodePage {
    GtkWidget *box, *entry, *count, *alert, *next;
    AuthorityBox *authority;
    void (*done)(const char *code, const char *authority, gpointer view);
    gpointer view;
};

static void on_next(gpointer data) {
    CodePage *p = data;
    guint n;
    g_autofree char *digits = code_entry_digits(gtk_editable_get_text(GTK_EDITABLE(p->entry)), &n);
    if (digits && n == CODE_DIGITS)
        p->done(digits, authority_box_choice(p->authority), p->view);
}

static void on_changed(GtkEditable *editable, gpointer data) {
    CodePage *p = data;
    guint n;
    g_autofree char *digits = code_entry_digits(gtk_editable_get_text(editable), &n);
    g_autofree char *count = NULL;
    if (!digits)
        count = g_strdup(_("The code is made of digits only."));
    else if (n > CODE_DIGITS)
        count = g_strdup_printf(_("%u digits: that is too many, the code has 15."), n);
    else
        count = g_strdup_printf(_("%u of 15 digits"), n);
    gtk_label_set_text(GTK_LABEL(p->count), count);
    gtk_widget_set_sensitive(p->next, digits && n == CODE_DIGITS);
    if (n > 0)
        page_alert_set(p->alert, NULL);
}

static GtkWidget *entry_new(CodePage *p) {
    GtkWidget *entry = gtk_entry_new();
    gtk_entry_set_input_purpose(GTK_ENTRY(entry), GTK_INPUT_PURPOSE_NUMBER);
    gtk_entry_set_max_length(GTK_ENTRY(entry), 128);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    gtk_widget_add_css_class(entry, "code");
    g_signal_connect(entry, "changed", G_CALLBACK(on_changed), p);
    return entry;
}

static GtkWidget *buttons_new(CodePage *p, PageAction cancel) {
    GtkWidget *buttons = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    gtk_widget_set_halign(buttons, GTK_ALIGN_END);
    gtk_box_append(GTK_BOX(buttons), page_button(_("_Cancel"), cancel, p->view));
    p->next = page_button(_("_Next"), on_next, p);
    gtk_widget_add_css_class(p->next, "suggested-action");
    gtk_box_append(GTK_BOX(buttons), p->next);
    return buttons;
}

CodePage *code_page_new(void (*next)(const char *code, const char *authority, gpointer view), PageAction cancel,
                        gpointer view) {
    CodePage *p = g_new0(CodePage, 1);
    p->done = next;
    p->view = view;
    p->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    gtk_widget_add_css_class(p->box, "page");
    gtk_widget_set_valign(p->box, GTK_ALIGN_CENTER);
    gtk_widget_set_halign(p->box, GTK_ALIGN_CENTER);
    gtk_widget_set_size_request(p->box, 460, -1);
    GtkWidget *title = page_label(_("_Verification code"), "title-2");
    gtk_label_set_use_underline(GTK_LABEL(title), TRUE);
    p->entry = entry_new(p);
    gtk_label_set_mnemonic_widget(GTK_LABEL(title), p->entry);
    GtkWidget *help = page_label(_("Copy the 15-digit code from the page of the authority and paste it here."), NULL);
    p->count = page_label("", "dim-label");
    p->alert = page_alert();
    p->authority = authority_box_new();
    GtkWidget *warning =
        page_label(_("This code is not a PUK: never type it into the tool of your card."), "dim-label");
    GtkWidget *buttons = buttons_new(p, cancel);
    GtkWidget *parts[] = {title,   help,   p->entry, p->count, p->alert, authority_box_widget(p->authority),
                          warning, buttons};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_append(GTK_BOX(p->box), parts[i]);
    gtk_accessible_update_relation(GTK_ACCESSIBLE(p->entry), GTK_ACCESSIBLE_RELATION_LABELLED_BY, title, NULL,
                                   GTK_ACCESSIBLE_RELATION_DESCRIBED_BY, help, NULL, -1);
    g_object_set_data_full(G_OBJECT(p->box), "page", p, g_free);
    on_changed(GTK_EDITABLE(p->entry), p);
    return p;
}

GtkWidget *code_page_widget(const CodePage *p) {
    return p->box;
}

GtkWidget *code_page_default(const CodePage *p) {
    return p->next;
}

void code_page_offer(CodePage *p, GPtrArray *authorities) {
    authority_box_show(p->authority, authorities);
}

void code_page_focus(const CodePage *p) {
    gtk_widget_grab_focus(p->entry);
}

void code_page_reset(CodePage *p, const char *problem) {
    gtk_editable_set_text(GTK_EDITABLE(p->entry), "");
    page_alert_set(p->alert, problem);
}
