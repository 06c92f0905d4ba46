/* SPDX-License-Identifier: Apache-2.0 */
#include "definition.h"

#include <string.h>
#include <syslog.h>

#include "log.h"
#include "messages.h"

#if defined(__x86_64__)
#define MULTIARCH "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define MULTIARCH "aarch64-linux-gnu"
#elif defined(__i386__)
#define MULTIARCH "i386-linux-gnu"
#elif defined(__riscv) && __riscv_xlen == 64
#define MULTIARCH "riscv64-linux-gnu"
#else
#define MULTIARCH "unknown"
#endif

static void definition_free(Definition *d) {
    char *strings[] = {d->name, d->description, d->plugin, d->package};
    char **lists[] = {d->paths, d->atr, d->historical, d->needs};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        g_strfreev(lists[i]);
    g_hash_table_unref(d->keys);
    g_free(d);
}

/* ---------------------------------------------------------------------------------------------------- ATR -- */

const uint8_t *atr_historical(const uint8_t *atr, size_t size, size_t *ret_size) {
    *ret_size = 0;
    if (size < 2)
        return atr;
    size_t n = atr[1] & 0x0f, at = 1;
    /* each T0/TDi says in its high half which of TA, TB, TC, TD follow */
    for (uint8_t y = atr[at++] >> 4; y;) {
        at += (y & 1u) + (y >> 1 & 1u) + (y >> 2 & 1u);
        if (!(y & 8u))
            break;
        if (at >= size)
            return atr;
        y = atr[at++] >> 4;
    }
    if (at + n > size)
        return atr;
    *ret_size = n;
    return atr + at;
}

char *atr_hex(const uint8_t *atr, size_t size) {
    GString *hex = g_string_sized_new(size * 2);
    for (size_t i = 0; i < size; i++)
        g_string_append_printf(hex, "%02X", atr[i]);
    return g_string_free(hex, FALSE);
}

static bool pattern_matches(const char *pattern, const char *hex) {
    for (; *pattern && *hex; pattern++, hex++) {
        if (*pattern == '*')
            return true;
        if (*pattern != '.' && g_ascii_toupper(*pattern) != *hex)
            return false;
    }
    return (*pattern == 0 || *pattern == '*') && *hex == 0;
}

static bool any_matches(char **patterns, const uint8_t *bytes, size_t size) {
    if (size == 0)
        return false;
    g_autofree char *hex = atr_hex(bytes, size);
    for (char **p = patterns; *p; p++)
        if (pattern_matches(*p, hex))
            return true;
    return false;
}

bool definition_knows(const Definition *d, const uint8_t *atr, size_t size) {
    size_t n;
    const uint8_t *historical = atr_historical(atr, size, &n);
    return any_matches(d->atr, atr, size) || any_matches(d->historical, historical, n);
}

/* ----------------------------------------------------------------------------------------------------- files -- */

static char **get_list(GKeyFile *file, const char *key) {
    char **list = g_key_file_get_string_list(file, "Module", key, NULL, NULL);
    return list ? list : g_new0(char *, 1);
}

static void expand_paths(char **paths) {
    for (char **p = paths; *p; p++) {
        g_auto(GStrv) parts = g_strsplit(*p, "%a", -1);
        g_free(*p);
        *p = g_strjoinv(MULTIARCH, parts);
    }
}

static const char *pattern_fault(char **patterns) {
    for (char **p = patterns; *p; p++)
        for (const char *c = *p; *c; c++)
            if (!g_ascii_isxdigit(*c) && *c != '.' && !(*c == '*' && !c[1]))
                return "a pattern may have hex digits, '.', and '*' at its end";
    return NULL;
}

static const char *read_use(GKeyFile *file, DefinitionUse *ret) {
    g_autofree char *use = g_key_file_get_string(file, "Module", "Use", NULL);
    if (!use || strcmp(use, "card") == 0)
        *ret = DEFINITION_CARD;
    else if (strcmp(use, "fallback") == 0)
        *ret = DEFINITION_FALLBACK;
    else if (strcmp(use, "configured") == 0)
        *ret = DEFINITION_CONFIGURED;
    else
        return "Use must be card, fallback or configured";
    return NULL;
}

