/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include <string.h>

#include "eonay/plugin.h"
#include "host-protocol.h"
#include "log.h"
#include "messages.h"
#include "module.h"
#include "names.h"
#include "token.h"
#include "translate.h"
#include "util.h"

#define RESTART_PAUSE (200u * USEC_PER_MSEC) /* after the host died; host.c lengthens it when it keeps dying */

struct Readers {
    Manager *manager;
    Manifest manifest;
    InstanceConfig *instance;
    Host *host;
    sd_event_source *restart;
    GHashTable *table; /* path → Reader */
    char *state;       /* of PC/SC, "" until known */
};

static void reader_free(Reader *r) {
    g_clear_pointer(&r->atr, g_bytes_unref);
    g_free(r->name);
    g_free(r->path);
    g_free(r);
}

GHashTable *readers_table(Readers *r) {
    return r->table;
}

Reader *reader_find(Readers *r, const char *name) {
    GHashTableIter iter;
    gpointer value;
    if (!r)
        return NULL;
    g_hash_table_iter_init(&iter, r->table);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (strcmp(((Reader *)value)->name, name) == 0)
            return value;
    return NULL;
}

void readers_visit_cards(Readers *r, ReaderVisitor visit, void *userdata) {
    GHashTableIter iter;
    gpointer value;
    if (!r)
        return;
    g_hash_table_iter_init(&iter, r->table);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((Reader *)value)->present)
            visit(value, userdata);
}

static Reader *reader_new(Readers *readers, const char *name) {
    Reader *r = g_new0(Reader, 1);
    g_autofree char *id = manager_keyed_id(readers->manager, "reader", name);
    r->readers = readers;
    r->name = g_strdup(name);
    r->path = g_strdup_printf("%s/%s", EONAY_PATH_READER, id);
    g_hash_table_replace(readers->table, r->path, r);
    return r;
}

/* -------------------------------------------------------------------------------------------------- what is told -- */

/* One line of the signal: (sbayb). Returns 1 when one was read; *ret_changed when the modules must look. */
static int read_reader(Readers *readers, sd_bus_message *m, bool *ret_changed) {
    const char *name;
    const void *atr;
    size_t size;
    int present, pinpad, r;
    if ((r = sd_bus_message_enter_container(m, 'r', "sbayb")) <= 0)
        return r;
    if ((r = sd_bus_message_read(m, "sb", &name, &present)) < 0 ||
        (r = sd_bus_message_read_array(m, 'y', &atr, &size)) < 0 || (r = sd_bus_message_read(m, "b", &pinpad)) < 0 ||
        (r = sd_bus_message_exit_container(m)) < 0)
        return r;
    Reader *reader = reader_find(readers, name);
    bool fresh = !reader;
    if (fresh)
        reader = reader_new(readers, name);
    g_autoptr(GBytes) now = present ? g_bytes_new(atr, size) : NULL;
    bool same = reader->present == (bool)present && (!present || g_bytes_equal(reader->atr, now));
    reader->seen = true;
    reader->pinpad = pinpad || (reader->pinpad && present); /* asked of the reader only while it is empty */
    if (!same) {
        modules_card_gone(readers->manager,
                          reader->name); /* also when another card came so fast that no gap was told */
        reader->present = present;
        g_clear_pointer(&reader->atr, g_bytes_unref);
        reader->atr = g_steal_pointer(&now);
        reader->generation++;
        *ret_changed = true;
    }
    if (fresh)
        reader_announce(readers->manager, reader);
    else if (!same)
        reader_announce_change(readers->manager, reader);
    return 1;
}

static gboolean drop_unseen(gpointer key, gpointer value, gpointer changed) {
    (void)key;
    Reader *r = value;
    if (r->seen)
        return FALSE;
    modules_card_gone(r->readers->manager, r->name);
    reader_announce_gone(r->readers->manager, r);
    *(bool *)changed = true;
    return TRUE;
}

static int read_readers(Readers *readers, sd_bus_message *m, bool *ret_changed) {
    GHashTableIter iter;
    gpointer value;
    int r = sd_bus_message_enter_container(m, 'a', "(sbayb)");
    if (r < 0)
        return r;
    g_hash_table_iter_init(&iter, readers->table);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        ((Reader *)value)->seen = false;
    while ((r = read_reader(readers, m, ret_changed)) > 0)
        ;
    g_hash_table_foreach_remove(readers->table, drop_unseen, ret_changed);
    return r;
}

bool readers_pending(const Readers *r) {
    return r && !*r->state && !host_quarantined(r->host);
}

