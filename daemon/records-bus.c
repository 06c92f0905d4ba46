/* SPDX-License-Identifier: Apache-2.0 */
/* What is on record: the caller's consents and their evidence, and approvals the authority holds. */
#include <errno.h>
#include <string.h>

#include "authorise.h"
#include "backend.h"
#include "bus-util.h"
#include "consent.h"
#include "fault.h"
#include "host-protocol.h"
#include "manager-bus.h"
#include "tckn.h"
#include "token.h"
#include "util.h"

#define RECORDS_MAX 1000u /* in one answer */

/* ------------------------------------------------------------------------------------------------ ListConsents -- */

static int append_record(Manager *m, const JournalRecord *r, sd_bus_message *reply) {
    g_auto(GStrv) hashes = journal_text_hashes(m->journal, r->id);
    const struct {
        const char *key, *value;
    } strings[] = {{"ConsentId", r->id},
                   {"State", r->state},
                   {"Error", r->error},
                   {"Backend", r->backend},
                   {"Requester", r->requester},
                   {"Purpose", r->purpose},
                   {"Level", r->level},
                   {"SubjectMasked", r->subject_masked},
                   {"CertificateFingerprint", r->fingerprint},
                   {"ReceiptId", r->receipt_id},
                   {"ConfirmedBy", r->confirmed_by}};
    const struct {
        const char *key;
        uint64_t value;
    } times[] = {{"CreatedAt", r->created_at},     {"ExpiresAt", r->expires_at}, {"OpenedAt", r->opened_at},
                 {"ConfirmedAt", r->confirmed_at}, {"SignedAt", r->signed_at},   {"SubmittedAt", r->submitted_at}};
    int x = sd_bus_message_open_container(reply, 'a', "{sv}");
    for (size_t i = 0; x >= 0 && i < G_N_ELEMENTS(strings); i++)
        x = bus_append_string(reply, strings[i].key, strings[i].value);
    for (size_t i = 0; x >= 0 && i < G_N_ELEMENTS(times); i++)
        x = bus_append_u64(reply, times[i].key, times[i].value);
    if (x < 0 || (x = bus_append_u32(reply, "Uid", r->uid)) < 0 ||
        (x = bus_append_strv(reply, "TextSha256", hashes)) < 0)
        return x;
    return sd_bus_message_close_container(reply);
}