static void read_other_keys(GKeyFile *file, Definition *d) {
    static const char *const ours[] = {"Description", "Use",   "Plugin",  "Paths", "Atr",
                                       "Historical",  "Needs", "Package", NULL};
    g_auto(GStrv) keys = g_key_file_get_keys(file, "Module", NULL, NULL);
    for (char **key = keys; key && *key; key++)
        if (!g_strv_contains(ours, *key))
            g_hash_table_replace(d->keys, g_strdup(*key), g_key_file_get_string(file, "Module", *key, NULL));
}

static const char *definition_parse(GKeyFile *file, Definition *d) {
    const char *why;
    d->description = g_key_file_get_locale_string(file, "Module", "Description", NULL, NULL);
    d->package = g_key_file_get_locale_string(file, "Module", "Package", NULL, NULL);
    d->plugin = g_key_file_get_string(file, "Module", "Plugin", NULL);
    if (!d->plugin)
        d->plugin = g_strdup("token-pkcs11");
    d->paths = get_list(file, "Paths");
    d->atr = get_list(file, "Atr");
    d->historical = get_list(file, "Historical");
    d->needs = get_list(file, "Needs");
    expand_paths(d->paths);
    read_other_keys(file, d);
    if (!d->paths[0])
        return "Paths is missing";
    if ((why = read_use(file, &d->use)) || (why = pattern_fault(d->atr)) || (why = pattern_fault(d->historical)))
        return why;
    return NULL;
}

static void definition_load(GHashTable *by_name, const char *path, const char *file_name) {
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    const char *why = NULL;
    Definition *d = g_new0(Definition, 1);
    d->name = g_strndup(file_name, strlen(file_name) - strlen(".module"));
    d->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error))
        why = error->message;
    else
        why = definition_parse(file, d);
    if (!why) {
        g_hash_table_replace(by_name, d->name, d);
        return;
    }
    log_event(LOG_WARNING, MESSAGE_DEFINITION_REFUSED, NULL, "%s: %s", path, why);
    definition_free(d);
}

static gint compare_names(gconstpointer a, gconstpointer b) {
    return strcmp((*(Definition *const *)a)->name, (*(Definition *const *)b)->name);
}

GPtrArray *definitions_load(char **folders) {
    g_autoptr(GHashTable) by_name =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)definition_free);
    for (char **folder = folders; *folder; folder++) {
        g_autoptr(GDir) dir = g_dir_open(*folder, 0, NULL);
        for (const char *name; dir && (name = g_dir_read_name(dir));) {
            g_autofree char *path = g_build_filename(*folder, name, NULL);
            if (g_str_has_suffix(name, ".module") && name[0] != '.')
                definition_load(by_name, path, name);
        }
    }
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)definition_free);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, by_name);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        g_ptr_array_add(list, value);
        g_hash_table_iter_steal(&iter);
    }
    g_ptr_array_sort(list, compare_names);
    return list;
}

const Definition *definition_find(const GPtrArray *definitions, const char *name) {
    for (guint i = 0; i < definitions->len; i++) {
        const Definition *d = definitions->pdata[i];
        if (strcmp(d->name, name) == 0)
            return d;
    }
    return NULL;
}

void definition_fill(const Definition *d, InstanceConfig *instance) {
    GHashTableIter iter;
    gpointer key, value;
    if (!*instance->plugin) {
        g_free(instance->plugin);
        instance->plugin = g_strdup(d->plugin);
    }
    if (!g_hash_table_contains(instance->keys, "Module"))
        g_hash_table_insert(instance->keys, g_strdup("Module"), g_strjoinv(";", d->paths));
    g_hash_table_iter_init(&iter, d->keys);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_hash_table_contains(instance->keys, key))
            g_hash_table_insert(instance->keys, g_strdup(key), g_strdup(value));
    if (instance->needs[0])
        return;
    g_strfreev(instance->needs);
    instance->needs = g_strdupv(d->needs);
}
