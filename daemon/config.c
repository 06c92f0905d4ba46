/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GKeyFile reads the syntax; the tables below say which keys there are, of which kind, within which bounds. GKeyFile
 * does not tell line numbers, so a warning finds its line by looking for the key in the file again.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "log.h"
#include "messages.h"
#include "translate.h"

typedef enum KeyKind { KEY_STRING, KEY_LIST, KEY_LEVEL, KEY_COUNT, KEY_BOOL } KeyKind;

typedef struct KeyRow {
    const char *section;
    const char *key;
    KeyKind kind;
    size_t offset;
    uint64_t min, max; /* KEY_COUNT */
} KeyRow;

#define ROW(section_, key_, kind_, member_, ...)                                                                       \
    { .section = (section_), .key = (key_), .kind = (kind_), .offset = offsetof(Config, member_), __VA_ARGS__ }

static const KeyRow config_keys[] = {
    ROW("Daemon", "DefaultBackend", KEY_STRING, default_backend),
    ROW("Daemon", "FilePlugin", KEY_STRING, file_plugin),
    ROW("Daemon", "StateDirectory", KEY_STRING, state_directory),
    ROW("Daemon", "PluginDirectories", KEY_LIST, plugin_directories),
    ROW("Daemon", "ModuleDirectories", KEY_LIST, module_directories),
    ROW("Daemon", "Readers", KEY_BOOL, readers),
    ROW("Daemon", "HostProgram", KEY_STRING, host_path),
    ROW("Daemon", "LogLevel", KEY_LEVEL, log_level),
    ROW("Journal", "RetentionDays", KEY_COUNT, retention_days, .min = 0, .max = 36500),
    ROW("Limits", "ConsentsPerUser", KEY_COUNT, consents_per_user, .min = 1, .max = 65536),
    ROW("Limits", "CallsPerUser", KEY_COUNT, calls_per_user, .min = 1, .max = 65536),
    ROW("Limits", "FilesPerUser", KEY_COUNT, files_per_user, .min = 0, .max = 1024),
    ROW("Limits", "QueueLength", KEY_COUNT, queue_length, .min = 1, .max = 65536),
    ROW("Limits", "QueueWaitMs", KEY_COUNT, queue_wait, .min = 10, .max = 600000),
    ROW("Limits", "PinDeliveryMs", KEY_COUNT, pin_delivery, .min = 10, .max = 60000),
    ROW("Limits", "OpenDeadlineMs", KEY_COUNT, open_deadline, .min = 10, .max = 600000),
    ROW("Limits", "ListDeadlineMs", KEY_COUNT, list_deadline, .min = 10, .max = 600000),
    ROW("Limits", "LoginDeadlineMs", KEY_COUNT, login_deadline, .min = 10, .max = 600000),
    ROW("Limits", "PinPadDeadlineMs", KEY_COUNT, pinpad_deadline, .min = 10, .max = 600000),
    ROW("Limits", "SignDeadlineMs", KEY_COUNT, sign_deadline, .min = 10, .max = 600000),
    ROW("Signature", "DefaultLevel", KEY_STRING, default_level),
    ROW("Signature", "TrustStore", KEY_STRING, trust_store),
    ROW("Signature", "TrustKey", KEY_STRING, trust_key),
    ROW("Signature", "GracePeriodSec", KEY_COUNT, grace_period, .min = 0, .max = 604800),
    ROW("Signature", "FetchDeadlineMs", KEY_COUNT, fetch_deadline, .min = 10, .max = 600000),
    ROW("Limits", "BackendDeadlineMs", KEY_COUNT, backend_deadline, .min = 10, .max = 600000),
};

static const struct {
    const char *name;
    int priority;
} log_levels[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}};

char **config_known_keys(void) {
    GPtrArray *keys = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(config_keys); i++)
        g_ptr_array_add(keys, g_strdup_printf("%s.%s", config_keys[i].section, config_keys[i].key));
    g_ptr_array_add(keys, NULL);
    return (char **)g_ptr_array_free(keys, FALSE);
}

InstanceConfig *instance_config_new(const char *name, const char *plugin) {
    InstanceConfig *i = g_new0(InstanceConfig, 1);
    i->name = g_strdup(name);
    i->plugin = g_strdup(plugin);
    i->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    i->read_paths = g_new0(char *, 1);
    i->write_paths = g_new0(char *, 1);
    i->environment = g_new0(char *, 1);
    i->needs = g_new0(char *, 1);
    i->pin_credential = g_strdup("");
    i->pin_users = g_new0(char *, 1);
    return i;
}

