/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step by step, never two things at once: first the path, then for each certificate of it OCSP and CRL in the order
 * that the level wants, from the cache or from where the certificate says. An answer that is too old is asked for again
 * until the deadline: a list issued after the signature comes when it comes. An OCSP responder that may itself be
 * revoked is a certificate like others, looked at by a collection of its own.
 */
#include "material.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certificate-locations.h"
#include "certificate-profile.h"
#include "crl.h"
#include "digest.h"
#include "eonay/plugin.h"
#include "log.h"
#include "material-memo.h"
#include "messages.h"
#include "ocsp.h"
#include "revocation-cache.h"
#include "trust.h"
#include "util.h"

#define CHASES_MAX        4u
#define OCSP_ANSWER_MAX   (256u * 1024)
#define ISSUER_ANSWER_MAX (64u * 1024)
#define TOO_OLD           "the answer is older than asked for"
#define AGAIN_AFTER       (1u * USEC_PER_SEC)

typedef enum Source { SOURCE_OCSP, SOURCE_CRL, N_SOURCES } Source;

struct Collection {
    Manager *manager;
    MaterialWish wish;
    GBytes *contained;
    Material material;
    GPtrArray *chased; /* GBytes*: issuers fetched */
    size_t at;         /* the step looked at */
    Source sources[N_SOURCES];
    unsigned n_sources, source; /* of that step */
    char locations[LOCATIONS_MAX][LOCATION_SIZE_MAX];
    size_t n_locations, location;
    uint8_t nonce[OCSP_NONCE_SIZE];
    bool too_old; /* at this step: worth another try */
    GString *why;
    FetchCall *call;
    Collection *responder; /* whether the one that gave `answer` stands */
    GBytes *answer;
    RevocationAnswer told;
    sd_event_source *later;
    MaterialHandler handler;
    void *userdata;
};

static void collection_path(Collection *c);
static void collection_step(Collection *c);
static void collection_location(Collection *c);
static void location_failed(Collection *c, const char *why);

static void collection_free(Collection *c) {
    fetch_forget(c->call);
    collection_cancel(c->responder);
    g_bytes_unref(c->answer);
    sd_event_source_disable_unref(c->later);
    material_clear(&c->material);
    g_ptr_array_unref(c->chased);
    g_bytes_unref(c->wish.certificate);
    g_bytes_unref(c->contained);
    g_string_free(c->why, TRUE);
    g_free(c);
}

Collection *collection_cancel(Collection *c) {
    if (c)
        collection_free(c);
    return NULL;
}

static int64_t now_seconds(void) {
    return g_get_real_time() / (int64_t)USEC_PER_SEC;
}

static void collection_end(Collection *c, int code) {
    MaterialHandler handler = c->handler;
    void *userdata = c->userdata;
    Fault f = code == 0 ? FAULT_NONE : fault_printf(code, "%s", c->why->str);
    Material *material = code == 0 ? material_copy(&c->material) : NULL;
    if (code == 0)
        material_memo_keep(c->manager, &c->wish, &c->material);
    collection_free(c);
    handler(&f, material, userdata);
    material_free(material);
    fault_clear(&f);
}

static uint64_t boot_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

static CadesBlob blob_of(GBytes *b) {
    gsize size;
    const uint8_t *bytes = g_bytes_get_data(b, &size);
    return (CadesBlob){bytes, size};
}

static void note(Collection *c, const char *where, const char *why) {
    g_string_append_printf(c->why, "%s%s: %s", c->why->len > 0 ? "; " : "", where, why);
}

/* ------------------------------------------------------------------------------------------------------- path -- */

/* The trust anchors, and everything at hand that is not trusted. *ret_list is to be freed. */
static bool expectation_fill(Collection *c, CadesExpectation *ret, CadesBlob **ret_list) {
    CadesExpectation e = {.at = now_seconds()};
    if (!trust_get(c->manager->trust, &e))
        return false;
    CadesBlob *list = g_new0(CadesBlob, e.n_intermediates + c->chased->len);
    size_t n = 0;
    for (size_t i = 0; i < e.n_intermediates; i++)
        list[n++] = e.intermediates[i];
    for (guint i = 0; i < c->chased->len; i++)
        list[n++] = blob_of(c->chased->pdata[i]);
    e.intermediates = list;
    e.n_intermediates = n;
    *ret = e;
    *ret_list = list;
    return true;
}

