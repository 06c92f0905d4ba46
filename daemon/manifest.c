/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests are trusted only as far as their files are: the host checks the shared object's owner and mode itself. */
#include "manifest.h"

#include <string.h>
#include <syslog.h>

#include "log.h"
#include "messages.h"

static void manifest_free(Manifest *m) {
    g_free(m->name);
    g_free(m->module);
    g_strfreev(m->needs);
    g_strfreev(m->read_paths);
    g_strfreev(m->write_paths);
    g_strfreev(m->write_folders);
    g_strfreev(m->libraries);
    g_strfreev(m->files);
    g_free(m->description);
    g_free(m);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Manifest, manifest_free)

static char **get_list(GKeyFile *file, const char *key) {
    char **list = g_key_file_get_string_list(file, "Plugin", key, NULL, NULL);
    return list ? list : g_new0(char *, 1);
}

static const char *manifest_parse(GKeyFile *file, const char *path, Manifest *m) {
    g_autofree char *kind = g_key_file_get_string(file, "Plugin", "Kind", NULL);
    g_autofree char *module = g_key_file_get_string(file, "Plugin", "Module", NULL);
    m->name = g_key_file_get_string(file, "Plugin", "Name", NULL);
    if (!m->name || !*m->name || strlen(m->name) > 63)
        return "Name is missing or too long";
    if (g_strcmp0(kind, "token") == 0)
        m->kind = EONAY_PLUGIN_TOKEN;
    else if (g_strcmp0(kind, "ca") == 0)
        m->kind = EONAY_PLUGIN_CA;
    else if (g_strcmp0(kind, "fetch") == 0)
        m->kind = EONAY_PLUGIN_FETCH;
    else
        return "Kind must be token, ca or fetch";
    if (!module || !*module)
        return "Module is missing";
    g_autofree char *folder = g_path_get_dirname(path);
    m->module = g_canonicalize_filename(module, folder);
    m->priority = g_key_file_get_integer(file, "Plugin", "Priority", NULL);
    m->needs = get_list(file, "Needs");
    m->read_paths = get_list(file, "ReadPaths");
    m->write_paths = get_list(file, "WritePaths");
    m->write_folders = get_list(file, "WriteFolders");
    m->libraries = get_list(file, "Libraries");
    m->files = get_list(file, "Files");
    m->description = g_key_file_get_string(file, "Plugin", "Description", NULL);
    return NULL;
}

static void manifest_load(GHashTable *manifests, const char *path) {
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Manifest) m = g_new0(Manifest, 1);
    const char *why = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error))
        why = error->message;
    else
        why = manifest_parse(file, path, m);
    if (why) {
        log_event(LOG_WARNING, MESSAGE_MANIFEST_REFUSED, NULL, "%s: %s", path, why);
        return;
    }
    if (g_hash_table_contains(manifests, m->name))
        return;
    char *name = m->name;
    g_hash_table_insert(manifests, name, g_steal_pointer(&m));
}

GHashTable *manifests_load(char **folders) {
    GHashTable *manifests = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)manifest_free);
    for (char **folder = folders; *folder; folder++) {
        g_autoptr(GDir) dir = g_dir_open(*folder, 0, NULL);
        for (const char *name; dir && (name = g_dir_read_name(dir));) {
            g_autofree char *path = g_build_filename(*folder, name, NULL);
            if (g_str_has_suffix(name, ".plugin"))
                manifest_load(manifests, path);
        }
    }
    return manifests;
}