void instance_config_free(InstanceConfig *i) {
    if (!i)
        return;
    g_free(i->name);
    g_free(i->plugin);
    g_hash_table_unref(i->keys);
    g_strfreev(i->read_paths);
    g_strfreev(i->write_paths);
    g_strfreev(i->environment);
    g_strfreev(i->needs);
    g_free(i->pin_credential);
    g_strfreev(i->pin_users);
    g_free(i->timeout_where);
    g_free(i);
}

static Config *config_new(void) {
    Config *c = g_new0(Config, 1);
    c->default_backend = g_strdup("local");
    c->file_plugin = g_strdup("token-pkcs12");
    c->state_directory = g_strdup("/var/lib/eonay");
    c->plugin_directories = g_new0(char *, 2);
    c->plugin_directories[0] = g_strdup(EONAY_PLUGIN_DIR);
    c->module_directories = g_strsplit(EONAY_MODULE_DIR ";" EONAY_CONFIG_DIR "/modules.d", ";", -1);
    c->readers = true;
    c->host_path = g_strdup(EONAY_HOST_PATH);
    c->log_level = LOG_INFO;
    c->consents_per_user = 256;
    c->calls_per_user = 512;
    c->files_per_user = 16;
    c->queue_length = 256;
    c->queue_wait = 120000;
    c->pin_delivery = 2000;
    c->open_deadline = 15000;
    c->list_deadline = 15000;
    c->login_deadline = 15000;
    c->pinpad_deadline = 90000;
    c->sign_deadline = 30000;
    c->backend_deadline = 30000;
    c->default_level = g_strdup("B-B");
    c->trust_store = g_strdup(EONAY_CONFIG_DIR "/trust/current");
    c->trust_key = g_strdup(EONAY_CONFIG_DIR "/trust/key.pub");
    c->grace_period = 86400;
    c->fetch_deadline = 5000;
    c->fetch = instance_config_new("fetch", "fetch");
    c->timestamps = g_ptr_array_new_with_free_func((GDestroyNotify)instance_config_free);
    c->tokens = g_ptr_array_new_with_free_func((GDestroyNotify)instance_config_free);
    c->backends = g_ptr_array_new_with_free_func((GDestroyNotify)instance_config_free);
    c->warnings = g_ptr_array_new_with_free_func(g_free);
    return c;
}

Config *config_free(Config *c) {
    if (!c)
        return NULL;
    g_free(c->default_backend);
    g_free(c->file_plugin);
    g_free(c->state_directory);
    g_strfreev(c->plugin_directories);
    g_strfreev(c->module_directories);
    g_free(c->host_path);
    g_free(c->host_sockets);
    g_free(c->default_level);
    g_free(c->trust_store);
    g_free(c->trust_key);
    instance_config_free(c->fetch);
    g_ptr_array_unref(c->timestamps);
    g_ptr_array_unref(c->tokens);
    g_ptr_array_unref(c->backends);
    g_ptr_array_unref(c->warnings);
    g_free(c);
    return NULL;
}

/* The line on which section (and key, unless NULL) begins, 1 when not found. */
static unsigned line_of(const char *text, const char *section, const char *key) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *header = g_strdup_printf("[%s]", section);
    gboolean inside = FALSE;
    for (unsigned i = 0; lines[i]; i++) {
        g_strstrip(lines[i]);
        if (lines[i][0] == '[') {
            inside = strcmp(lines[i], header) == 0;
            if (inside && !key)
                return i + 1;
        } else if (inside && key && g_str_has_prefix(lines[i], key)) {
            const char *after = lines[i] + strlen(key);
            after += strspn(after, " \t");
            if (*after == '=')
                return i + 1;
        }
    }
    return 1;
}

typedef struct Source {
    Config *config;
    const char *file;
    const char *text;
} Source;

static void warn(const Source *s, const char *section, const char *key, const char *format, ...) G_GNUC_PRINTF(4, 5);

static void warn(const Source *s, const char *section, const char *key, const char *format, ...) {
    unsigned line = section ? line_of(s->text, section, key) : 1;
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    g_autofree char *text = g_strdup_vprintf(format, ap);
    g_autofree char *translated = g_strdup_vprintf(_(format), again);
    va_end(again);
    va_end(ap);
    log_event(LOG_WARNING, MESSAGE_CONFIG_INVALID, NULL, "%s:%u: %s", s->file, line, text);
    g_ptr_array_add(s->config->warnings, g_strdup_printf("%s:%u: %s", s->file, line, translated));
}

