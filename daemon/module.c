/* SPDX-License-Identifier: Apache-2.0 */
/* Modules: what is configured under [Token NAME], and files of AddFile; and the reading of their listings. */
#include <errno.h>
#include <string.h>

#include "bus-util.h"
#include "consent.h"
#include "host-protocol.h"
#include "log.h"
#include "messages.h"
#include "names.h"
#include "reader.h"
#include "token.h"
#include "translate.h"
#include "util.h"

/* -------------------------------------------------------------------------------------------------- a listing -- */

static Token *module_find_token(const Module *module, const char *key) {
    for (guint i = 0; i < module->tokens->len; i++) {
        Token *t = module->tokens->pdata[i];
        if (strcmp(t->key, key) == 0)
            return t;
    }
    return NULL;
}

Token *token_new(Module *module, const char *key) {
    Token *t = g_new0(Token, 1);
    g_autofree char *name = g_strdup_printf("%s/%s", module->instance->name, key);
    g_autofree char *id = manager_keyed_id(module->manager, "token", name);
    t->manager = module->manager;
    t->module = module;
    t->path = g_strdup_printf("%s/%s", EONAY_PATH_TOKEN, id);
    t->key = g_strdup(key);
    char **strings[] = {&t->label, &t->serial, &t->manufacturer, &t->model, &t->reader, &t->state};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = g_strdup("");
    t->certificates = g_ptr_array_new();
    t->wrong_pins = g_hash_table_new(NULL, NULL);
    g_queue_init(&t->turns);
    g_ptr_array_add(module->tokens, t);
    g_hash_table_replace(module->manager->tokens, t->path, t);
    return t;
}

static Certificate *token_find_certificate(const Token *t, const void *der, size_t size) {
    for (guint i = 0; i < t->certificates->len; i++) {
        Certificate *c = t->certificates->pdata[i];
        if (c->profile->der_size == size && memcmp(c->profile->der, der, size) == 0)
            return c;
    }
    return NULL;
}

static void token_drop_certificate(Token *t, Certificate *c) {
    g_ptr_array_remove(t->certificates, c);
    if (!t->module->owner)
        sd_bus_emit_object_removed(t->manager->bus, c->path);
    g_hash_table_remove(t->manager->certificates, c->path); /* frees it */
}

/* (aya{sv}) */
static int read_certificate(Token *t, sd_bus_message *m) {
    const void *der;
    size_t size;
    const char *label = "";
    uint32_t flags = 0;
    const BusOption table[] = {{"Label", "s", &label}, {"Flags", "u", &flags}, {NULL, NULL, NULL}};
    int r;
    if ((r = sd_bus_message_enter_container(m, 'r', "aya{sv}")) <= 0)
        return r;
    if ((r = sd_bus_message_read_array(m, 'y', &der, &size)) < 0 || (r = bus_read_dict(m, table)) < 0 ||
        (r = sd_bus_message_exit_container(m)) < 0)
        return r;
    Certificate *c = token_find_certificate(t, der, size);
    if (!c) {
        if ((r = certificate_new(t, der, size, label, flags, &c)) < 0)
            return r;
        g_ptr_array_add(t->certificates, c);
        g_hash_table_replace(t->manager->certificates, c->path, c);
    }
    c->flags = flags;
    c->seen = true;
    return 1;
}

