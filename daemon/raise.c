/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   stamp each ─▶ the signer's material, as of after the stamps ─▶ each stamping authority's material ─▶ put in
 *              ─▶ archive stamp on each
 *
 * A level leaves out what it does not have. Anything that fails ends all of it: there is no weaker result.
 */
#include "raise.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cades-stamps.h"
#include "cades-upgrade.h"
#include "eonay/plugin.h"
#include "material.h"
#include "stamp.h"
#include "trust.h"
#include "util.h"

#define STAMPERS_MAX 8u

struct Raise {
    Manager *manager;
    CadesLevel level;
    const CadesLevelTraits *traits;
    GPtrArray *messages; /* GBytes* */
    GBytes *certificate;
    uint64_t deadline;
    guint next;          /* message, then stamper */
    bool renewing;       /* the signer's material is in it already */
    int64_t stamped;     /* the last stamp's time */
    GPtrArray *stampers; /* GBytes*: certificates of the stamping authorities, each once */
    GPtrArray *help;     /* GBytes*: what their tokens contained, in the same order */
    Stamp *stamp;
    Collection *collection;
    Material *material;   /* the signer's */
    GPtrArray *materials; /* Material*: the stampers' */
    CadesArchive archive;
    RaiseHandler handler;
    void *userdata;
};

static void raise_stamp(Raise *r);
static void raise_stamper(Raise *r);
static void raise_archive(Raise *r);

static void raise_free(Raise *r) {
    stamp_cancel(r->stamp);
    collection_cancel(r->collection);
    material_free(r->material);
    g_ptr_array_unref(r->materials);
    g_ptr_array_unref(r->messages);
    g_ptr_array_unref(r->stampers);
    g_ptr_array_unref(r->help);
    g_bytes_unref(r->certificate);
    cades_archive_clear(&r->archive);
    g_free(r);
}

Raise *raise_cancel(Raise *r) {
    if (r)
        raise_free(r);
    return NULL;
}

static void raise_end(Raise *r, const Fault *fault) {
    RaiseHandler handler = r->handler;
    void *userdata = r->userdata;
    g_autoptr(GPtrArray) messages = g_ptr_array_ref(r->messages);
    Fault f = fault_copy(fault);
    raise_free(r);
    handler(&f, f.code == 0 ? messages : NULL, userdata);
    fault_clear(&f);
}

static void raise_fail(Raise *r, int code) {
    Fault f = FAULT(code > 0 ? code : EONAY_ERROR_PLUGIN_FAILED);
    raise_end(r, &f);
}

/* Every message says of itself what it was to become; who signed and stamped it was verified on the way. */
static void raise_finish(Raise *r) {
    for (guint i = 0; i < r->messages->len; i++) {
        gsize size;
        const uint8_t *der = g_bytes_get_data(r->messages->pdata[i], &size);
        CadesReport *report = NULL;
        CadesExpectation e = {.higher_levels = true};
        bool good = cades_verify(der, size, &e, &report) == 0 && report->valid &&
                    (cades_level_claimed(der, size) == (int)r->level || r->level == CADES_LEVEL_P1);
        cades_report_free(report);
        if (!good) {
            raise_fail(r, EONAY_ERROR_SIGNATURE_INVALID);
            return;
        }
    }
    raise_end(r, &FAULT_NONE);
}

static CadesBlob blob_of(GBytes *b) {
    gsize size;
    const uint8_t *bytes = b ? g_bytes_get_data(b, &size) : NULL;
    return bytes ? (CadesBlob){bytes, size} : (CadesBlob){0};
}

static CadesBlob message_now(const Raise *r) {
    return blob_of(r->messages->pdata[r->next]);
}

/* Puts the new form of the message in its place; der is taken over. */
static void message_replace(Raise *r, guint i, uint8_t *der, size_t size) {
    g_bytes_unref(r->messages->pdata[i]);
    r->messages->pdata[i] = g_bytes_new_with_free_func(der, size, free, der);
}

/* ------------------------------------------------------------------------------------------------- first stamp -- */