/* The last certificate that can be reached from ours: the one whose issuer is wanted. */
static CadesBlob last_reached(Collection *c, const CadesExpectation *e) {
    CadesBlob last = blob_of(c->wish.certificate);
    for (size_t depth = 0; depth < CADES_PATH_MAX; depth++) {
        size_t i = 0;
        while (i < e->n_intermediates && !cades_is_issuer(&e->intermediates[i], &last))
            i++;
        if (i == e->n_intermediates)
            break;
        last = e->intermediates[i];
    }
    return last;
}

static void on_issuer(const Fault *fault, const void *body, size_t size, void *userdata) {
    Collection *c = userdata;
    c->call = NULL;
    if (fault->code == 0) {
        g_ptr_array_add(c->chased, g_bytes_new(body, size));
    } else {
        log_event(LOG_WARNING, MESSAGE_FETCH_FAILED, NULL, "an issuer's certificate was not to be had: %s",
                  fault->text ? fault->text : "no answer");
        g_ptr_array_add(c->chased, g_bytes_new_static("", 0)); /* counts as a try */
    }
    collection_path(c);
}

/* False: there is no address, or enough were tried. */
static bool chase(Collection *c, const CadesExpectation *e) {
    CadesBlob last = last_reached(c, e);
    size_t n = certificate_locations(&last, LOCATION_ISSUERS, c->locations);
    if (n == 0 || c->chased->len >= CHASES_MAX)
        return false;
    FetchRequest q = {.url = c->locations[c->chased->len % n], .size_max = ISSUER_ANSWER_MAX};
    return fetch_start(c->manager->fetcher, &q, on_issuer, c, &c->call) == 0;
}

static void path_take(Collection *c, CadesPath *path) {
    for (size_t i = 0; i < path->n; i++)
        c->material.step[i].certificate = g_bytes_new(path->certificate[i].bytes, path->certificate[i].size);
    c->material.n = path->n;
    cades_path_clear(path);
}

static void collection_path(Collection *c) {
    CadesExpectation e;
    g_autofree CadesBlob *list = NULL;
    CadesPath path;
    CadesBlob certificate = blob_of(c->wish.certificate), contained = blob_of(c->contained);
    if (!expectation_fill(c, &e, &list)) {
        collection_end(c, EONAY_ERROR_LEVEL_UNREACHABLE);
        return;
    }
    const char *why = cades_path_build(&certificate, &contained, &e, c->wish.time_stamping, &path);
    if (!why) {
        path_take(c, &path);
        collection_step(c);
    } else if (!chase(c, &e)) {
        note(c, "path", why);
        collection_end(c, EONAY_ERROR_CERTIFICATE_NOT_SUITABLE);
    }
}

/* ------------------------------------------------------------------------------------------------- revocation -- */

static MaterialStep *step_now(Collection *c) {
    return &c->material.step[c->at];
}

/* What the step's certificate is verified with. */
static RevocationExpectation step_expectation(const Collection *c) {
    return (RevocationExpectation){.at = now_seconds(), .not_before = c->at == 0 ? c->wish.not_before : 0};
}

static char *cache_key(Collection *c, Source source) {
    CadesBlob certificate = blob_of(step_now(c)->certificate);
    g_autofree char *fingerprint = digest_hex_of(certificate.bytes, certificate.size);
    return source == SOURCE_OCSP ? g_strconcat("ocsp ", fingerprint, NULL)
                                 : g_strconcat("crl ", c->locations[c->location], NULL);
}

static const char *judge(Collection *c, Source source, GBytes *answer, const RevocationExpectation *e,
                         RevocationAnswer *ret) {
    CadesBlob bytes = blob_of(answer), subject = blob_of(step_now(c)->certificate),
              issuer = blob_of(c->material.step[c->at + 1].certificate);
    return source == SOURCE_OCSP ? ocsp_verify(&bytes, &subject, &issuer, e, ret)
                                 : crl_verify(&bytes, &subject, &issuer, e, ret);
}

static void step_told(Collection *c, Source source, GBytes *answer, const RevocationAnswer *told) {
    MaterialStep *s = step_now(c);
    CadesBlob certificate = blob_of(s->certificate);
    g_autofree char *fingerprint = digest_hex_of(certificate.bytes, certificate.size);
    g_autofree char *key = cache_key(c, source);
    s->answer = *told;
    *(source == SOURCE_OCSP ? &s->ocsp : &s->crl) = g_bytes_ref(answer);
    if (told->status != REVOCATION_SUSPENDED)
        revocation_cache_put(c->manager->revocations, key, answer, told->next_update);
    revocation_cache_tell(c->manager->revocations, fingerprint, told);
    if (told->status == REVOCATION_GOOD) {
        c->at++;
        collection_step(c);
        return;
    }
    note(c, c->at == 0 ? "certificate" : "issuer", told->status == REVOCATION_SUSPENDED ? "suspended" : "revoked");
    collection_end(c, told->status == REVOCATION_SUSPENDED ? EONAY_ERROR_CERTIFICATE_SUSPENDED
                                                           : EONAY_ERROR_CERTIFICATE_REVOKED);
}