static int read_certificates(Token *t, sd_bus_message *m) {
    int r = sd_bus_message_enter_container(m, 'a', "(aya{sv})");
    if (r < 0)
        return r;
    for (guint i = 0; i < t->certificates->len; i++)
        ((Certificate *)t->certificates->pdata[i])->seen = false;
    while ((r = read_certificate(t, m)) > 0)
        ;
    for (guint i = t->certificates->len; i > 0; i--)
        if (!((Certificate *)t->certificates->pdata[i - 1])->seen)
            token_drop_certificate(t, t->certificates->pdata[i - 1]);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The key of the a{sv} at the message's position, which is left there. */
static int peek_key(sd_bus_message *m, char **ret) {
    const char *key = "";
    const BusOption table[] = {{"Key", "s", &key}, {NULL, NULL, NULL}};
    int r = bus_read_dict(m, table);
    if (r < 0)
        return r;
    *ret = g_strdup(key);
    return 0;
}

/* (a{sv}a(aya{sv})): read twice, since the key decides which token the rest is of. */
static int read_token(Module *module, sd_bus_message *m) {
    int r = sd_bus_message_enter_container(m, 'r', "a{sv}a(aya{sv})");
    if (r <= 0)
        return r;
    g_autofree char *key = NULL;
    if ((r = peek_key(m, &key)) < 0)
        return r;
    Token *t = module_find_token(module, key);
    bool fresh = !t;
    if (fresh)
        t = token_new(module, key);
    t->seen = true;
    if ((r = sd_bus_message_rewind(m, false)) < 0 || (r = token_update(t, m)) < 0 ||
        (r = read_certificates(t, m)) < 0 || (r = sd_bus_message_exit_container(m)) < 0)
        return r;
    if (!fresh)
        token_announce_change(t);
    token_announce(t);
    return 1;
}

void module_drop_token(Module *module, Token *t) {
    Manager *m = module->manager;
    token_announce_gone(t);
    consents_token_gone(m, t);
    host_kill_busy(t->signer); /* it would keep the reader until its deadline */
    while (t->certificates->len > 0)
        token_drop_certificate(t, t->certificates->pdata[0]);
    g_ptr_array_remove(module->tokens, t);
    g_hash_table_remove(m->tokens, t->path); /* frees it */
}

static int read_listing(Module *module, sd_bus_message *m) {
    int r = sd_bus_message_enter_container(m, 'a', "(a{sv}a(aya{sv}))");
    if (r < 0)
        return r;
    for (guint i = 0; i < module->tokens->len; i++)
        ((Token *)module->tokens->pdata[i])->seen = false;
    while ((r = read_token(module, m)) > 0)
        ;
    for (guint i = module->tokens->len; i > 0; i--)
        if (!((Token *)module->tokens->pdata[i - 1])->seen && !((Token *)module->tokens->pdata[i - 1])->stand_in)
            module_drop_token(module, module->tokens->pdata[i - 1]);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    module_list(userdata, -1, NULL, NULL);
    return 0;
}

/* A process that died while it listed is replaced without being asked to: its tokens may be wanted before anybody
 * thinks of Refresh. One that is left alone is not. */
static void module_list_later(Module *module) {
    int code = module->fault.code;
    if (module->owner || module->listing || !module->lister || host_quarantined(module->lister) ||
        (code != EONAY_ERROR_PLUGIN_CRASHED && code != EONAY_ERROR_PLUGIN_TIMEOUT))
        return;
    sd_event_add_time_relative(module->manager->event, &module->retry, CLOCK_MONOTONIC, host_pause(module->lister), 0,
                               on_retry, module);
}

static void on_listed(const Fault *fault, sd_bus_message *reply, void *userdata) {
    Module *module = userdata;
    Manager *m = module->manager;
    module->listing = NULL;
    bool outdated = module->outdated;
    module->outdated = false;
    module->listed |= !outdated;
    fault_clear(&module->fault);
    if (fault->code == 0 && !outdated && read_listing(module, reply) < 0)
        module->fault = FAULT(EONAY_ERROR_PLUGIN_FAILED);
    else
        module->fault = fault_copy(fault);
    ModuleHandler handler = TAKE_PTR(module->handler);
    Fault told = fault_copy(&module->fault);
    bool again = (module->list_again || outdated) && !handler;
    module->list_again = false;
    if (again)
        module_list(module, -1, NULL, NULL);
    else
        module_list_later(module);
    if (handler)
        handler(module, &told, module->userdata);
    fault_clear(&told);
    manager_listed(m);
}

/* The answer must come later than the call, also when there is nothing to wait for. */
static void module_answer_fault(Module *module, int code) {
    module->listed = true;
    fault_clear(&module->fault);
    module->fault = FAULT(code);
    module_list_later(module);
    ModuleHandler handler = TAKE_PTR(module->handler);
    if (handler)
        handler(module, &module->fault, module->userdata);
}

static int module_send_list(Module *module, int secret_fd) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = host_begin(module->lister, HOST_METHOD_LIST, &m);
    if (r != 0)
        return r;
    r = secret_fd >= 0 ? sd_bus_message_append(m, "ah", 1, secret_fd) : sd_bus_message_append(m, "ah", 0);
    if (r < 0)
        return r;
    return host_call(module->lister, m, module->manager->config->list_deadline * USEC_PER_MSEC, on_listed, module,
                     &module->listing);
}

void module_list(Module *module, int secret_fd, ModuleHandler handler, void *userdata) {
    if (handler) {
        module->handler = handler;
        module->userdata = userdata;
    }
    module->retry = sd_event_source_disable_unref(module->retry);
    if (module->listing) {
        module->list_again = true;
        return;
    }
    if (!module->lister) {
        module_answer_fault(module, module->fault.code);
        return;
    }
    int r = module_send_list(module, secret_fd);
    if (r != 0)
        module_answer_fault(module, r > 0 ? r : EONAY_ERROR_PLUGIN_FAILED);
}

void module_retry(Module *module) {
    host_forgive(module->lister);
    for (guint i = 0; i < module->tokens->len; i++)
        host_forgive(((Token *)module->tokens->pdata[i])->signer);
    module_list(module, -1, NULL, NULL);
}

bool module_quarantined(const Module *module) {
    bool found = module->lister && host_quarantined(module->lister);
    for (guint i = 0; i < module->tokens->len; i++) {
        const Host *signer = ((const Token *)module->tokens->pdata[i])->signer;
        found = found || (signer && host_quarantined(signer));
    }
    return found;
}

