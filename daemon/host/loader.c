/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RTLD_NOW: a missing symbol is an error here, not a crash in the middle of a signature. RTLD_LOCAL: vendors' modules
 * bring their own copies of libraries. What the plugin's struct says of itself is believed only within the sizes it
 * gives.
 */
#include "loader.h"

#include <dlfcn.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "names.h"

#define REACHES(size, type, member) ((size) >= offsetof(type, member) + sizeof(((type *)NULL)->member))

/* dlerror() in the C locale, which this program never leaves. */
static int refuse_object(char **ret_reason) {
    const char *text = dlerror();
    *ret_reason = g_strdup(text ? text : "it cannot be loaded");
    return strstr(*ret_reason, "cannot open shared object file") ? EONAY_ERROR_MODULE_MISSING
                                                                 : EONAY_ERROR_MODULE_INVALID;
}

static bool token_is_whole(const EonayTokenOps *t) {
    return t && REACHES(t->struct_size, EonayTokenOps, unblock_pin) && t->open && t->close && t->list && t->inspect &&
           t->login && t->sign && t->logout;
}

static bool ca_is_whole(const EonayCaOps *c) {
    return c && REACHES(c->struct_size, EonayCaOps, cancel) && c->open && c->close && c->capabilities && c->get_code &&
           c->redeem && c->submit;
}

static bool fetch_is_whole(const EonayPlugin *p) {
    return REACHES(p->struct_size, EonayPlugin, fetch) && p->fetch &&
           REACHES(p->fetch->struct_size, EonayFetchOps, fetch) && p->fetch->open && p->fetch->close && p->fetch->fetch;
}

static bool plugin_is_whole(const EonayPlugin *p) {
    switch (p->kind) {
    case EONAY_PLUGIN_TOKEN:
        return token_is_whole(p->token);
    case EONAY_PLUGIN_CA:
        return ca_is_whole(p->ca);
    case EONAY_PLUGIN_FETCH:
        return fetch_is_whole(p);
    }
    return false;
}

static const char *plugin_fault(const EonayPlugin *p, const char *name, EonayPluginKind kind) {
    if (p->abi_major != EONAY_PLUGIN_ABI_MAJOR)
        return "it was built for another version of the plugin interface";
    if (!REACHES(p->struct_size, EonayPlugin, ca))
        return "its description is too short";
    if (p->kind != kind)
        return "it is a plugin of another kind";
    if (!p->name || strncmp(p->name, name, EONAY_STRING_MAX) != 0)
        return "it is a plugin of another name";
    if (!p->version)
        return "it has no version";
    if (!plugin_is_whole(p))
        return "operations are missing";
    return NULL;
}

int loader_load(const char *path, const char *name, EonayPluginKind kind, const EonayPlugin **ret, char **ret_reason) {
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return refuse_object(ret_reason);
    const EonayPlugin *plugin = dlsym(object, "eonay_plugin");
    const char *fault = plugin ? plugin_fault(plugin, name, kind) : "it has no symbol eonay_plugin";
    if (fault) {
        *ret_reason = g_strdup_printf("%s: %s", path, fault);
        return EONAY_ERROR_MODULE_INVALID;
    }
    *ret = plugin;
    return 0;
}

int loader_try(const char *path, char **ret_reason) {
    return dlopen(path, RTLD_NOW | RTLD_LOCAL) ? 0 : refuse_object(ret_reason);
}