static gboolean parse_count(const char *value, uint64_t min, uint64_t max, uint64_t *ret) {
    guint64 n = 0;
    if (!g_ascii_string_to_unsigned(value, 10, min, max, &n, NULL))
        return FALSE;
    *ret = n;
    return TRUE;
}

static gboolean parse_level(const char *value, int *ret) {
    for (size_t i = 0; i < G_N_ELEMENTS(log_levels); i++)
        if (strcmp(log_levels[i].name, value) == 0) {
            *ret = log_levels[i].priority;
            return TRUE;
        }
    return FALSE;
}

/* "a;b;;" → {"a", "b"} */
static char **split_list(const char *value) {
    g_auto(GStrv) parts = g_strsplit(value, ";", -1);
    GPtrArray *kept = g_ptr_array_new();
    for (char **p = parts; *p; p++) {
        g_strstrip(*p);
        if (**p)
            g_ptr_array_add(kept, g_strdup(*p));
    }
    g_ptr_array_add(kept, NULL);
    return (char **)g_ptr_array_free(kept, FALSE);
}

static void apply_row(const Source *s, const KeyRow *row, const char *value) {
    void *member = (char *)s->config + row->offset;
    switch (row->kind) {
    case KEY_STRING:
        if (!*value) {
            warn(s, row->section, row->key, N_("%s must not be empty"), row->key);
            return;
        }
        g_free(*(char **)member);
        *(char **)member = g_strdup(value);
        return;
    case KEY_LIST:
        g_strfreev(*(char ***)member);
        *(char ***)member = split_list(value);
        return;
    case KEY_LEVEL:
        if (!parse_level(value, member))
            warn(s, row->section, row->key, N_("%s must be error, warning, notice, info or debug, not '%s'"), row->key,
                 value);
        return;
    case KEY_BOOL:
        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
            warn(s, row->section, row->key, N_("%s must be yes or no, not '%s'"), row->key, value);
        else
            *(bool *)member = strcmp(value, "yes") == 0;
        return;
    case KEY_COUNT:
        if (!parse_count(value, row->min, row->max, member))
            warn(s, row->section, row->key, N_("%s must be a number from %llu to %llu, not '%s'"), row->key,
                 (unsigned long long)row->min, (unsigned long long)row->max, value);
        return;
    }
}

static const KeyRow *find_row(const char *section, const char *key) {
    for (size_t i = 0; i < G_N_ELEMENTS(config_keys); i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].key, key) == 0)
            return &config_keys[i];
    return NULL;
}

static InstanceConfig *find_instance(GPtrArray *list, const char *name) {
    for (guint i = 0; i < list->len; i++) {
        InstanceConfig *instance = list->pdata[i];
        if (strcmp(instance->name, name) == 0)
            return instance;
    }
    return NULL;
}

static void set_list(char ***member, const char *value) {
    g_strfreev(*member);
    *member = split_list(value);
}

static void apply_instance_key(InstanceConfig *i, const char *key, const char *value) {
    if (strcmp(key, "Plugin") == 0) {
        g_free(i->plugin);
        i->plugin = g_strdup(value);
    } else if (strcmp(key, "ReadPaths") == 0)
        set_list(&i->read_paths, value);
    else if (strcmp(key, "WritePaths") == 0)
        set_list(&i->write_paths, value);
    else if (strcmp(key, "Environment") == 0)
        set_list(&i->environment, value);
    else if (strcmp(key, "Needs") == 0)
        set_list(&i->needs, value);
    else if (strcmp(key, "PinCredential") == 0) {
        g_free(i->pin_credential);
        i->pin_credential = g_strdup(value);
    } else if (strcmp(key, "PinCredentialUsers") == 0)
        set_list(&i->pin_users, value);
    else
        g_hash_table_replace(i->keys, g_strdup(key), g_strdup(value));
}

bool instance_config_gives_pin(const InstanceConfig *i, uid_t uid) {
    g_autofree char *number = g_strdup_printf("%u", (unsigned)uid);
    return *i->pin_credential && g_strv_contains((const char *const *)i->pin_users, number);
}

/* Names go into object paths and file names. */
static gboolean instance_name_valid(const char *name) {
    if (!*name || strlen(name) > 63)
        return FALSE;
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
            return FALSE;
    return TRUE;
}