static void stamper_note(Raise *r, const Timestamp *stamp) {
    g_autoptr(GBytes) certificate = g_bytes_new(stamp->certificate.bytes, stamp->certificate.size);
    r->stamped = MAX(r->stamped, stamp->time);
    for (guint i = 0; i < r->stampers->len; i++)
        if (g_bytes_equal(r->stampers->pdata[i], certificate))
            return;
    if (r->stampers->len == STAMPERS_MAX)
        return;
    g_ptr_array_add(r->stampers, g_steal_pointer(&certificate));
    g_ptr_array_add(r->help, g_bytes_new(stamp->certificates.bytes, stamp->certificates.size));
}

static void on_stamped(const Fault *fault, GBytes *token, const Timestamp *stamp, void *userdata) {
    Raise *r = userdata;
    uint8_t *der = NULL;
    size_t size = 0;
    r->stamp = NULL;
    if (fault->code != 0) {
        raise_end(r, fault);
        return;
    }
    CadesBlob message = message_now(r), bytes = blob_of(token);
    int k = cades_add_signature_stamp(message.bytes, message.size, &bytes, &der, &size);
    if (k != 0) {
        raise_fail(r, k);
        return;
    }
    message_replace(r, r->next, der, size);
    stamper_note(r, stamp);
    r->next++;
    raise_stamp(r);
}

/* ---------------------------------------------------------------------------------------------------- material -- */

/* The parts of all materials, as lists of bytes that point into them. */
typedef struct Lists {
    GArray *certificates, *crls, *ocsps; /* CadesBlob */
} Lists;

static void lists_add(Lists *l, const Material *m) {
    for (size_t i = 0; i < m->n; i++) {
        CadesBlob certificate = blob_of(m->step[i].certificate), crl = blob_of(m->step[i].crl),
                  ocsp = blob_of(m->step[i].ocsp);
        g_array_append_val(l->certificates, certificate);
        if (crl.size > 0)
            g_array_append_val(l->crls, crl);
        if (ocsp.size > 0)
            g_array_append_val(l->ocsps, ocsp);
    }
}

static CadesEvidence lists_evidence(const Lists *l) {
    return (CadesEvidence){(const CadesBlob *)(void *)l->certificates->data, l->certificates->len,
                           (const CadesBlob *)(void *)l->crls->data,         l->crls->len,
                           (const CadesBlob *)(void *)l->ocsps->data,        l->ocsps->len};
}

static int material_put(Raise *r, guint i, const CadesEvidence *evidence) {
    uint8_t *der = NULL;
    size_t size = 0;
    CadesPathStep path[CADES_PATH_MAX];
    CadesBlob message = blob_of(r->messages->pdata[i]);
    size_t n = r->material ? r->material->n : 0;
    for (size_t k = 0; k < n; k++)
        path[k] = (CadesPathStep){blob_of(r->material->step[k].certificate), blob_of(r->material->step[k].crl),
                                  blob_of(r->material->step[k].ocsp)};
    int k = r->traits->material == CADES_MATERIAL_FIELDS
                ? cades_add_fields(message.bytes, message.size, evidence, &der, &size)
                : cades_add_values(message.bytes, message.size, path, n, evidence, &der, &size);
    if (k == 0)
        message_replace(r, i, der, size);
    return k;
}

static void raise_put(Raise *r) {
    Lists l = {g_array_new(FALSE, FALSE, sizeof(CadesBlob)), g_array_new(FALSE, FALSE, sizeof(CadesBlob)),
               g_array_new(FALSE, FALSE, sizeof(CadesBlob))};
    int k = 0;
    if (r->traits->material == CADES_MATERIAL_FIELDS && r->material)
        lists_add(&l, r->material);
    for (guint i = 0; i < r->materials->len; i++)
        lists_add(&l, r->materials->pdata[i]);
    CadesEvidence evidence = lists_evidence(&l);
    for (guint i = 0; k == 0 && i < r->messages->len; i++)
        k = material_put(r, i, &evidence);
    g_array_unref(l.certificates);
    g_array_unref(l.crls);
    g_array_unref(l.ocsps);
    r->next = 0;
    if (k != 0)
        raise_fail(r, k);
    else if (r->traits->archive)
        raise_archive(r);
    else
        raise_finish(r);
}

