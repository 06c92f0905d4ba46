/* SPDX-License-Identifier: Apache-2.0 */
/* Start and stop, ids, and health. */
#include "manager.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent.h"
#include "authorise.h"
#include "backend.h"
#include "bus-util.h"
#include "code.h"
#include "consent.h"
#include "dispatch.h"
#include "error.h"
#include "fetch.h"
#include "log.h"
#include "manager-bus.h"
#include "manager-client.h"
#include "messages.h"
#include "names.h"
#include "reader.h"
#include "retention.h"
#include "revocation-cache.h"
#include "sessions.h"
#include "sleep.h"
#include "tidy.h"
#include "token.h"
#include "translate.h"
#include "trust.h"
#include "util.h"

#define DISK_LOW         (16u << 20)         /* bytes; a consent and its evidence take some 30,000 */
#define LISTING_PATIENCE (3u * USEC_PER_SEC) /* a module that hangs must not keep the others' certificates back */

char *manager_keyed_id(const Manager *m, const char *kind, const char *name) {
    g_autofree char *text = g_strdup_printf("%s:%s", kind, name);
    char *hex = g_compute_hmac_for_string(G_CHECKSUM_SHA256, journal_installation_key(m->journal), 32, text, -1);
    hex[16] = 0;
    return hex;
}

void manager_client_gone(Manager *m, Client *c) {
    agents_drop(m, c);
    codes_client_gone(m, c);
    consents_client_gone(m, c);
    for (guint i = m->modules->len; i > 0; i--)
        if (((Module *)m->modules->pdata[i - 1])->owner == c)
            module_remove(m->modules->pdata[i - 1]);
}

/* ------------------------------------------------------------------------------------------------------- health -- */

/* One entry: in words for whoever reads it, and as a code with its particulars for programs that have words of their
 * own. */
typedef struct Problem {
    const char *part;   /* configuration, journal, readers, "Token NAME", "Backend NAME" */
    const char *code;   /* short name of an error, or one of the names that the interface's documentation lists */
    const char *text;   /* in the daemon's language */
    const char *detail; /* English, may be NULL */
    const char *hint;   /* in the daemon's language */
} Problem;