static void on_readers(sd_bus_message *m, void *userdata) {
    Readers *readers = userdata;
    const char *state;
    bool changed = false;
    if (!sd_bus_message_is_signal(m, HOST_INTERFACE, HOST_SIGNAL_READERS) || sd_bus_message_read(m, "s", &state) < 0)
        return;
    if (strcmp(state, readers->state) != 0)
        log_event(strcmp(state, "ok") == 0 ? LOG_INFO : LOG_WARNING, MESSAGE_PCSC_STATE, NULL, "PC/SC: %s", state);
    bool first = readers_pending(readers);
    bool came = !first && strcmp(state, "ok") == 0 && strcmp(readers->state, "ok") != 0;
    if (came)
        modules_stop(readers->manager); /* card hosts see the /run of their start: the new pcscd is not in it */
    g_free(readers->state);
    readers->state = g_strdup(state);
    if (read_readers(readers, m, &changed) >= 0 && (changed || came))
        modules_cards_changed(readers->manager);
    else if (first)
        manager_listed(readers->manager);
}

/* All cards are gone as far as we can tell. */
static void forget_readers(Readers *readers) {
    GHashTableIter iter;
    gpointer value;
    bool changed = false;
    g_hash_table_iter_init(&iter, readers->table);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        ((Reader *)value)->seen = false;
    g_hash_table_foreach_remove(readers->table, drop_unseen, &changed);
}

/* ----------------------------------------------------------------------------------------------------- the host -- */

static int on_restart(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    Readers *r = userdata;
    r->restart = sd_event_source_disable_unref(r->restart);
    readers_start(r);
    return 0;
}

static void restart_later(Readers *r) {
    if (!r->restart)
        sd_event_add_time_relative(r->manager->event, &r->restart, CLOCK_MONOTONIC, RESTART_PAUSE, 0, on_restart, r);
}

static void on_closed(void *userdata) {
    Readers *r = userdata;
    forget_readers(r);
    restart_later(r);
}

static void on_rescanned(const Fault *fault, sd_bus_message *reply, void *userdata) {
    (void)fault;
    (void)reply;
    (void)userdata; /* what there is to tell comes with the signal */
}

void readers_rescan(Readers *r) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    if (!r || host_begin(r->host, HOST_METHOD_RESCAN, &m) != 0)
        return;
    host_call(r->host, m, r->manager->config->open_deadline * USEC_PER_MSEC, on_rescanned, r, NULL);
}

void readers_start(Readers *r) {
    if (!r)
        return;
    readers_rescan(r); /* the first call starts the host */
    if (!host_running(r->host) && !host_quarantined(r->host))
        restart_later(r);
}

void readers_stop(Readers *r) {
    if (!r)
        return;
    r->restart = sd_event_source_disable_unref(r->restart);
    host_stop(r->host);
    forget_readers(r);
}

bool readers_problem(const Readers *r, ReadersProblem *ret) {
    if (!r)
        return false;
    if (host_quarantined(r->host))
        *ret = (ReadersProblem){.code = "ReadersUnwatched",
                                .text = _("the process that watches the card readers keeps ending"),
                                .hint = _("See the journal of eonayd; 'systemctl restart eonayd' tries again.")};
    else if (strcmp(r->state, "no-service") == 0)
        *ret = (ReadersProblem){.code = "PcscAbsent",
                                .text = _("the smart card service pcscd does not run"),
                                .hint = _("Install pcscd, or start it: systemctl enable --now pcscd.socket")};
    else if (strcmp(r->state, "refused") == 0)
        *ret = (ReadersProblem){.code = "PcscRefused",
                                .text = _("the smart card service pcscd does not let the E-Onay service in"),
                                .hint = _("polkit must allow the users of the service's processes the actions "
                                          "org.debian.pcsc-lite.access_pcsc and org.debian.pcsc-lite.access_card.")};
    else
        return false;
    return true;
}

int readers_new(Manager *m, Readers **ret) {
    if (!m->config->readers) {
        *ret = NULL;
        return 0;
    }
    static char *needs[] = {(char *)"card", NULL};
    static char *none[] = {NULL};
    Readers *r = g_new0(Readers, 1);
    r->manager = m;
    r->manifest = (Manifest){.name = (char *)"reader",
                             .module = (char *)"",
                             .needs = needs,
                             .read_paths = none,
                             .write_paths = none,
                             .write_folders = none,
                             .libraries = none,
                             .files = none};
    r->instance = instance_config_new("readers", "reader");
    r->table = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)reader_free);
    r->state = g_strdup("");
    r->host = host_new(&m->host_context, &r->manifest, r->instance, NULL, "watch");
    host_watch(r->host, on_readers, on_closed, r);
    *ret = r;
    return 0;
}

Readers *readers_free(Readers *r) {
    if (!r)
        return NULL;
    sd_event_source_disable_unref(r->restart);
    host_free(r->host);
    g_hash_table_unref(r->table);
    instance_config_free(r->instance);
    g_free(r->state);
    g_free(r);
    return NULL;
}
