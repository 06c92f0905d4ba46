/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everybody has pointers to the one Config and to the sections in it, so its contents are exchanged and not the struct,
 * and a section that has not changed is kept in place of its twin. What is gone is taken down: tokens at once, as if
 * they were pulled; an authority is kept out of sight as long as consents may still refer to it.
 */
#include "reload.h"

#include <string.h>
#include <syslog.h>

#include "backend.h"
#include "code.h"
#include "consent.h"
#include "log.h"
#include "messages.h"
#include "module.h"
#include "names.h"
#include "translate.h"
#include "util.h"

/* ----------------------------------------------------------------------------------------------------- sections -- */

static gboolean is_other_value(gpointer key, gpointer value, gpointer other) {
    const char *there = g_hash_table_lookup(other, key);
    return !there || strcmp(there, value) != 0;
}

static bool section_same(const InstanceConfig *a, const InstanceConfig *b) {
#define LIST_SAME(member) g_strv_equal((const char *const *)a->member, (const char *const *)b->member)
    return strcmp(a->plugin, b->plugin) == 0 && g_hash_table_size(a->keys) == g_hash_table_size(b->keys) &&
           !g_hash_table_find(a->keys, is_other_value, b->keys) && LIST_SAME(read_paths) && LIST_SAME(write_paths) &&
           LIST_SAME(environment) && LIST_SAME(needs) && LIST_SAME(pin_users) &&
           strcmp(a->pin_credential, b->pin_credential) == 0;
#undef LIST_SAME
}

static guint find_section(const GPtrArray *list, const char *name) {
    guint i = 0;
    while (i < list->len && strcmp(((InstanceConfig *)list->pdata[i])->name, name) != 0)
        i++;
    return i;
}

/* The sections from now on; what has not changed is taken out of `now`, so that what is left there is gone. */
static GPtrArray *merge_sections(GPtrArray *now, GPtrArray *fresh) {
    GPtrArray *merged = g_ptr_array_new_with_free_func((GDestroyNotify)instance_config_free);
    while (fresh->len > 0) {
        InstanceConfig *f = g_ptr_array_steal_index(fresh, 0);
        guint i = find_section(now, f->name);
        bool same = i < now->len && section_same(now->pdata[i], f);
        g_ptr_array_add(merged, same ? g_ptr_array_steal_index(now, i) : f);
        if (same)
            instance_config_free(f);
    }
    return merged;
}

/* ------------------------------------------------------------------------------------------------------- tokens -- */

static Module *module_of_section(const Manager *m, const InstanceConfig *instance) {
    for (guint i = 0; i < m->modules->len; i++)
        if (((Module *)m->modules->pdata[i])->instance == instance)
            return m->modules->pdata[i];
    return NULL;
}

static void remove_modules(Manager *m, const GPtrArray *gone) {
    for (guint i = 0; i < gone->len; i++) {
        Module *module = module_of_section(m, gone->pdata[i]);
        if (module)
            module_remove(module);
    }
}

static void add_modules(Manager *m) {
    for (guint i = 0; i < m->config->tokens->len; i++)
        if (!module_of_section(m, m->config->tokens->pdata[i]))
            module_list(module_configure(m, m->config->tokens->pdata[i]), -1, NULL, NULL);
}

/* -------------------------------------------------------------------------------------------------- authorities -- */

static void retire_backends(Manager *m, GPtrArray *gone) {
    while (gone->len > 0) {
        InstanceConfig *instance = g_ptr_array_steal_index(gone, 0);
        Backend *b = g_hash_table_lookup(m->backends, instance->name);
        if (!b) {
            instance_config_free(instance);
            continue;
        }
        g_hash_table_steal(m->backends, instance->name);
        backend_retire(b);
    }
}

static void add_backends(Manager *m) {
    for (guint i = 0; i < m->config->backends->len; i++) {
        InstanceConfig *instance = m->config->backends->pdata[i];
        if (!g_hash_table_contains(m->backends, instance->name))
            backend_export(backend_configure(m, instance));
    }
}

/* ---------------------------------------------------------------------------------------------------------- all -- */

static void swap(void *a, void *b, size_t size) {
    char c[sizeof(Config)];
    memcpy(c, a, size);
    memcpy(a, b, size);
    memcpy(b, c, size);
}

static bool sections_same(const GPtrArray *a, const GPtrArray *b) {
    for (guint i = 0; a->len == b->len && i < a->len; i++) {
        const InstanceConfig *one = a->pdata[i], *other = b->pdata[i];
        if (strcmp(one->name, other->name) != 0 || !section_same(one, other))
            return false;
    }
    return a->len == b->len;
}

static void warn_of(Config *c, const char *key) {
    const char *text = N_("%s has changed, which takes effect after a restart");
    log_event(LOG_WARNING, MESSAGE_CONFIG_INVALID, NULL, text, key);
    g_ptr_array_add(c->warnings, g_strdup_printf(_(text), key));
}

/* What was settled at the start goes back where it was; both configurations are whole all the time. */
static void keep_settled(Config *now, Config *before) {
#define LISTS_DIFFER(member) !g_strv_equal((const char *const *)now->member, (const char *const *)before->member)
    if (strcmp(now->state_directory, before->state_directory) != 0)
        warn_of(now, "StateDirectory=");
    if (strcmp(now->host_path, before->host_path) != 0)
        warn_of(now, "HostProgram=");
    if (LISTS_DIFFER(plugin_directories))
        warn_of(now, "PluginDirectories=");
    if (LISTS_DIFFER(module_directories))
        warn_of(now, "ModuleDirectories=");
    if (now->readers != before->readers)
        warn_of(now, "Readers=");
    if (!section_same(now->fetch, before->fetch))
        warn_of(now, "[Fetch]");
    if (!sections_same(now->timestamps, before->timestamps))
        warn_of(now, "[Timestamp]");
#undef LISTS_DIFFER
    swap(&now->state_directory, &before->state_directory, sizeof(now->state_directory));
    swap(&now->host_path, &before->host_path, sizeof(now->host_path));
    swap(&now->host_sockets, &before->host_sockets, sizeof(now->host_sockets));
    swap(&now->plugin_directories, &before->plugin_directories, sizeof(now->plugin_directories));
    swap(&now->module_directories, &before->module_directories, sizeof(now->module_directories));
    swap(&now->fetch, &before->fetch, sizeof(now->fetch));                /* its process refers to it */
    swap(&now->timestamps, &before->timestamps, sizeof(now->timestamps)); /* requests under way count along it */
    swap(&now->readers, &before->readers, sizeof(now->readers));
}

void manager_reload(Manager *m, Config *fresh) {
    Config *now = m->config;
    modules_fill_sections(m, fresh);
    GPtrArray *tokens = merge_sections(now->tokens, fresh->tokens);
    GPtrArray *backends = merge_sections(now->backends, fresh->backends);
    swap(now, fresh, sizeof(Config)); /* what is called fresh is the one before from here on */
    keep_settled(now, fresh);
    g_ptr_array_unref(now->tokens);
    g_ptr_array_unref(now->backends);
    now->tokens = tokens;
    now->backends = backends;
    remove_modules(m, fresh->tokens);
    retire_backends(m, fresh->backends);
    config_free(fresh);
    add_backends(m);
    add_modules(m);
    modules_cards_changed(m); /* a definition may have become a section, or ceased to be one */
    sd_bus_emit_properties_changed(m->bus, EONAY_PATH, EONAY_INTERFACE_MANAGER, "Backends", "DefaultBackend", "Limits",
                                   NULL);
    log_info("the configuration was read again");
}
