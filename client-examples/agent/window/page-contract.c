/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "İmzala" can be pressed when a certificate is there, a PIN that could be one, and time. Who asks is shown in two
 * places: the authority as the authority names itself, the local program as far as this machine knows it.
 */
#include "pages.h"
#include "parts.h"
#include "translate.h"

struct ContractPage {
    GtkWidget *box, *requester, *caller, *caller_label, *subject, *subject_label, *texts, *problem, *sign;
    CertificateBox *certificate;
    PinBox *pin;
    ClockBar *clock;
    const Contract *contract;
    void (*done)(const Answer *answer, gpointer view);
    gpointer view;
};

static gboolean is_ready(const ContractPage *p) {
    const Contract *c = p->contract;
    if (!c || contract_seconds_left(c) == 0 || !pin_box_is_ready(p->pin))
        return FALSE;
    return !c->choices || certificate_box_choice(p->certificate);
}

static void on_changed(gpointer data) {
    ContractPage *p = data;
    if (!p->contract)
        return;
    gtk_widget_set_sensitive(p->sign, is_ready(p));
}

static void on_certificate(gpointer data) {
    ContractPage *p = data;
    if (p->contract)
        pin_box_show(p->pin, p->contract, certificate_box_choice(p->certificate));
    on_changed(p);
}

static void on_expired(gpointer data) {
    ContractPage *p = data;
    pin_box_clear(p->pin);
    gtk_widget_set_sensitive(p->sign, FALSE);
    page_alert_set(p->problem, _("The verification code has expired."));
}

static void on_sign(gpointer data) {
    ContractPage *p = data;
    if (!is_ready(p))
        return;
    Answer answer = {.choice = certificate_box_choice(p->certificate), .allow_final_try = pin_box_final_try(p->pin)};
    if (pin_box_take(p->pin, &answer.pin_fd) < 0)
        page_alert_set(p->problem, _("The PIN could not be passed on."));
    else
        p->done(&answer, p->view);
}

/* ---- how it is built ---- */

static GtkWidget *add_row(GtkGrid *grid, int row, const char *text, GtkWidget **ret_label) {
    GtkWidget *label = page_label(text, "dim-label");
    GtkWidget *value = page_label("", "heading");
    gtk_label_set_wrap(GTK_LABEL(label), FALSE);
    gtk_label_set_width_chars(GTK_LABEL(label), -1);
    gtk_widget_set_hexpand(value, TRUE);
    gtk_grid_attach(grid, label, 0, row, 1, 1);
    gtk_grid_attach(grid, value, 1, row, 1, 1);
    if (ret_label)
        *ret_label = label;
    return value;
}

static GtkWidget *who_new(ContractPage *p) {
    GtkWidget *grid = gtk_grid_new();
    gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 3);
    p->requester = add_row(GTK_GRID(grid), 0, _("Authority that asks for the consent:"), NULL);
    p->caller = add_row(GTK_GRID(grid), 1, _("Program on this computer:"), &p->caller_label);
    p->subject = add_row(GTK_GRID(grid), 2, _("The code was given to:"), &p->subject_label);
    return grid;
}

static GtkWidget *buttons_new(ContractPage *p, PageAction cancel) {
    GtkWidget *buttons = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    gtk_box_set_homogeneous(GTK_BOX(buttons), TRUE);
    gtk_box_append(GTK_BOX(buttons), page_button(_("_Cancel"), cancel, p->view));
    p->sign = page_button(_("S_ign"), on_sign, p);
    gtk_widget_add_css_class(p->sign, "suggested-action");
    gtk_box_append(GTK_BOX(buttons), p->sign);
    return buttons;
}

static GtkWidget *right_new(ContractPage *p, PageAction cancel, gboolean shuffle) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    gtk_widget_set_size_request(box, 280, -1);
    gtk_widget_set_hexpand(box, FALSE);
    p->certificate = certificate_box_new(on_certificate, p);
    p->pin = pin_box_new(on_changed, p, shuffle);
    p->problem = page_alert();
    GtkWidget *filler = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_widget_set_vexpand(filler, TRUE);
    GtkWidget *parts[] = {certificate_box_widget(p->certificate), p->problem, pin_box_widget(p->pin), filler,
                          buttons_new(p, cancel)};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_append(GTK_BOX(box), parts[i]);
    return box;
}

static GtkWidget *left_new(ContractPage *p) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    p->texts = text_pane_new();
    gtk_box_append(GTK_BOX(box), page_label(_("Contract"), "title-3"));
    gtk_box_append(GTK_BOX(box), p->texts);
    return box;
}

ContractPage *contract_page_new(void (*sign)(const Answer *answer, gpointer view), PageAction cancel, gpointer view,
                                gboolean shuffle) {
    ContractPage *p = g_new0(ContractPage, 1);
    p->done = sign;
    p->view = view;
    p->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    gtk_widget_add_css_class(p->box, "page");
    gtk_widget_set_size_request(p->box, 800, -1); /* labels that wrap would have it narrow and tall */
    GtkWidget *columns = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 18);
    gtk_widget_set_vexpand(columns, TRUE);
    gtk_box_append(GTK_BOX(columns), left_new(p));
    gtk_box_append(GTK_BOX(columns), right_new(p, cancel, shuffle));
    p->clock = clock_bar_new(on_expired, p);
    gtk_box_append(GTK_BOX(p->box), who_new(p));
    gtk_box_append(GTK_BOX(p->box), columns);
    gtk_box_append(GTK_BOX(p->box), gtk_separator_new(GTK_ORIENTATION_HORIZONTAL));
    gtk_box_append(GTK_BOX(p->box), clock_bar_widget(p->clock));
    g_object_set_data_full(G_OBJECT(p->box), "page", p, g_free);
    return p;
}

GtkWidget *contract_page_widget(const ContractPage *p) {
    return p->box;
}

GtkWidget *contract_page_default(const ContractPage *p) {
    return p->sign;
}

void contract_page_focus(const ContractPage *p) {
    text_pane_focus(p->texts);
    if (p->contract && (p->contract->problem || p->contract->texts->len == 0))
        pin_box_focus(p->pin);
}

/* ---- what it shows ---- */

static void row_set(GtkWidget *label, GtkWidget *value, const char *text) {
    gtk_label_set_text(GTK_LABEL(value), text ? text : "");
    gtk_widget_set_visible(label, text != NULL);
    gtk_widget_set_visible(value, text != NULL);
}

void contract_page_show(ContractPage *p, const Contract *c) {
    gboolean same_texts = p->contract == c;
    p->contract = c;
    gtk_label_set_text(GTK_LABEL(p->requester), c->requester ? c->requester : "-");
    row_set(p->caller_label, p->caller, c->caller);
    row_set(p->subject_label, p->subject, c->subject);
    page_alert_set(p->problem, c->problem);
    if (!same_texts)
        text_pane_show(p->texts, c);
    certificate_box_show(p->certificate, c);
    pin_box_show(p->pin, c, certificate_box_choice(p->certificate));
    clock_bar_show(p->clock, c);
    on_changed(p);
}

void contract_page_clear(ContractPage *p) {
    clock_bar_show(p->clock, NULL);
    pin_box_clear(p->pin);
    p->contract = NULL;
    certificate_box_show(p->certificate, NULL);
    text_pane_show(p->texts, NULL);
}
