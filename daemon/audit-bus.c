/* SPDX-License-Identifier: Apache-2.0 */
/* org.eonay.EOnay1.Audit: the chain is verified, its head noted, entries listed; records erased. */
#include <string.h>

#include "audit-verify.h"
#include "authorise.h"
#include "bus-util.h"
#include "error.h"
#include "fault.h"
#include "journal-private.h"
#include "manager-bus.h"
#include "names.h"
#include "translate.h"
#include "util.h"

#define ENTRIES_MAX 1000u /* in one answer */

static char *hex_of(const uint8_t hash[AUDIT_HASH]) {
    GString *hex = g_string_sized_new(2 * AUDIT_HASH);
    for (size_t i = 0; i < AUDIT_HASH; i++)
        g_string_append_printf(hex, "%02x", hash[i]);
    return g_string_free(hex, FALSE);
}

static bool read_hex(const char *hex, uint8_t ret[AUDIT_HASH]) {
    if (strlen(hex) != 2 * AUDIT_HASH || strspn(hex, "0123456789abcdef") != 2 * AUDIT_HASH)
        return false;
    for (size_t i = 0; i < AUDIT_HASH; i++)
        ret[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return true;
}

/* ------------------------------------------------------------------------------------------------------ Verify -- */

struct AuditCall {
    Manager *manager;
    sd_bus_message *message;
    AuditVerification *walk;
    sd_event_source *source;
};

AuditCall *audit_call_free(AuditCall *c) {
    if (!c)
        return NULL;
    sd_event_source_disable_unref(c->source);
    audit_verification_free(c->walk);
    sd_bus_message_unref(c->message);
    g_free(c);
    return NULL;
}

static int append_report(sd_bus_message *reply, const AuditReport *report) {
    g_autofree char *head = hex_of(report->head.chain);
    int r;
    if ((r = sd_bus_message_open_container(reply, 'a', "{sv}")) < 0 ||
        (r = bus_append_bool(reply, "Valid", report->failure == AUDIT_FAILURE_NONE)) < 0 ||
        (r = bus_append_string(reply, "Failure", audit_failure_name(report->failure))) < 0 ||
        (r = bus_append_u64(reply, "FailedSequence", report->failed_at)) < 0 ||
        (r = bus_append_u64(reply, "Entries", report->entries)) < 0 ||
        (r = bus_append_u64(reply, "ErasedEntries", report->erased)) < 0 ||
        (r = bus_append_u64(reply, "Consents", report->consents)) < 0 ||
        (r = bus_append_u64(reply, "Sequence", report->head.sequence)) < 0 ||
        (r = bus_append_string(reply, "Head", head)) < 0)
        return r;
    return sd_bus_message_close_container(reply);
}

static int on_slice(sd_event_source *source, void *userdata) {
    (void)source;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    AuditCall *c = userdata;
    if (!audit_verification_step(c->walk))
        return 0;
    if (sd_bus_message_new_method_return(c->message, &reply) >= 0 &&
        append_report(reply, audit_verification_report(c->walk)) >= 0)
        sd_bus_send(NULL, reply, NULL);
    c->manager->audit_call = audit_call_free(c);
    return 0;
}

/* One at a time, a slice in each idle turn of the loop: nobody else waits for it. */
static int verify_start(Manager *m, sd_bus_message *message, const AuditHead *noted, sd_bus_error *error) {
    journal_flush(m->journal);
    sqlite3 *db = journal_database(m->journal);
    if (!db)
        return fault_code_to_bus(EONAY_ERROR_STORAGE_FAILED, error);
    if (m->audit_call)
        return sd_bus_error_set(error, eonay_error_name(EONAY_ERROR_BUSY), _("The chain is being verified already."));
    AuditCall *c = g_new0(AuditCall, 1);
    *c = (AuditCall){.manager = m, .message = sd_bus_message_ref(message)};
    int r = audit_verification_new(db, noted, &c->walk) == SQLITE_OK ? 0 : EONAY_ERROR_STORAGE_FAILED;
    if (r == 0)
        r = sd_event_add_defer(m->event, &c->source, on_slice, c);
    if (r >= 0 && c->source)
        r = sd_event_source_set_priority(c->source, SD_EVENT_PRIORITY_IDLE);
    if (r >= 0 && c->source)
        r = sd_event_source_set_enabled(c->source, SD_EVENT_ON);
    if (r < 0 || !c->source) {
        audit_call_free(c);
        return r > 0 ? fault_code_to_bus(r, error) : r;
    }
    m->audit_call = c;
    return 1;
}

static int verify(Client *client, sd_bus_message *m, sd_bus_error *error) {
    AuditHead noted = {0};
    const char *head = NULL;
    const BusOption table[] = {{"sequence", "t", &noted.sequence}, {"head", "s", &head}, {NULL, NULL, NULL}};
    int r = bus_read_options(m, table, error);
    if (r < 0)
        return r;
    if ((head != NULL) != (noted.sequence != 0) || (head && !read_hex(head, noted.chain)))
        return bus_invalid_args(error, "head is 64 hexadecimal digits, and sequence tells whose");
    return verify_start(client->manager, m, head ? &noted : NULL, error);
}

/* ------------------------------------------------------------------------------------------------ GetHead, List -- */

static int get_head(Client *client, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    const Journal *j = client->manager->journal;
    int r = bus_read_no_options(m, error);
    if (r < 0)
        return r;
    journal_flush(client->manager->journal); /* what is not on disk has not happened */
    AuditHead head;
    if (!j->audit || audit_head(j->audit, &head) != SQLITE_OK)
        return fault_code_to_bus(EONAY_ERROR_STORAGE_FAILED, error);
    g_autofree char *hex = hex_of(head.chain);
    if ((r = sd_bus_message_new_method_return(m, &reply)) < 0 ||
        (r = sd_bus_message_open_container(reply, 'a', "{sv}")) < 0 ||
        (r = bus_append_u64(reply, "Sequence", head.sequence)) < 0 || (r = bus_append_string(reply, "Head", hex)) < 0 ||
        (r = bus_append_u64(reply, "At", (uint64_t)g_get_real_time())) < 0 ||
        (r = sd_bus_message_close_container(reply)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}

/* Sequence and chain tell how much others do: only those who may see others get them. */
static int append_entry(const JournalAuditEntry *e, bool all, sd_bus_message *reply) {
    int r;
    if ((r = sd_bus_message_open_container(reply, 'a', "{sv}")) < 0 || (r = bus_append_u64(reply, "At", e->at)) < 0 ||
        (r = bus_append_string(reply, "Kind", e->kind)) < 0 ||
        (r = bus_append_string(reply, "ConsentId", e->consent)) < 0 ||
        (r = bus_append_string(reply, "Facts", e->facts)) < 0)
        return r;
    if (all &&
        ((r = bus_append_u64(reply, "Sequence", e->sequence)) < 0 || (r = bus_append_u32(reply, "Uid", e->uid)) < 0 ||
         (r = bus_append_string(reply, "Chain", e->chain)) < 0))
        return r;
    return sd_bus_message_close_container(reply);
}

typedef struct AuditFilter {
    const char *id;
    uint32_t limit;
    bool all;
} AuditFilter;

static int read_filter(sd_bus_message *m, AuditFilter *f, sd_bus_error *error) {
    const BusOption table[] = {
        {"consent-id", "s", &f->id}, {"limit", "u", &f->limit}, {"all-users", "b", &f->all}, {NULL, NULL, NULL}};
    *f = (AuditFilter){.limit = ENTRIES_MAX};
    int r = sd_bus_message_rewind(m, true);
    if (r >= 0)
        r = bus_read_options(m, table, error);
    if (f->limit == 0 || f->limit > ENTRIES_MAX)
        f->limit = ENTRIES_MAX;
    return r;
}

static int list_allowed(Client *client, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify)journal_audit_entry_free);
    AuditFilter f;
    int r = read_filter(m, &f, error);
    if (r < 0)
        return r;
    r = journal_list_audit(client->manager->journal, f.id, f.all, client->user->uid, f.limit, entries);
    if (r != 0)
        return fault_code_to_bus(r, error);
    if ((r = sd_bus_message_new_method_return(m, &reply)) < 0 ||
        (r = sd_bus_message_open_container(reply, 'a', "a{sv}")) < 0)
        return r;
    for (guint i = 0; i < entries->len; i++)
        if ((r = append_entry(entries->pdata[i], f.all, reply)) < 0)
            return r;
    if ((r = sd_bus_message_close_container(reply)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}

static int list(Client *client, sd_bus_message *m, sd_bus_error *error) {
    AuditFilter f;
    int r = read_filter(m, &f, error);
    return r < 0 ? r : authorise_call(client, m, f.all ? AUTH_VIEW_OTHERS : AUTH_NONE, list_allowed, error);
}

/* ------------------------------------------------------------------------------------------------------- Erase -- */

static int erase_now(Client *client, sd_bus_message *m, bool anybodys, sd_bus_error *error) {
    const char *id;
    int r;
    if ((r = sd_bus_message_rewind(m, true)) < 0 || (r = sd_bus_message_read(m, "s", &id)) < 0)
        return r;
    r = journal_erase(client->manager->journal, id, anybodys, client->user->uid, anybodys ? "manager" : "owner");
    if (r == EONAY_ERROR_BUSY)
        return sd_bus_error_set(error, eonay_error_name(r), _("This consent has not come to its end."));
    return r != 0 ? fault_code_to_bus(r, error) : sd_bus_reply_method_return(m, NULL);
}

static int erase_anybodys(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return erase_now(client, m, true, error);
}

static int erase(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *id;
    bool all = false;
    const BusOption table[] = {{"all-users", "b", &all}, {NULL, NULL, NULL}};
    int r;
    if ((r = sd_bus_message_read(m, "s", &id)) < 0 || (r = bus_read_options(m, table, error)) < 0)
        return r;
    return all ? authorise_call(client, m, AUTH_MANAGE, erase_anybodys, error) : erase_now(client, m, false, error);
}

/* ------------------------------------------------------------------------------------------------------ the face -- */

#define METHOD(handler, action)                                                                                        \
    static int method_##handler(sd_bus_message *m, void *userdata, sd_bus_error *error) {                              \
        return client_gate(userdata, m, action, handler, error);                                                       \
    }

METHOD(verify, AUTH_MANAGE)
METHOD(get_head, AUTH_MANAGE)
METHOD(list, AUTH_NONE)
METHOD(erase, AUTH_NONE)

static const sd_bus_vtable audit_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Verify", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", report), method_verify,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetHead", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", head), method_get_head,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("aa{sv}", entries), method_list,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Erase", SD_BUS_ARGS("s", consent_id, "a{sv}", options), SD_BUS_NO_RESULT, method_erase,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int audit_export(Manager *m) {
    return sd_bus_add_object_vtable(m->bus, NULL, EONAY_PATH, EONAY_INTERFACE_AUDIT, audit_vtable, m);
}
