/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host loads the object itself, before the plugin does: only the loader knows whether everything that the object
 * needs is there too. The plugin's own dlopen() then finds it loaded.
 */
#include "candidates.h"

#include "loader.h"
#include "util.h"

typedef struct Candidate {
    char *path;
    int code;     /* 0 until something is wrong with it */
    char *reason; /* begins with a path */
} Candidate;

static void candidate_free(gpointer p) {
    Candidate *c = p;
    g_free(c->path);
    g_free(c->reason);
    g_free(c);
}

static void candidates_free(gpointer p) {
    Candidates *c = p;
    g_free(c->key);
    g_ptr_array_unref(c->list);
    g_free(c);
}

static int read_key(sd_bus_message *m, GPtrArray *all) {
    const char *key;
    g_auto(GStrv) paths = NULL;
    int r = sd_bus_message_enter_container(m, 'e', "sas");
    if (r <= 0)
        return r;
    if ((r = sd_bus_message_read(m, "s", &key)) < 0 || (r = sd_bus_message_read_strv(m, &paths)) < 0)
        return r;
    Candidates *c = g_new0(Candidates, 1);
    c->key = g_strdup(key);
    c->list = g_ptr_array_new_with_free_func(candidate_free);
    g_ptr_array_add(all, c);
    for (char **path = paths; path && *path; path++) {
        Candidate *one = g_new0(Candidate, 1);
        one->path = g_strdup(*path);
        g_ptr_array_add(c->list, one);
    }
    r = sd_bus_message_exit_container(m);
    return r < 0 ? r : 1;
}

int candidates_read(sd_bus_message *m, GPtrArray **ret) {
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(candidates_free);
    int r = sd_bus_message_enter_container(m, 'a', "{sas}");
    while (r >= 0 && (r = read_key(m, all)) > 0)
        ;
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&all);
    return 0;
}

/* All of them are bad: what is to be told of it. */
static int conclude(const Candidates *c, char **ret_reason) {
    GString *text = g_string_new(NULL);
    int code = EONAY_ERROR_MODULE_MISSING;
    for (guint i = 0; i < c->list->len; i++) {
        const Candidate *one = c->list->pdata[i];
        bool named = g_str_has_prefix(one->reason, one->path);
        g_string_append_printf(text, "%s%s%s%s", i > 0 ? "; " : "", named ? "" : one->path, named ? "" : ": ",
                               one->reason);
        if (code == EONAY_ERROR_MODULE_MISSING)
            code = one->code;
    }
    *ret_reason = g_string_free(text, FALSE);
    return code;
}

static bool check_key(const Candidates *c, const Trust *trust, GPtrArray *folders) {
    bool good = c->list->len == 0;
    for (guint i = 0; i < c->list->len; i++) {
        Candidate *one = c->list->pdata[i];
        one->code = trust_check_module(trust, one->path, &one->reason);
        if (one->code != 0)
            continue;
        good = true;
        g_ptr_array_add(folders, g_path_get_dirname(one->path));
    }
    return good;
}

int candidates_check(GPtrArray *all, const Trust *trust, GPtrArray *folders, char **ret_reason) {
    for (guint i = 0; i < all->len; i++)
        if (!check_key(all->pdata[i], trust, folders))
            return conclude(all->pdata[i], ret_reason);
    return 0;
}

static int load_key(const Candidates *c, Services *services, char **ret_reason) {
    for (guint i = 0; i < c->list->len; i++) {
        Candidate *one = c->list->pdata[i];
        if (one->code == 0)
            one->code = loader_try(one->path, &one->reason);
        if (one->code != 0)
            continue;
        services_add_config(services, c->key, one->path);
        return 0;
    }
    return c->list->len == 0 ? 0 : conclude(c, ret_reason);
}

int candidates_load(GPtrArray *all, Services *services, char **ret_reason) {
    int r = 0;
    for (guint i = 0; r == 0 && i < all->len; i++)
        r = load_key(all->pdata[i], services, ret_reason);
    return r;
}