static int reply_records(Manager *m, const JournalQuery *query, sd_bus_message *message, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
    int r = journal_list(m->journal, query, records);
    if (r != 0)
        return fault_code_to_bus(r, error);
    if ((r = sd_bus_message_new_method_return(message, &reply)) < 0 ||
        (r = sd_bus_message_open_container(reply, 'a', "a{sv}")) < 0)
        return r;
    for (guint i = 0; i < records->len; i++)
        if ((r = append_record(m, records->pdata[i], reply)) < 0)
            return r;
    if ((r = sd_bus_message_close_container(reply)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}

typedef struct ListFilter {
    const char *state, *id;
    uint32_t limit, uid;
    bool all;
} ListFilter;

static int read_list_filter(sd_bus_message *m, const Client *client, ListFilter *f, sd_bus_error *error) {
    const BusOption table[] = {{"state", "s", &f->state}, {"consent-id", "s", &f->id}, {"limit", "u", &f->limit},
                               {"uid", "u", &f->uid},     {"all-users", "b", &f->all}, {NULL, NULL, NULL}};
    *f = (ListFilter){.limit = RECORDS_MAX, .uid = client->user->uid};
    int r = bus_read_options(m, table, error);
    if (r >= 0 && (f->limit == 0 || f->limit > RECORDS_MAX))
        f->limit = RECORDS_MAX;
    return r;
}

static int list_allowed(Client *client, sd_bus_message *m, sd_bus_error *error) {
    ListFilter f;
    int r = sd_bus_message_rewind(m, true);
    if (r < 0 || (r = read_list_filter(m, client, &f, error)) < 0)
        return r;
    const JournalQuery query = {.any_uid = f.all, .uid = f.uid, .id = f.id, .state = f.state, .limit = f.limit};
    return reply_records(client->manager, &query, m, error);
}

int manager_list_consents(Client *client, sd_bus_message *m, sd_bus_error *error) {
    ListFilter f;
    int r = read_list_filter(m, client, &f, error);
    if (r < 0)
        return r;
    bool others = f.all || f.uid != client->user->uid;
    return authorise_call(client, m, others ? AUTH_VIEW_OTHERS : AUTH_NONE, list_allowed, error);
}

/* ---------------------------------------------------------------------------------------------- ExportEvidence -- */

static int reply_evidence(Client *client, sd_bus_message *m, bool any_uid, sd_bus_error *error) {
    const char *id;
    g_autoptr(GBytes) evidence = NULL;
    int r;
    if ((r = sd_bus_message_rewind(m, true)) < 0 || (r = sd_bus_message_read(m, "s", &id)) < 0)
        return r;
    r = journal_export(client->manager->journal, id, any_uid, client->user->uid, &evidence);
    if (r == EONAY_ERROR_NOT_FOUND)
        r = journal_export_imported(client->manager->journal, id, any_uid, client->user->uid, &evidence);
    if (r != 0)
        return fault_code_to_bus(r, error);
    if (any_uid)
        journal_viewed(client->manager->journal, id, client->user->uid);
    _cleanup_close_ int fd = memfd_write("eonay-evidence", evidence);
    return fd < 0 ? fd : sd_bus_reply_method_return(m, "h", fd);
}

static int export_others(Client *client, sd_bus_message *m, sd_bus_error *error) {
    return reply_evidence(client, m, true, error);
}

int manager_export_evidence(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *id;
    bool others = false;
    const BusOption table[] = {{"all-users", "b", &others}, {NULL, NULL, NULL}};
    int r;
    if ((r = sd_bus_message_read(m, "s", &id)) < 0 || (r = bus_read_options(m, table, error)) < 0)
        return r;
    if (others)
        return authorise_call(client, m, AUTH_VIEW_OTHERS, export_others, error);
    return reply_evidence(client, m, false, error);
}

/* ------------------------------------------------------------------------------------------------- GetApproval -- */

typedef struct ApprovalAnswer {
    bool approved;
    const char *receipt_id, *text_version;
    uint64_t approved_at;
} ApprovalAnswer;

static int reply_approval(sd_bus_message *call, const ApprovalAnswer *a) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r;
    if ((r = sd_bus_message_new_method_return(call, &reply)) < 0 ||
        (r = sd_bus_message_open_container(reply, 'a', "{sv}")) < 0 ||
        (r = bus_append_bool(reply, "Approved", a->approved)) < 0)
        return r;
    if (a->approved && ((r = bus_append_string(reply, "ReceiptId", a->receipt_id)) < 0 ||
                        (r = bus_append_string(reply, "TextVersion", a->text_version)) < 0 ||
                        (r = bus_append_u64(reply, "ApprovedAt", a->approved_at)) < 0))
        return r;
    if ((r = sd_bus_message_close_container(reply)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}

typedef struct ApprovalCall {
    Manager *manager;
    User *user; /* counted */
    sd_bus_message *message;
} ApprovalCall;

static void approval_call_free(ApprovalCall *call) {
    user_call_end(call->manager, call->user);
    sd_bus_message_unref(call->message);
    g_free(call);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApprovalCall, approval_call_free)

static void on_approval(const Fault *fault, sd_bus_message *reply, void *userdata) {
    g_autoptr(ApprovalCall) call = userdata;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    ApprovalAnswer a = {.receipt_id = "", .text_version = ""};
    const BusOption table[] = {{"Approved", "b", &a.approved},
                               {"ReceiptId", "s", &a.receipt_id},
                               {"TextVersion", "s", &a.text_version},
                               {"ApprovedAt", "t", &a.approved_at},
                               {NULL, NULL, NULL}};
    if (fault->code != 0)
        fault_to_bus(fault, &error);
    else if (bus_read_dict(reply, table) < 0)
        fault_code_to_bus(EONAY_ERROR_BACKEND_PROTOCOL, &error);
    else {
        reply_approval(call->message, &a);
        return;
    }
    sd_bus_reply_method_error(call->message, &error);
}

/* A card that several users can see belongs to whoever has signed with it; one nobody has signed with, to whoever asks.
 */
static bool is_own_certificate(const Client *client, const Certificate *c) {
    return token_visible(c->token, client->user) &&
           !journal_is_others(client->manager->journal, client->user->uid, c->profile->fingerprint);
}

/* Without a subject: the one person whose usable certificate is there. */
static const char *subject_of_caller(Client *client) {
    const char *found = NULL;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, client->manager->certificates);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Certificate *c = value;
        if (!is_own_certificate(client, c) || certificate_reasons(c, NULL) != 0)
            continue;
        if (found && strcmp(found, c->profile->national_id) != 0)
            return NULL;
        found = c->profile->national_id;
    }
    return found;
}

static int start_approval(Client *client, Backend *b, const char *subject, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    int r = backend_begin(b, HOST_METHOD_APPROVAL, &call);
    if (r != 0)
        return r > 0 ? fault_code_to_bus(r, error) : r;
    if ((r = sd_bus_message_append(call, HOST_APPROVAL_IN, subject)) < 0)
        return r;
    ApprovalCall *waiting = g_new0(ApprovalCall, 1);
    *waiting = (ApprovalCall){.manager = client->manager, .message = sd_bus_message_ref(m)};
    if ((r = user_call_begin(client, &waiting->user, error)) < 0 ||
        (r = backend_call(b, call, on_approval, waiting, NULL)) < 0)
        approval_call_free(waiting);
    return r < 0 ? r : 1;
}

static int read_approval(sd_bus_message *m, const char **name, const char **subject, sd_bus_error *error) {
    const BusOption table[] = {{"subject", "s", subject}, {NULL, NULL, NULL}};
    *subject = NULL;
    int r = sd_bus_message_rewind(m, true);
    if (r < 0 || (r = sd_bus_message_read(m, "s", name)) < 0)
        return r;
    return bus_read_options(m, table, error);
}

static int approval_allowed(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *name, *subject;
    int r = read_approval(m, &name, &subject, error);
    if (r < 0)
        return r;
    Backend *b = backend_find(client->manager, name);
    if (!b)
        return fault_code_to_bus(EONAY_ERROR_BACKEND_UNKNOWN, error);
    if (!subject)
        subject = subject_of_caller(client);
    if (!subject)
        return fault_code_to_bus(EONAY_ERROR_NO_CERTIFICATE, error);
    return start_approval(client, b, subject, m, error);
}

static bool is_on_a_token(const Client *client, const char *subject) {
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, client->manager->certificates);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Certificate *c = value;
        if (strcmp(c->profile->national_id, subject) == 0 && is_own_certificate(client, c))
            return true;
    }
    return false;
}

static bool is_of_own_consent(const Client *client, const char *subject) {
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, client->manager->consents);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Consent *c = value;
        if (c->owner == client && strcmp(c->subject, subject) == 0)
            return true;
    }
    return false;
}

/* Whoever could name any identity number could ask for everybody's approval. So: the person of one's own open consent,
 * the person of a certificate one may list, and anybody else's with view-others only. */
int manager_get_approval(Client *client, sd_bus_message *m, sd_bus_error *error) {
    const char *name, *subject;
    int r = read_approval(m, &name, &subject, error);
    if (r < 0)
        return r;
    if (!backend_find(client->manager, name))
        return fault_code_to_bus(EONAY_ERROR_BACKEND_UNKNOWN, error);
    if (subject && !tckn_valid(subject))
        return fault_code_to_bus(EONAY_ERROR_SUBJECT_INVALID, error);
    AuthAction action = AUTH_VIEW_OTHERS;
    if (!subject || is_on_a_token(client, subject))
        action = AUTH_LIST_CERTIFICATES;
    else if (is_of_own_consent(client, subject))
        action = AUTH_NONE;
    return authorise_call(client, m, action, approval_allowed, error);
}