static int append_problem(sd_bus_message *m, const Problem *p) {
    bool said = !p->detail || strcmp(p->detail, p->text) == 0;
    g_autofree char *text = said ? g_strdup_printf("%s: %s", p->part, p->text)
                                 : g_strdup_printf("%s: %s (%s)", p->part, p->text, p->detail);
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 || (r = bus_append_string(m, "problem", text)) < 0 ||
        (r = bus_append_string(m, "hint", p->hint)) < 0 || (r = bus_append_string(m, "code", p->code)) < 0 ||
        (r = bus_append_string(m, "part", p->part)) < 0 ||
        (r = bus_append_string(m, "detail", p->detail ? p->detail : "")) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

static int append_error(sd_bus_message *m, const char *part, int code, const char *detail) {
    const Problem p = {.part = part,
                       .code = eonay_error_short_name(code),
                       .text = eonay_error_text(code),
                       .detail = detail,
                       .hint = eonay_error_hint(code)};
    return append_problem(m, &p);
}

static int append_host_health(sd_bus_message *m, const char *kind, const char *name, const Fault *fault,
                              bool quarantined) {
    g_autofree char *part = g_strdup_printf("%s %s", kind, name);
    if (quarantined) {
        const Problem p = {.part = part,
                           .code = "Quarantined",
                           .text = _("its process kept ending unexpectedly and is left alone for a while"),
                           .hint = _("'eonayctl tokens --refresh' tries it again; the journal names the library that "
                                     "fails.")};
        return append_problem(m, &p);
    }
    return fault->code != 0 ? append_error(m, part, fault->code, fault->text) : 0;
}

static int append_warnings(const Manager *m, sd_bus_message *reply) {
    for (guint i = 0; i < m->config->warnings->len; i++) {
        const char *warning = m->config->warnings->pdata[i];
        const Problem p = {.part = "configuration",
                           .code = "ConfigurationInvalid",
                           .text = warning,
                           .detail = warning,
                           .hint = _("Correct the file; eonayd.conf(5) lists the keys.")};
        int r = append_problem(reply, &p);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Warned about while there is still room to delete something without haste. */
static int append_disk(const Manager *m, sd_bus_message *reply) {
    struct statvfs fs;
    if (statvfs(m->config->state_directory, &fs) < 0 || (uint64_t)fs.f_bavail * fs.f_frsize >= DISK_LOW)
        return 0;
    const Problem p = {.part = "journal",
                       .code = "DiskNearlyFull",
                       .text = _("the disk with the records is nearly full"),
                       .detail = m->config->state_directory,
                       .hint = _("Free some disk space: without a record nothing is signed.")};
    return append_problem(reply, &p);
}

static int append_readers(const Manager *m, sd_bus_message *reply) {
    ReadersProblem found;
    if (!readers_problem(m->readers, &found))
        return 0;
    const Problem p = {.part = "readers", .code = found.code, .text = found.text, .hint = found.hint};
    return append_problem(reply, &p);
}

static int append_polkit(const Manager *m, sd_bus_message *reply) {
    if (!polkit_silent(m->polkit))
        return 0;
    const Problem p = {.part = "polkit",
                       .code = "PolkitSilent",
                       .text = _("polkit does not answer, so nothing is allowed"),
                       .hint = _("Install polkitd, or see what 'systemctl status polkit' says.")};
    return append_problem(reply, &p);
}

static int append_modules_health(Manager *m, sd_bus_message *reply) {
    for (guint i = 0; i < m->modules->len; i++) {
        const Module *module = m->modules->pdata[i];
        if (module->owner || (!module->configured && module->fault.code == EONAY_ERROR_MODULE_MISSING))
            continue; /* of one user only; or shown by the card that wants it */
        bool quarantined = module_quarantined(module);
        int r = append_host_health(reply, "Token", module->instance->name, &module->fault, quarantined);
        if (r < 0)
            return r;
    }
    return 0;
}

static int append_backends_health(Manager *m, sd_bus_message *reply) {
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, m->backends);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Backend *b = value;
        const Fault *fault = b->host && host_open_fault(b->host)->code ? host_open_fault(b->host) : &b->fault;
        bool quarantined = b->host && host_quarantined(b->host);
        int r = append_host_health(reply, "Backend", b->instance->name, fault, quarantined);
        if (r < 0)
            return r;
    }
    return 0;
}

int manager_append_health(Manager *m, sd_bus_message *reply) {
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");
    if (r >= 0)
        r = append_warnings(m, reply);
    if (r >= 0 && journal_problem(m->journal))
        r = append_error(reply, "journal", EONAY_ERROR_STORAGE_FAILED, journal_problem(m->journal));
    if (r >= 0)
        r = append_disk(m, reply);
    if (r >= 0 && trust_problem(m->trust))
        r = append_error(reply, "trust", EONAY_ERROR_FILE_INVALID, trust_problem(m->trust));
    if (r >= 0)
        r = append_readers(m, reply);
    if (r >= 0)
        r = append_polkit(m, reply);
    if (r >= 0)
        r = append_modules_health(m, reply);
    if (r >= 0)
        r = append_backends_health(m, reply);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* -------------------------------------------------------------------------------------------------------- listing --
 */

static int on_patience_over(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    Manager *m = userdata;
    m->patience = sd_event_source_disable_unref(m->patience);
    m->impatient = true;
    manager_listed(m);
    return 0;
}

void manager_listed(Manager *m) {
    manager_answer_waiting(m);
    if (readers_pending(m->readers) && !m->impatient)
        return;
    for (guint i = 0; i < m->modules->len; i++) {
        const Module *module = m->modules->pdata[i];
        if (module->listing && !module->owner)
            return;
    }
    m->patience = sd_event_source_disable_unref(m->patience);
    modules_show_unread_cards(m);
    g_autoptr(GPtrArray) refreshes = TAKE_PTR(m->refreshes);
    m->refreshes = g_ptr_array_new_with_free_func(bus_message_destroy);
    for (guint i = 0; i < refreshes->len; i++)
        sd_bus_reply_method_return(refreshes->pdata[i], NULL);
}

static int on_first_look(sd_event_source *source, void *userdata) {
    (void)source;
    Manager *m = userdata;
    m->first_look = sd_event_source_disable_unref(m->first_look);
    sd_event_add_time_relative(m->event, &m->patience, CLOCK_MONOTONIC, LISTING_PATIENCE, 0, on_patience_over, m);
    for (guint i = 0; i < m->modules->len; i++)
        module_list(m->modules->pdata[i], -1, NULL, NULL);
    readers_start(m->readers);
    sleep_new(m, &m->sleep); /* without it, sleep comes without us */
    consents_recover(m);
    consents_settle(m, NULL);
    retention_new(m, &m->retention); /* at worst they are kept longer */
    tidy_new(m->event, m, &m->tidy); /* at worst memory is */
    manager_listed(m);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- start --
 */

static int open_bus(Manager *m, const char *address) {
    int r;
    if (!address)
        return sd_bus_open_system(&m->bus);
    if ((r = sd_bus_new(&m->bus)) < 0 || (r = sd_bus_set_address(m->bus, address)) < 0 ||
        (r = sd_bus_set_bus_client(m->bus, true)) < 0 || (r = sd_bus_negotiate_fds(m->bus, true)) < 0)
        return r;
    return sd_bus_start(m->bus);
}

static void manager_make_lists(Manager *m) {
    m->modules = g_ptr_array_new_with_free_func((GDestroyNotify)module_free);
    m->tokens = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)token_free);
    m->certificates = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)certificate_free);
    m->backends = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)backend_free);
    m->consents = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)consent_free);
    m->codes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)pending_code_free);
    m->clients = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)client_free);
    m->users = g_hash_table_new(NULL, NULL);
    m->retired = g_ptr_array_new_with_free_func((GDestroyNotify)backend_free);
    m->extensions = g_ptr_array_new_with_free_func(extension_free);
    m->agents = g_ptr_array_new_with_free_func((GDestroyNotify)agent_free);
    m->waiting_calls = g_ptr_array_new_with_free_func(waiting_call_free);
    m->refreshes = g_ptr_array_new_with_free_func(bus_message_destroy);
}