bool modules_listing(const Manager *m) {
    if (m->first_look || (readers_pending(m->readers) && !m->impatient))
        return true;
    for (guint i = 0; i < m->modules->len; i++) {
        const Module *module = m->modules->pdata[i];
        if (module->listing && !module->listed && !module->owner && !m->impatient)
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------------------------------------------- modules -- */

static Module *module_new(Manager *m, InstanceConfig *instance) {
    Module *module = g_new0(Module, 1);
    module->manager = m;
    module->instance = instance;
    module->tokens = g_ptr_array_new();
    module->fault = FAULT_NONE;
    module->manifest = g_hash_table_lookup(m->manifests, instance->plugin);
    if (module->manifest && module->manifest->kind != EONAY_PLUGIN_TOKEN)
        module->manifest = NULL;
    g_ptr_array_add(m->modules, module);
    return module;
}

static void module_prepare_host(Module *module) {
    if (module->manifest) {
        module->lister =
            host_new(&module->manager->host_context, module->manifest, module->instance, module->files, "list");
        return;
    }
    module->fault = fault_printf(EONAY_ERROR_MODULE_MISSING, "no token plugin named '%s'", module->instance->plugin);
    log_event(LOG_WARNING, MESSAGE_HOST_FAILED, NULL, "[Token %s]: no token plugin named '%s'", module->instance->name,
              module->instance->plugin);
}

/* The definition a section names, or whose name it has: then the section speaks for it, and there is no second use. */
static const Definition *definition_of_section(const Manager *m, const InstanceConfig *instance) {
    const char *name = g_hash_table_lookup(instance->keys, "Definition");
    return definition_find(m->definitions, name ? name : instance->name);
}

void modules_fill_sections(const Manager *m, const Config *config) {
    for (guint i = 0; i < config->tokens->len; i++) {
        const Definition *d = definition_of_section(m, config->tokens->pdata[i]);
        if (d)
            definition_fill(d, config->tokens->pdata[i]);
    }
}

/* Instead of the one that a card has started meanwhile. */
static void remove_use_of_card(Manager *m, const Definition *d) {
    for (guint i = m->modules->len; d && i > 0; i--) {
        Module *other = m->modules->pdata[i - 1];
        if (other->definition == d && !other->configured)
            module_remove(other);
    }
}

Module *module_configure(Manager *m, InstanceConfig *instance) {
    const Definition *d = definition_of_section(m, instance);
    remove_use_of_card(m, d);
    Module *module = module_new(m, instance);
    module->definition = d;
    module->configured = true;
    module_prepare_host(module);
    return module;
}

void modules_configure(Manager *m) {
    modules_fill_sections(m, m->config);
    for (guint i = 0; i < m->config->tokens->len; i++)
        module_configure(m, m->config->tokens->pdata[i]);
}

Module *module_of_definition(Manager *m, const Definition *d) {
    for (guint i = 0; i < m->modules->len; i++)
        if (((Module *)m->modules->pdata[i])->definition == d)
            return m->modules->pdata[i];
    InstanceConfig *instance = instance_config_new(d->name, "");
    definition_fill(d, instance);
    Module *module = module_new(m, instance);
    module->definition = d;
    module->owns_instance = true;
    module_prepare_host(module);
    return module;
}

static void close_file(gpointer value) {
    safe_close(GPOINTER_TO_INT(value) - 1);
}

int module_new_file(Client *owner, const char *label, int fd, Module **ret, sd_bus_error *error) {
    Manager *m = owner->manager;
    static unsigned counter;
    if (owner->user->n_files >= m->config->files_per_user) {
        safe_close(fd);
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED, _("At most %u files of one user at a time."),
                                 (unsigned)m->config->files_per_user);
    }
    g_autofree char *name = g_strdup_printf("file-%u", ++counter);
    InstanceConfig *instance = instance_config_new(name, m->config->file_plugin);
    if (label)
        g_hash_table_replace(instance->keys, g_strdup("Label"), g_strdup(label));
    Module *module = module_new(m, instance);
    module->owner = owner;
    module->owns_instance = true;
    owner->user->n_files++;
    module->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_file);
    g_hash_table_insert(module->files, g_strdup("File"), GINT_TO_POINTER(fd + 1));
    module_prepare_host(module);
    *ret = module;
    return 0;
}

void module_remove(Module *module) {
    while (module->tokens->len > 0)
        module_drop_token(module, module->tokens->pdata[0]);
    g_ptr_array_remove(module->manager->modules, module); /* frees it */
}

void module_free(Module *module) {
    if (!module)
        return;
    Fault gone = FAULT(EONAY_ERROR_CANCELLED);
    if (module->listing)
        host_call_forget(module->listing);
    if (module->handler)
        module->handler(NULL, &gone, module->userdata);
    sd_event_source_disable_unref(module->retry);
    host_free(module->lister);
    g_ptr_array_unref(module->tokens);
    fault_clear(&module->fault);
    if (module->files)
        g_hash_table_unref(module->files);
    if (module->owner)
        module->owner->user->n_files--;
    if (module->owns_instance)
        instance_config_free(module->instance);
    g_free(module);
}