static void on_responder(const Fault *fault, const Material *material, void *userdata) {
    Collection *c = userdata;
    MaterialStep *s = step_now(c);
    g_autoptr(GBytes) answer = g_steal_pointer(&c->answer);
    c->responder = NULL;
    if (fault->code != 0) {
        bool revoked =
            fault->code == EONAY_ERROR_CERTIFICATE_REVOKED || fault->code == EONAY_ERROR_CERTIFICATE_SUSPENDED;
        location_failed(c, revoked ? "the responder's certificate was revoked"
                                   : "whether the responder's certificate was revoked is not known");
        return;
    }
    if (!s->crl)
        s->crl = material->step[0].crl ? g_bytes_ref(material->step[0].crl)
                                       : NULL; /* goes with the answer, for whoever verifies it later */
    step_told(c, SOURCE_OCSP, answer, &c->told);
}

static bool responder_ask(Collection *c, GBytes *answer) {
    CadesBlob bytes = blob_of(answer), issuer = blob_of(c->material.step[c->at + 1].certificate);
    uint8_t *der = NULL;
    size_t size = 0;
    if (ocsp_responder(&bytes, &issuer, &der, &size) != 0)
        return false;
    g_autoptr(GBytes) certificate = g_bytes_new_with_free_func(der, size, free, der);
    const MaterialWish wish = {.certificate = certificate,
                               .contained = issuer,
                               .revocation = CADES_REVOCATION_CRL,
                               .deadline = c->wish.deadline};
    return material_collect(c->manager, &wish, on_responder, c, &c->responder) == 0;
}

/* An answer that is right, and whose giver has to stand too. */
static void step_accept(Collection *c, Source source, GBytes *answer, const RevocationAnswer *told) {
    if (source != SOURCE_OCSP || !told->delegate_revocable) {
        step_told(c, source, answer, told);
        return;
    }
    c->answer = g_bytes_ref(answer);
    c->told = *told;
    if (responder_ask(c, answer))
        return;
    g_clear_pointer(&c->answer, g_bytes_unref);
    location_failed(c, "whether the responder's certificate was revoked is not known");
}

/* Whether the cache has it. */
static bool step_from_cache(Collection *c, Source source) {
    RevocationAnswer told;
    RevocationExpectation e = step_expectation(c);
    g_autofree char *key = cache_key(c, source);
    g_autoptr(GBytes) answer = revocation_cache_get(c->manager->revocations, key, e.at);
    if (!answer || judge(c, source, answer, &e, &told))
        return false;
    step_accept(c, source, answer, &told);
    return true;
}

static void location_failed(Collection *c, const char *why) {
    const char *where = c->locations[c->location];
    c->too_old |= strcmp(why, TOO_OLD) == 0;
    if (!c->too_old)
        log_event(LOG_WARNING, MESSAGE_FETCH_FAILED, NULL, "%s: %s", where, why);
    note(c, where, why);
    c->location++;
    collection_location(c);
}

static void on_revocation(const Fault *fault, const void *body, size_t size, void *userdata) {
    Collection *c = userdata;
    Source source = c->sources[c->source];
    RevocationAnswer told;
    RevocationExpectation e = step_expectation(c);
    c->call = NULL;
    if (fault->code != 0) {
        location_failed(c, fault->text ? fault->text : "it does not answer");
        return;
    }
    if (source == SOURCE_OCSP) {
        e.nonce = c->nonce;
        e.nonce_size = sizeof(c->nonce);
    }
    g_autoptr(GBytes) answer = g_bytes_new(body, size);
    const char *why = judge(c, source, answer, &e, &told);
    if (why)
        location_failed(c, why);
    else
        step_accept(c, source, answer, &told);
}