static void read_instance_keys(const Source *s, GKeyFile *file, const char *section, InstanceConfig *instance) {
    g_auto(GStrv) keys = g_key_file_get_keys(file, section, NULL, NULL);
    for (char **key = keys; key && *key; key++) {
        g_autofree char *value = g_key_file_get_string(file, section, *key, NULL);
        if (value && strcmp(*key, "TimeoutMs") == 0) {
            g_free(instance->timeout_where);
            instance->timeout_where = g_strdup_printf("%s:%u", s->file, line_of(s->text, section, *key));
        }
        if (value)
            apply_instance_key(instance, *key, value);
        else
            warn(s, section, *key, N_("%s: not valid UTF-8"), *key);
    }
}

static void read_instance(const Source *s, GKeyFile *file, const char *section, const char *name, GPtrArray *list) {
    if (!instance_name_valid(name)) {
        warn(s, section, NULL, N_("section [%s]: the name may have only letters, digits, '-' and '_'"), section);
        return;
    }
    InstanceConfig *instance = find_instance(list, name);
    if (!instance) {
        instance = instance_config_new(name, "");
        g_ptr_array_add(list, instance);
    }
    read_instance_keys(s, file, section, instance);
}

static void read_section(const Source *s, GKeyFile *file, const char *section) {
    g_auto(GStrv) keys = g_key_file_get_keys(file, section, NULL, NULL);
    for (char **key = keys; key && *key; key++) {
        const KeyRow *row = find_row(section, *key);
        g_autofree char *value = g_key_file_get_string(file, section, *key, NULL);
        if (!row)
            warn(s, section, *key, N_("unknown key %s in section [%s]"), *key, section);
        else if (!value)
            warn(s, section, *key, N_("%s: not valid UTF-8"), *key);
        else
            apply_row(s, row, value);
    }
}

static void read_file(Config *c, const char *path) {
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) error = NULL;
    Source s = {.config = c, .file = path, .text = ""};
    if (!g_file_get_contents(path, &text, &length, &error)) {
        if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            warn(&s, NULL, NULL, N_("cannot be read: %s"), error->message);
        return;
    }
    s.text = text;
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, &error)) {
        warn(&s, NULL, NULL, N_("not a key file: %s"), error->message);
        return;
    }
    g_auto(GStrv) sections = g_key_file_get_groups(file, NULL);
    for (char **section = sections; *section; section++) {
        if (strcmp(*section, "Daemon") == 0 || strcmp(*section, "Journal") == 0 || strcmp(*section, "Limits") == 0 ||
            strcmp(*section, "Signature") == 0)
            read_section(&s, file, *section);
        else if (g_str_has_prefix(*section, "Token "))
            read_instance(&s, file, *section, *section + strlen("Token "), c->tokens);
        else if (strcmp(*section, "Fetch") == 0)
            read_instance_keys(&s, file, *section, c->fetch);
        else if (g_str_has_prefix(*section, "Timestamp "))
            read_instance(&s, file, *section, *section + strlen("Timestamp "), c->timestamps);
        else if (g_str_has_prefix(*section, "Backend "))
            read_instance(&s, file, *section, *section + strlen("Backend "), c->backends);
        else
            warn(&s, *section, NULL, N_("unknown section [%s]"), *section);
    }
}

static gint compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_drop_ins(Config *c, const char *file) {
    g_autofree char *folder = g_strconcat(file, ".d", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (!dir)
        return;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir));)
        if (name[0] != '.' && g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(names, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        read_file(c, names->pdata[i]);
}

/* A backend that is patient for longer than its host may live is ended in the middle of a call instead of answering. */
static void check_timeout(Config *c, const InstanceConfig *backend) {
    const char *value = g_hash_table_lookup(backend->keys, "TimeoutMs");
    uint64_t timeout = 0;
    if (!backend->timeout_where || !value || !parse_count(value, 0, UINT32_MAX, &timeout) ||
        timeout < c->backend_deadline)
        return;
    const char *format = N_("TimeoutMs of [Backend %s] must be less than BackendDeadlineMs, which is %llu");
    unsigned long long deadline = c->backend_deadline;
    g_autofree char *text = g_strdup_printf(format, backend->name, deadline);
    g_autofree char *translated = g_strdup_printf(_(format), backend->name, deadline);
    log_event(LOG_WARNING, MESSAGE_CONFIG_INVALID, NULL, "%s: %s", backend->timeout_where, text);
    g_ptr_array_add(c->warnings, g_strdup_printf("%s: %s", backend->timeout_where, translated));
}

Config *config_load(const char *file) {
    Config *c = config_new();
    read_file(c, file);
    read_drop_ins(c, file);
    for (guint i = 0; i < c->backends->len; i++)
        check_timeout(c, c->backends->pdata[i]);
    return c;
}