static void on_stamper_material(const Fault *fault, const Material *material, void *userdata) {
    Raise *r = userdata;
    r->collection = NULL;
    if (fault->code != 0) {
        raise_end(r, fault);
        return;
    }
    g_ptr_array_add(r->materials, material_copy(material));
    r->next++;
    raise_stamper(r);
}

static void raise_stamper(Raise *r) {
    if (r->next == r->stampers->len) {
        raise_put(r);
        return;
    }
    MaterialWish wish = {.certificate = r->stampers->pdata[r->next],
                         .contained = blob_of(r->help->pdata[r->next]),
                         .revocation = CADES_REVOCATION_ANY,
                         .time_stamping = true,
                         .deadline = r->deadline};
    int k = material_collect(r->manager, &wish, on_stamper_material, r, &r->collection);
    if (k != 0)
        raise_fail(r, k);
}

static void on_material(const Fault *fault, const Material *material, void *userdata) {
    Raise *r = userdata;
    r->collection = NULL;
    if (fault->code != 0) {
        raise_end(r, fault);
        return;
    }
    if (r->traits->material == CADES_MATERIAL_NONE) {
        raise_finish(r); /* P2 asks after its stamp, and keeps nothing */
        return;
    }
    r->material = material_copy(material);
    r->next = 0;
    raise_stamper(r);
}

/* The answers that go in, or that P2 waits for. A list counts when it was issued after the stamp; OCSP is asked now. */
static void raise_material(Raise *r) {
    bool after = r->traits->revocation == CADES_REVOCATION_OCSP ||
                 (r->traits->revocation == CADES_REVOCATION_CRL && r->manager->config->grace_period > 0);
    MaterialWish wish = {.certificate = r->certificate,
                         .revocation = r->traits->revocation,
                         .not_before = after ? r->stamped : 0,
                         .deadline = r->deadline};
    int k = material_collect(r->manager, &wish, on_material, r, &r->collection);
    if (k != 0)
        raise_fail(r, k);
}

/* ------------------------------------------------------------------------------------------------------ stamps -- */

static void raise_stamp(Raise *r) {
    uint8_t hash[SHA256_DIGEST_LENGTH];
    CadesBlob value;
    if (r->traits->stamp && r->next < r->messages->len) {
        CadesBlob message = message_now(r);
        int k = cades_signature_value(message.bytes, message.size, &value);
        if (k == 0) {
            SHA256(value.bytes, value.size, hash);
            k = stamp_start(r->manager, hash, on_stamped, r, &r->stamp);
        }
        if (k != 0)
            raise_fail(r, k);
        return;
    }
    if (r->renewing) {
        r->next = 0;
        raise_stamper(r);
        return;
    }
    bool asks = r->traits->material != CADES_MATERIAL_NONE || r->level == CADES_LEVEL_P2;
    if (asks)
        raise_material(r);
    else
        raise_finish(r);
}

static void on_archived(const Fault *fault, GBytes *token, const Timestamp *stamp, void *userdata) {
    (void)stamp;
    Raise *r = userdata;
    uint8_t *der = NULL;
    size_t size = 0;
    r->stamp = NULL;
    if (fault->code != 0) {
        raise_end(r, fault);
        return;
    }
    CadesBlob message = message_now(r), bytes = blob_of(token);
    int k = cades_archive_finish(message.bytes, message.size, &r->archive, &bytes, &der, &size);
    cades_archive_clear(&r->archive);
    if (k != 0) {
        raise_fail(r, k);
        return;
    }
    message_replace(r, r->next, der, size);
    r->next++;
    raise_archive(r);
}

static void raise_archive(Raise *r) {
    if (r->next == r->messages->len) {
        raise_finish(r);
        return;
    }
    CadesBlob message = message_now(r);
    int k = cades_archive_begin(message.bytes, message.size, &r->archive);
    if (k == 0)
        k = stamp_start(r->manager, r->archive.imprint, on_archived, r, &r->stamp);
    if (k != 0)
        raise_fail(r, k);
}

/* ------------------------------------------------------------------------------------------------------- begin -- */

int raise_possible(Manager *m, CadesLevel level) {
    const CadesLevelTraits *t = cades_level_traits(level);
    CadesExpectation e = {0};
    if (level == CADES_LEVEL_B_B)
        return 0;
    if (!trust_get(m->trust, &e) || (t->stamp && m->config->timestamps->len == 0))
        return EONAY_ERROR_LEVEL_UNREACHABLE;
    return 0;
}