static int ask_ocsp(Collection *c) {
    CadesBlob subject = blob_of(step_now(c)->certificate), issuer = blob_of(c->material.step[c->at + 1].certificate);
    uint8_t *request = NULL;
    size_t size = 0;
    if (RAND_bytes(c->nonce, sizeof(c->nonce)) != 1 ||
        ocsp_request(&subject, &issuer, c->nonce, sizeof(c->nonce), &request, &size) < 0)
        return EONAY_ERROR_PLUGIN_FAILED;
    FetchRequest q = {.url = c->locations[c->location],
                      .content_type = "application/ocsp-request",
                      .body = request,
                      .body_size = size,
                      .size_max = OCSP_ANSWER_MAX};
    int r = fetch_start(c->manager->fetcher, &q, on_revocation, c, &c->call);
    free(request);
    return r;
}

static int ask_list(Collection *c) {
    FetchRequest q = {.url = c->locations[c->location], .size_max = CRL_SIZE_MAX};
    return fetch_start(c->manager->fetcher, &q, on_revocation, c, &c->call);
}

static int on_later(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    Collection *c = userdata;
    c->later = sd_event_source_disable_unref(c->later);
    g_string_truncate(c->why, 0);
    collection_step(c);
    return 0;
}

/* Nothing told about this step. */
static void step_unknown(Collection *c) {
    bool again = c->too_old && boot_time() + AGAIN_AFTER < c->wish.deadline;
    if (again &&
        sd_event_add_time_relative(c->manager->event, &c->later, CLOCK_BOOTTIME, AGAIN_AFTER, 0, on_later, c) >= 0)
        return;
    if (c->why->len == 0)
        note(c, c->at == 0 ? "certificate" : "issuer", "it names nobody who tells");
    collection_end(c, EONAY_ERROR_REVOCATION_UNKNOWN);
}

static void collection_source(Collection *c) {
    if (c->source == c->n_sources) {
        step_unknown(c);
        return;
    }
    CadesBlob certificate = blob_of(step_now(c)->certificate);
    CertificateLocation kind = c->sources[c->source] == SOURCE_OCSP ? LOCATION_OCSP : LOCATION_CRL;
    c->n_locations = certificate_locations(&certificate, kind, c->locations);
    c->location = 0;
    collection_location(c);
}

static void collection_location(Collection *c) {
    if (c->location == c->n_locations) {
        c->source++;
        collection_source(c);
        return;
    }
    Source source = c->sources[c->source];
    if (step_from_cache(c, source))
        return;
    int r = source == SOURCE_OCSP ? ask_ocsp(c) : ask_list(c);
    if (r != 0)
        location_failed(c, "it cannot be asked");
}

/* The certificate itself as the level wants it; its issuers as they offer it, the same way first. */
static void sources_set(Collection *c) {
    CadesRevocation wanted = c->wish.revocation;
    c->sources[0] = wanted == CADES_REVOCATION_CRL ? SOURCE_CRL : SOURCE_OCSP;
    c->sources[1] = wanted == CADES_REVOCATION_CRL ? SOURCE_OCSP : SOURCE_CRL;
    c->n_sources = c->at == 0 && wanted != CADES_REVOCATION_ANY ? 1 : 2;
    c->source = 0;
}

static void collection_step(Collection *c) {
    if (c->at + 1 >= c->material.n) {
        collection_end(c, 0); /* the anchor is trusted as it is */
        return;
    }
    c->too_old = false;
    sources_set(c);
    collection_source(c);
}

static int on_begin(sd_event_source *source, void *userdata) {
    (void)source;
    Collection *c = userdata;
    c->later = sd_event_source_disable_unref(c->later);
    const Material *known = material_memo_find(c->manager, &c->wish);
    if (!known) {
        collection_path(c);
        return 0;
    }
    Material *copy = material_copy(known);
    c->material = *copy;
    g_free(copy);
    collection_end(c, 0);
    return 0;
}

int material_collect(Manager *m, const MaterialWish *wish, MaterialHandler handler, void *userdata, Collection **ret) {
    CadesExpectation e = {0};
    if (!trust_get(m->trust, &e))
        return EONAY_ERROR_LEVEL_UNREACHABLE;
    Collection *c = g_new0(Collection, 1);
    c->manager = m;
    c->wish = *wish;
    c->wish.certificate = g_bytes_ref(wish->certificate);
    c->contained = g_bytes_new(wish->contained.bytes, wish->contained.size);
    c->chased = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    c->why = g_string_new(NULL);
    c->handler = handler;
    c->userdata = userdata;
    if (sd_event_add_defer(m->event, &c->later, on_begin, c) < 0) {
        collection_free(c);
        return EONAY_ERROR_PLUGIN_FAILED;
    }
    *ret = c;
    return 0;
}
