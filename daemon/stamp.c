/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "eonay/plugin.h"
#include "log.h"
#include "messages.h"
#include "revocation.h"
#include "trust.h"
#include "util.h"

#define TOKEN_SIZE_MAX (128u * 1024)
#define STILL_THERE    (60u * USEC_PER_SEC) /* who stamped so lately need not be asked whether it would */

struct Stamp {
    Manager *manager;
    uint8_t hash[32];
    uint8_t nonce[TIMESTAMP_NONCE_SIZE];
    guint next; /* authority */
    bool probe; /* nothing is stamped */
    FetchCall *call;
    GString *why; /* each authority and what was wrong */
    StampHandler handler;
    void *userdata;
};

static void stamp_ask(Stamp *s);

static void stamp_free(Stamp *s) {
    fetch_forget(s->call);
    g_string_free(s->why, TRUE);
    g_free(s);
}

Stamp *stamp_cancel(Stamp *s) {
    if (s)
        stamp_free(s);
    return NULL;
}

static void stamp_end(Stamp *s, const Fault *fault, GBytes *token, const Timestamp *stamp) {
    StampHandler handler = s->handler;
    void *userdata = s->userdata;
    Fault f = fault_copy(fault);
    stamp_free(s);
    handler(&f, token, stamp, userdata);
    fault_clear(&f);
}

static const InstanceConfig *authority(const Stamp *s) {
    return s->manager->config->timestamps->pdata[s->next];
}

/* On to the next one. */
static void stamp_refused(Stamp *s, const char *why) {
    const char *name = authority(s)->name;
    log_event(LOG_WARNING, MESSAGE_FETCH_FAILED, NULL, "time-stamp authority %s: %s", name, why);
    g_string_append_printf(s->why, "%s%s: %s", s->why->len > 0 ? "; " : "", name, why);
    s->next++;
    stamp_ask(s);
}

static const char *answer_check(Stamp *s, const CadesBlob *response, CadesBlob *ret_token, Timestamp *ret) {
    CadesExpectation trust = {0};
    int64_t now = g_get_real_time() / (int64_t)USEC_PER_SEC;
    if (!trust_get(s->manager->trust, &trust))
        return "there is no trust anchor";
    const char *why = timestamp_response_open(response, ret_token);
    if (why)
        return why;
    TimestampExpectation e = {.imprint = s->hash,
                              .imprint_size = sizeof(s->hash),
                              .nonce = s->nonce,
                              .policy = g_hash_table_lookup(authority(s)->keys, "Policy"),
                              .anchors = trust.anchors,
                              .n_anchors = trust.n_anchors,
                              .intermediates = trust.intermediates,
                              .n_intermediates = trust.n_intermediates,
                              .from = now - REVOCATION_SKEW,
                              .until = now + REVOCATION_SKEW};
    return timestamp_verify(ret_token, &e, ret);
}

static void on_response(const Fault *fault, const void *body, size_t size, void *userdata) {
    Stamp *s = userdata;
    CadesBlob response = {body, size}, token;
    Timestamp stamp;
    s->call = NULL;
    if (fault->code != 0) {
        stamp_refused(s, fault->text ? fault->text : "it does not answer");
        return;
    }
    const char *why = answer_check(s, &response, &token, &stamp);
    if (why) {
        stamp_refused(s, why);
        return;
    }
    s->manager->stamped_at = (uint64_t)g_get_monotonic_time();
    g_autoptr(GBytes) bytes = g_bytes_new(token.bytes, token.size);
    stamp_end(s, &FAULT_NONE, bytes, &stamp);
}

/* Whatever it says, it is there. */
static void on_probe(const Fault *fault, const void *body, size_t size, void *userdata) {
    (void)body;
    (void)size;
    Stamp *s = userdata;
    s->call = NULL;
    if (fault->code == 0 || fault->code == EONAY_ERROR_BACKEND_PROTOCOL)
        stamp_end(s, &FAULT_NONE, NULL, NULL);
    else
        stamp_refused(s, fault->text ? fault->text : "it does not answer");
}

static int probe_send(Stamp *s) {
    FetchRequest q = {
        .url = g_hash_table_lookup(authority(s)->keys, "Url"), .size_max = TOKEN_SIZE_MAX, .configured = true};
    return q.url ? fetch_start(s->manager->fetcher, &q, on_probe, s, &s->call) : EONAY_ERROR_PLUGIN_FAILED;
}

static int stamp_send(Stamp *s) {
    const InstanceConfig *a = authority(s);
    const char *url = g_hash_table_lookup(a->keys, "Url"), *policy = g_hash_table_lookup(a->keys, "Policy");
    uint8_t *request = NULL;
    size_t size = 0;
    if (!url || RAND_bytes(s->nonce, sizeof(s->nonce)) != 1 ||
        timestamp_request(s->hash, sizeof(s->hash), s->nonce, policy, &request, &size) < 0)
        return EONAY_ERROR_PLUGIN_FAILED;
    FetchRequest q = {.url = url,
                      .content_type = "application/timestamp-query",
                      .body = request,
                      .body_size = size,
                      .size_max = TOKEN_SIZE_MAX,
                      .identity = g_hash_table_lookup(a->keys, "Identity"),
                      .imprint = s->hash,
                      .imprint_size = sizeof(s->hash),
                      .configured = true};
    int r = fetch_start(s->manager->fetcher, &q, on_response, s, &s->call);
    free(request);
    return r;
}

static void stamp_ask(Stamp *s) {
    if (s->next < s->manager->config->timestamps->len) {
        if ((s->probe ? probe_send(s) : stamp_send(s)) != 0)
            stamp_refused(s, "it cannot be asked: see Url= and Policy=");
        return;
    }
    s->manager->stamped_at = 0;
    Fault f = fault_printf(s->probe ? EONAY_ERROR_LEVEL_UNREACHABLE : EONAY_ERROR_TIMESTAMP_FAILED, "%s", s->why->str);
    stamp_end(s, &f, NULL, NULL);
    fault_clear(&f);
}

static int stamp_begin(Manager *m, const uint8_t *hash, StampHandler handler, void *userdata, Stamp **ret) {
    CadesExpectation trust = {0};
    if (m->config->timestamps->len == 0 || !trust_get(m->trust, &trust))
        return EONAY_ERROR_LEVEL_UNREACHABLE;
    Stamp *s = g_new0(Stamp, 1);
    s->manager = m;
    s->why = g_string_new(NULL);
    s->handler = handler;
    s->userdata = userdata;
    s->probe = !hash;
    if (hash)
        memcpy(s->hash, hash, sizeof(s->hash));
    *ret = s;
    stamp_ask(s);
    return 0;
}

int stamp_start(Manager *m, const uint8_t hash[32], StampHandler handler, void *userdata, Stamp **ret) {
    return stamp_begin(m, hash, handler, userdata, ret);
}

int stamp_probe(Manager *m, StampHandler handler, void *userdata, Stamp **ret) {
    if (m->stamped_at != 0 && (uint64_t)g_get_monotonic_time() - m->stamped_at < STILL_THERE) {
        handler(&FAULT_NONE, NULL, NULL, userdata);
        return 0;
    }
    return stamp_begin(m, NULL, handler, userdata, ret);
}
