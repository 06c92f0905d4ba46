/* SPDX-License-Identifier: Apache-2.0 */
/* How a consent begins: the code is redeemed, its texts are checked for display, the record is written, then it is
 * there. */
#include <string.h>

#include "bus-util.h"
#include "consent-private.h"
#include "crash-point.h"
#include "host-protocol.h"
#include "names.h"
#include "raise.h"
#include "util.h"

struct ConsentOpening {
    Manager *manager;
    char *owner; /* unique name: the caller may leave while the authority works */
    User *user;
    Backend *backend;
    Consent *consent;
    ConsentOpened handler;
    void *userdata;
};

static void opening_settle(ConsentOpening *o, Consent *c, const Fault *fault) {
    o->handler(c, fault, o->userdata);
    if (o->user) {
        o->user->n_consents--;
        user_unref(o->manager, o->user);
    }
    consent_free(o->consent);
    g_free(o->owner);
    g_free(o);
}

static void opening_fail(ConsentOpening *o, int code) {
    Fault f = FAULT(code);
    opening_settle(o, NULL, &f);
}

static void on_recorded(int r, void *userdata) {
    ConsentOpening *o = userdata;
    if (r != 0) {
        opening_fail(o, r);
        return;
    }
    crash_point("open-recorded");
    Consent *c = TAKE_PTR(o->consent);
    Manager *m = o->manager;
    g_hash_table_replace(m->consents, c->path, c);
    c->owner = client_find(m, o->owner);
    c->user = TAKE_PTR(o->user); /* counted already */
    if (!c->owner) {             /* left meanwhile: nobody is there to sign for */
        consent_abandon(c);
        opening_fail(o, EONAY_ERROR_CANCELLED);
        return;
    }
    Fault none = FAULT_NONE;
    opening_settle(o, c, &none); /* may end the consent: it is not ours any more */
}

static void opening_record(ConsentOpening *o) {
    Consent *c = o->consent;
    g_autofree JournalText *texts = g_new0(JournalText, c->texts->len);
    g_autofree char *masked = consent_subject_masked(c);
    for (guint i = 0; i < c->texts->len; i++) {
        const Text *t = c->texts->pdata[i];
        texts[i] =
            (JournalText){.title = t->title, .media_type = t->media_type, .sha256 = t->sha256, .bytes = t->bytes};
    }
    JournalConsent record = {.id = c->id,
                             .uid = c->uid,
                             .backend = c->backend->instance->name,
                             .transaction = c->transaction,
                             .requester = c->requester,
                             .purpose = c->purpose,
                             .level = c->level,
                             .subject_masked = masked,
                             .created_at = c->created_at,
                             .expires_at = c->expires_at,
                             .opened_at = (uint64_t)g_get_real_time(),
                             .texts = texts,
                             .n_texts = c->texts->len};
    journal_opened(o->manager->journal, &record, on_recorded, o);
}

static int read_text(sd_bus_message *m, GPtrArray *texts) {
    const char *title, *media_type;
    const void *bytes;
    size_t size;
    int r = sd_bus_message_enter_container(m, 'r', "ssay");
    if (r <= 0)
        return r;
    if ((r = sd_bus_message_read(m, "ss", &title, &media_type)) < 0 ||
        (r = sd_bus_message_read_array(m, 'y', &bytes, &size)) < 0 || (r = sd_bus_message_exit_container(m)) < 0)
        return r;
    g_autoptr(GBytes) copy = g_bytes_new(bytes, size);
    g_ptr_array_add(texts, text_new(title, media_type, copy));
    return 1;
}

static int read_texts(sd_bus_message *m, GPtrArray *texts) {
    int r = sd_bus_message_enter_container(m, 'a', "(ssay)");
    while (r >= 0 && (r = read_text(m, texts)) > 0)
        ;
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The texts as they would be shown: titles too, since they are on the same screen. */
static bool texts_are_safe(const GPtrArray *texts) {
    for (guint i = 0; i < texts->len; i++) {
        const Text *t = texts->pdata[i];
        gsize size;
        const void *bytes = g_bytes_get_data(t->bytes, &size);
        if (!text_is_safe(bytes, size) || !text_is_safe(t->title, strlen(t->title)))
            return false;
    }
    return true;
}

static int read_redemption(Consent *c, sd_bus_message *reply) {
    const char *transaction = "", *requester = "", *purpose = "", *level = "", *subject = "";
    uint64_t now = 0;
    const BusOption table[] = {{"Transaction", "s", &transaction},
                               {"Requester", "s", &requester},
                               {"Purpose", "s", &purpose},
                               {"Level", "s", &level},
                               {"Subject", "s", &subject},
                               {"CreatedAt", "t", &c->created_at},
                               {"ExpiresAt", "t", &c->expires_at},
                               {"Now", "t", &now},
                               {NULL, NULL, NULL}};
    if (bus_read_dict(reply, table) < 0 || read_texts(reply, c->texts) < 0)
        return EONAY_ERROR_BACKEND_PROTOCOL;
    c->transaction = g_strdup(transaction);
    c->requester = g_strdup(requester);
    c->purpose = g_strdup(purpose);
    c->level = g_strdup(*level ? level : c->manager->config->default_level);
    c->subject = g_strdup(subject);
    if (!*transaction || c->texts->len == 0 || c->texts->len > EONAY_TEXTS_MAX ||
        !text_is_safe(requester, strlen(requester)))
        return EONAY_ERROR_BACKEND_PROTOCOL;
    CadesLevel wanted;
    if (!cades_level_find(c->level, &wanted))
        return EONAY_ERROR_UNSUPPORTED; /* never a weaker signature than was asked for */
    int r = raise_possible(c->manager, wanted);
    if (r != 0)
        return r;
    if (!texts_are_safe(c->texts))
        return EONAY_ERROR_TEXT_UNSAFE;
    if (c->expires_at <= now)
        return EONAY_ERROR_CODE_EXPIRED;
    return consent_watch_expiry(c, c->expires_at - now) < 0 ? EONAY_ERROR_PLUGIN_FAILED : 0;
}

static void on_redeemed(const Fault *fault, sd_bus_message *reply, void *userdata) {
    ConsentOpening *o = userdata;
    backend_answered(o->consent->backend, fault);
    if (fault->code != 0) {
        opening_settle(o, NULL, fault);
        return;
    }
    crash_point("redeemed");
    int r = read_redemption(o->consent, reply);
    if (r != 0) {
        if (o->consent->transaction && *o->consent->transaction)
            consent_tell_authority(o->consent);
        opening_fail(o, r);
    } else
        opening_record(o);
}

int consent_open(Client *owner, Backend *backend, const char *code, ConsentOpened handler, void *userdata) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    Manager *manager = owner->manager;
    int r = backend_begin(backend, HOST_METHOD_REDEEM, &m);
    if (r != 0)
        return r;
    if ((r = sd_bus_message_sensitive(m)) < 0 || (r = sd_bus_message_append(m, HOST_REDEEM_IN, code)) < 0)
        return r;
    ConsentOpening *o = g_new0(ConsentOpening, 1);
    *o = (ConsentOpening){.manager = manager, .backend = backend, .handler = handler, .userdata = userdata};
    if ((r = backend_call(backend, m, on_redeemed, o, NULL)) < 0) {
        g_free(o);
        return r;
    }
    crash_point("redeem-sent");
    o->owner = g_strdup(owner->name);
    o->user = user_ref(owner->user);
    o->user->n_consents++;
    o->consent = consent_new(manager, NULL);
    o->consent->backend = backend;
    o->consent->uid = owner->user->uid;
    return 0;
}
