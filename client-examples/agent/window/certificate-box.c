/* SPDX-License-Identifier: Apache-2.0 */
#include "../../eonayctl/text.h"
#include "eonay/plugin.h"
#include "error.h"
#include "parts.h"
#include "translate.h"

struct CertificateBox {
    GtkWidget *box, *label, *list, *given, *about;
    const Contract *contract;
    char *chosen; /* path of the one chosen last: it stays when the list is read again */
    PageAction changed;
    gpointer userdata;
};

const Choice *certificate_box_choice(const CertificateBox *b) {
    const Contract *c = b->contract;
    if (!c || !c->choices || c->choices->len == 0)
        return NULL;
    guint at = gtk_drop_down_get_selected(GTK_DROP_DOWN(b->list));
    if (c->choices->len == 1)
        return c->choices->pdata[0];
    return at > 0 && at <= c->choices->len ? c->choices->pdata[at - 1] : NULL;
}

static void about_set(CertificateBox *b, const Choice *choice) {
    g_autoptr(GString) about = g_string_new(NULL);
    const char *token = choice ? choice->token_label : b->contract ? b->contract->token_label : NULL;
    if (token)
        g_string_append_printf(about, _("Token: %s"), token);
    if (choice) {
        g_autofree char *until = text_date(choice->not_after);
        g_string_append_c(about, '\n');
        g_string_append_printf(about, _("Issuer: %s"), choice->issuer);
        g_string_append_c(about, '\n');
        g_string_append_printf(about, _("Valid until: %s"), until);
    }
    gtk_label_set_text(GTK_LABEL(b->about), about->str);
    gtk_widget_set_visible(b->about, about->len > 0);
}

static void on_selected(GtkDropDown *list, GParamSpec *spec, gpointer data) {
    (void)list;
    (void)spec;
    CertificateBox *b = data;
    const Choice *choice = certificate_box_choice(b);
    g_free(b->chosen);
    b->chosen = choice ? g_strdup(choice->path) : NULL;
    about_set(b, choice);
    b->changed(b->userdata);
}

static void certificate_box_free(gpointer data) {
    CertificateBox *b = data;
    g_free(b->chosen);
    g_free(b);
}

CertificateBox *certificate_box_new(PageAction changed, gpointer userdata) {
    CertificateBox *b = g_new0(CertificateBox, 1);
    b->changed = changed;
    b->userdata = userdata;
    b->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    b->label = page_label(_("C_ertificate"), "heading");
    b->list = page_drop_down(b->label);
    b->given = page_label("", NULL);
    b->about = page_label("", "dim-label");
    GtkWidget *parts[] = {b->label, b->list, b->given, b->about};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_append(GTK_BOX(b->box), parts[i]);
    g_signal_connect(b->list, "notify::selected", G_CALLBACK(on_selected), b);
    g_object_set_data_full(G_OBJECT(b->box), "part", b, certificate_box_free);
    return b;
}

GtkWidget *certificate_box_widget(const CertificateBox *b) {
    return b->box;
}

/* One person may have several cards: what is called alike is told apart by its token and its last day. */
static char *entry_text(const GPtrArray *choices, guint at) {
    const Choice *c = choices->pdata[at];
    guint alike = 0;
    for (guint i = 0; i < choices->len; i++)
        alike += g_strcmp0(((const Choice *)choices->pdata[i])->name, c->name) == 0;
    if (alike < 2)
        return g_strdup(c->name);
    g_autofree char *until = text_date(c->not_after);
    return g_strdup_printf("%s (%s, %s)", c->name, c->token_label ? c->token_label : "-", until);
}

/* With several, none is chosen beforehand. */
static void fill_list(CertificateBox *b, const GPtrArray *choices) {
    GtkStringList *names = gtk_string_list_new((const char *[]){_("Choose a certificate"), NULL});
    for (guint i = 0; i < choices->len; i++)
        gtk_string_list_take(names, entry_text(choices, i));
    g_signal_handlers_block_by_func(b->list, on_selected, b);
    gtk_drop_down_set_model(GTK_DROP_DOWN(b->list), G_LIST_MODEL(names));
    gtk_drop_down_set_selected(GTK_DROP_DOWN(b->list), 0);
    g_signal_handlers_unblock_by_func(b->list, on_selected, b);
    g_object_unref(names);
}

static guint find_again(const GPtrArray *choices, const char *path) {
    for (guint i = 0; path && i < choices->len; i++)
        if (g_strcmp0(((const Choice *)choices->pdata[i])->path, path) == 0)
            return i + 1;
    return 0;
}

static const char *nothing_to_choose(const Contract *c) {
    return c->none_usable ? eonay_error_text(EONAY_ERROR_NO_CERTIFICATE) : _("Insert your card.");
}

void certificate_box_show(CertificateBox *b, const Contract *c) {
    const GPtrArray *choices = c ? c->choices : NULL;
    gboolean several = choices && choices->len > 1;
    b->contract = c;
    if (several) {
        fill_list(b, choices);
        gtk_drop_down_set_selected(GTK_DROP_DOWN(b->list), find_again(choices, b->chosen));
    }
    const char *given = !choices            ? (c ? c->certificate : NULL)
                        : choices->len == 1 ? ((const Choice *)choices->pdata[0])->name
                        : choices->len == 0 ? nothing_to_choose(c)
                                            : NULL;
    gtk_label_set_text(GTK_LABEL(b->given), given ? given : "");
    gtk_widget_set_visible(b->given, given != NULL);
    gtk_widget_set_visible(b->list, several);
    about_set(b, certificate_box_choice(b));
}