int manager_new(const char *bus_address, Config *config, Manager **ret) {
    Manager *m = g_new0(Manager, 1);
    int r;
    m->config = config;
    m->private_bus = bus_address != NULL;
    manager_make_lists(m);
    if ((r = sd_event_default(&m->event)) < 0 || (r = open_bus(m, bus_address)) < 0 ||
        (r = journal_new(m->event, config->state_directory, &m->journal)) < 0) {
        manager_free(m);
        return r;
    }
    m->host_context = (HostContext){.event = m->event, .config = config, .trust_own_uid = m->private_bus};
    m->manifests = manifests_load(config->plugin_directories);
    m->definitions = definitions_load(config->module_directories);
    m->fetcher = fetcher_new(m);
    m->trust = trust_new(config);
    m->revocations = revocation_cache_new();
    modules_configure(m);
    backends_configure(m);
    if ((r = readers_new(m, &m->readers)) < 0) {
        manager_free(m);
        return r;
    }
    *ret = m;
    return 0;
}

int manager_start(Manager *m) {
    int r;
    if ((r = dispatch_new(m, &m->dispatch)) < 0 || (r = clients_watch(m)) < 0 || (r = manager_export(m)) < 0 ||
        (r = backends_export(m)) < 0 || (r = tokens_export(m)) < 0 || (r = certificates_export(m)) < 0 ||
        (r = consents_export(m)) < 0 || (r = audit_export(m)) < 0 || (r = readers_export(m)) < 0 ||
        (r = sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL)) < 0 ||
        (r = sd_bus_set_exit_on_disconnect(m->bus, true)) < 0 ||
        (r = sd_bus_request_name(m->bus, EONAY_BUS_NAME, 0)) < 0)
        return r;
    if (!m->private_bus && ((r = polkit_watch_new(m, &m->polkit)) < 0 || (r = sessions_new(m, &m->sessions)) < 0))
        return r;
    return sd_event_add_defer(m->event, &m->first_look, on_first_look, m);
}

/* In this order: whoever refers to something goes before it. */
Manager *manager_free(Manager *m) {
    if (!m)
        return NULL;
    m->stopping = true;
    sd_event_source_disable_unref(m->patience);
    sd_event_source_disable_unref(m->first_look);
    if (m->journal)
        journal_flush(m->journal); /* while those who wait for it still have everything */
    g_hash_table_remove_all(m->codes);
    m->tidy = sd_event_source_disable_unref(m->tidy);
    g_hash_table_remove_all(m->consents);
    g_ptr_array_set_size(m->agents, 0);
    g_hash_table_remove_all(m->backends);
    g_ptr_array_set_size(m->retired, 0);
    g_ptr_array_set_size(m->extensions, 0);
    m->evidence_stamps = evidence_stamps_free(m->evidence_stamps);
    m->fetcher = fetcher_free(m->fetcher);
    m->trust = trust_free(m->trust);
    g_hash_table_remove_all(m->certificates);
    g_hash_table_remove_all(m->tokens);
    g_ptr_array_set_size(m->modules, 0);
    m->readers = readers_free(m->readers);
    m->sleep = sleep_free(m->sleep);
    m->audit_call = audit_call_free(m->audit_call);
    m->retention = retention_free(m->retention);
    m->polkit = polkit_watch_free(m->polkit);
    m->sessions = sessions_free(m->sessions);
    m->revocations = revocation_cache_free(m->revocations);
    g_clear_pointer(&m->materials, g_hash_table_unref);
    g_hash_table_remove_all(m->clients);
    m->dispatch = dispatch_free(m->dispatch);
    journal_free(m->journal);
    g_ptr_array_unref(m->retired);
    g_ptr_array_unref(m->waiting_calls);
    g_ptr_array_unref(m->refreshes);
    g_ptr_array_unref(m->extensions);
    g_ptr_array_unref(m->agents);
    g_ptr_array_unref(m->modules);
    if (m->definitions)
        g_ptr_array_unref(m->definitions);
    GHashTable *tables[] = {m->codes,  m->consents, m->backends, m->certificates,
                            m->tokens, m->clients,  m->users,    m->manifests};
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        if (tables[i])
            g_hash_table_unref(tables[i]);
    sd_bus_flush_close_unref(m->bus);
    sd_event_unref(m->event);
    config_free(m->config);
    g_free(m);
    return NULL;
}
