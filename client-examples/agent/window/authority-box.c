/* SPDX-License-Identifier: Apache-2.0 */
/* Not seen where there is nothing to choose. */
#include "authorities.h"
#include "pages.h"
#include "translate.h"

struct AuthorityBox {
    GtkWidget *box, *list;
    GPtrArray *authorities; /* Authority*, or NULL */
};

static void authority_box_free(gpointer data) {
    AuthorityBox *b = data;
    g_clear_pointer(&b->authorities, g_ptr_array_unref);
    g_free(b);
}

AuthorityBox *authority_box_new(void) {
    AuthorityBox *b = g_new0(AuthorityBox, 1);
    b->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *label = page_label(_("_Authority that gave the code"), NULL);
    b->list = page_drop_down(label);
    gtk_box_append(GTK_BOX(b->box), label);
    gtk_box_append(GTK_BOX(b->box), b->list);
    gtk_widget_set_visible(b->box, FALSE);
    g_object_set_data_full(G_OBJECT(b->box), "part", b, authority_box_free);
    return b;
}

GtkWidget *authority_box_widget(const AuthorityBox *b) {
    return b->box;
}

const char *authority_box_choice(const AuthorityBox *b) {
    guint at = gtk_drop_down_get_selected(GTK_DROP_DOWN(b->list));
    if (!b->authorities || b->authorities->len < 2 || at >= b->authorities->len)
        return NULL;
    return ((const Authority *)b->authorities->pdata[at])->name;
}

static guint find(const GPtrArray *authorities, const char *name) {
    for (guint i = 0; name && i < authorities->len; i++)
        if (g_strcmp0(((const Authority *)authorities->pdata[i])->name, name) == 0)
            return i;
    return 0;
}

static gboolean is_shown(const AuthorityBox *b, const GPtrArray *authorities) {
    if (!b->authorities || b->authorities->len != authorities->len)
        return FALSE;
    for (guint i = 0; i < authorities->len; i++) {
        const Authority *old = b->authorities->pdata[i], *fresh = authorities->pdata[i];
        if (g_strcmp0(old->name, fresh->name) != 0 || g_strcmp0(old->title, fresh->title) != 0)
            return FALSE;
    }
    return TRUE;
}

/* A list that may be open just now is left alone when nothing has changed. */
void authority_box_show(AuthorityBox *b, GPtrArray *authorities) {
    if (is_shown(b, authorities))
        return;
    g_autofree char *chosen = g_strdup(authority_box_choice(b));
    g_autoptr(GtkStringList) titles = gtk_string_list_new(NULL);
    for (guint i = 0; i < authorities->len; i++)
        gtk_string_list_append(titles, ((const Authority *)authorities->pdata[i])->title);
    g_clear_pointer(&b->authorities, g_ptr_array_unref);
    b->authorities = g_ptr_array_ref(authorities);
    gtk_drop_down_set_model(GTK_DROP_DOWN(b->list), G_LIST_MODEL(titles));
    gtk_drop_down_set_selected(GTK_DROP_DOWN(b->list), find(authorities, chosen));
    gtk_widget_set_visible(b->box, authorities->len > 1);
}