static Raise *raise_new(Manager *m, CadesLevel level, GPtrArray *messages, GBytes *certificate, uint64_t deadline,
                        RaiseHandler handler, void *userdata) {
    Raise *r = g_new0(Raise, 1);
    r->manager = m;
    r->level = level;
    r->traits = cades_level_traits(level);
    r->messages = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i < messages->len; i++)
        g_ptr_array_add(r->messages, g_bytes_ref(messages->pdata[i]));
    r->certificate = g_bytes_ref(certificate);
    r->deadline = deadline;
    r->stampers = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    r->help = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    r->materials = g_ptr_array_new_with_free_func((GDestroyNotify)material_free);
    r->handler = handler;
    r->userdata = userdata;
    return r;
}

int raise_start(Manager *m, CadesLevel level, GPtrArray *messages, GBytes *certificate, uint64_t deadline,
                RaiseHandler handler, void *userdata, Raise **ret) {
    int k = raise_possible(m, level);
    if (k != 0)
        return k;
    *ret = raise_new(m, level, messages, certificate, deadline, handler, userdata);
    raise_stamp(*ret);
    return 0;
}

/* --------------------------------------------------------------------------------------------------- extension -- */

static GBytes *signer_of(CadesBlob message) {
    CadesReport *report = NULL;
    CadesExpectation e = {.higher_levels = true};
    GBytes *certificate = NULL;
    if (cades_verify(message.bytes, message.size, &e, &report) == 0 && report->valid)
        certificate = g_bytes_new(report->certificate, report->certificate_size);
    cades_report_free(report);
    return certificate;
}

/* The stamps that are on it, each good at its time. */
static bool stamps_take(Raise *r, CadesBlob message) {
    CadesBlob tokens[CADES_STAMPS_MAX];
    CadesExpectation trust = {0};
    size_t n = cades_stamps_list(message.bytes, message.size, tokens);
    trust_get(r->manager->trust, &trust);
    for (size_t i = 0; i < n; i++) {
        Timestamp stamp;
        TimestampExpectation e = {.anchors = trust.anchors,
                                  .n_anchors = trust.n_anchors,
                                  .intermediates = trust.intermediates,
                                  .n_intermediates = trust.n_intermediates};
        if (timestamp_verify(&tokens[i], &e, &stamp))
            return false;
        stamper_note(r, &stamp);
    }
    return true;
}

/* Whether there is a way from the one to the other. A B-LTA is renewed. */
static bool way_up(int claimed, CadesLevel level) {
    bool baseline = claimed >= CADES_LEVEL_B_B && claimed <= CADES_LEVEL_B_LTA && level <= CADES_LEVEL_B_LTA;
    return baseline && ((int)level > claimed || (claimed == CADES_LEVEL_B_LTA && level == CADES_LEVEL_B_LTA));
}

static uint64_t deadline_in(uint64_t life) {
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000 + life;
}

int raise_extend(Manager *m, CadesLevel level, GBytes *message, uint64_t life, RaiseHandler handler, void *userdata,
                 Raise **ret) {
    CadesBlob bytes = blob_of(message);
    int claimed = cades_level_claimed(bytes.bytes, bytes.size);
    g_autoptr(GBytes) certificate = signer_of(bytes);
    g_autoptr(GPtrArray) messages = g_ptr_array_new();
    if (!certificate)
        return EONAY_ERROR_SIGNATURE_INVALID;
    if (!way_up(claimed, level))
        return EONAY_ERROR_UNSUPPORTED;
    int k = raise_possible(m, level);
    if (k != 0)
        return k;
    g_ptr_array_add(messages, message);
    Raise *r = raise_new(m, level, messages, certificate, deadline_in(life), handler, userdata);
    if (!stamps_take(r, bytes)) {
        raise_free(r);
        return EONAY_ERROR_SIGNATURE_INVALID;
    }
    r->next = claimed >= CADES_LEVEL_B_T ? 1 : 0; /* the one message is stamped */
    r->renewing = claimed >= CADES_LEVEL_B_LT;
    *ret = r;
    raise_stamp(r);
    return 0;
}
