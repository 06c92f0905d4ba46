/* SPDX-License-Identifier: Apache-2.0 */
/* An authority tells its name for people when it has been asked something; until then it has that of the configuration.
 */
#include "authorities.h"

#include <string.h>

#include "../../eonayctl/text.h"
#include "names.h"

#define FOLDER EONAY_PATH "/backend/"

static void authority_free(gpointer data) {
    Authority *a = data;
    g_free(a->name);
    g_free(a->title);
    g_free(a);
}

static Authority *read_authority(const char *path, GVariant *properties) {
    const char *title = "";
    Authority *a = g_new0(Authority, 1);
    a->name = g_strdup(path + strlen(FOLDER));
    g_variant_lookup(properties, "Name", "&s", &title);
    a->title = text_clean(*title ? title : a->name);
    return a;
}

/* Two that call themselves alike are told apart by what the administrator calls them. */
static void tell_apart(const GPtrArray *authorities) {
    g_autoptr(GHashTable) count = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < authorities->len; i++) {
        const Authority *a = authorities->pdata[i];
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(count, a->title));
        g_hash_table_replace(count, g_strdup(a->title), GUINT_TO_POINTER(n + 1));
    }
    for (guint i = 0; i < authorities->len; i++) {
        Authority *a = authorities->pdata[i];
        g_autofree char *title = a->title;
        gboolean alone = GPOINTER_TO_UINT(g_hash_table_lookup(count, title)) == 1;
        a->title = alone ? g_strdup(title) : g_strdup_printf("%s (%s)", title, a->name);
    }
}

/* Not by title: the order stays when the titles become known. */
static gint compare(gconstpointer left, gconstpointer right, gpointer default_name) {
    const Authority *a = *(Authority *const *)left, *b = *(Authority *const *)right;
    gboolean a_first = g_strcmp0(a->name, default_name) == 0, b_first = g_strcmp0(b->name, default_name) == 0;
    return a_first != b_first ? b_first - a_first : strcmp(a->name, b->name);
}

GPtrArray *authorities_read(GVariant *objects, const char *default_name) {
    GPtrArray *authorities = g_ptr_array_new_with_free_func(authority_free);
    g_autoptr(GVariant) all = g_variant_get_child_value(objects, 0);
    for (gsize i = 0; i < g_variant_n_children(all); i++) {
        const char *path;
        g_autoptr(GVariant) interfaces = NULL;
        g_autoptr(GVariant) entry = g_variant_get_child_value(all, i);
        g_variant_get(entry, "{&o@a{sa{sv}}}", &path, &interfaces);
        g_autoptr(GVariant) properties =
            g_variant_lookup_value(interfaces, EONAY_INTERFACE_BACKEND, G_VARIANT_TYPE_VARDICT);
        if (properties && g_str_has_prefix(path, FOLDER))
            g_ptr_array_add(authorities, read_authority(path, properties));
    }
    tell_apart(authorities);
    g_ptr_array_sort_with_data(authorities, compare, (gpointer)default_name);
    return authorities;
}
