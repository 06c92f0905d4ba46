/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VerifySignature: what lib/verify.h finds. TOTAL-PASSED needs trust anchors that the caller gives; without them a
 * sound signature is INDETERMINATE, since nobody has said whom to trust.
 */
#include <errno.h>
#include <openssl/pem.h>
#include <string.h>

#include "bus-util.h"
#include "certificate-profile.h"
#include "digest.h"
#include "fault.h"
#include "manager-bus.h"
#include "names.h"
#include "trust.h"
#include "util.h"
#include "verify-bus.h"

#define ANCHORS_MAX 256u
#define LISTS_MAX   64u

typedef struct VerifyInput {
    GBytes *signature, *content;
    GPtrArray *anchors; /* GBytes*, DER */
    GPtrArray *lists;   /* likewise */
    uint64_t at;
    int level;
    bool qualified;
    bool chain_checked; /* there were anchors */
} VerifyInput;

static void verify_input_clear(VerifyInput *i) {
    g_clear_pointer(&i->signature, g_bytes_unref);
    g_clear_pointer(&i->content, g_bytes_unref);
    g_clear_pointer(&i->anchors, g_ptr_array_unref);
    g_clear_pointer(&i->lists, g_ptr_array_unref);
}

static void add_certificate(GPtrArray *anchors, X509 *x) {
    unsigned char *der = NULL;
    int size = i2d_X509(x, &der);
    if (size > 0)
        g_ptr_array_add(anchors, g_bytes_new(der, (gsize)size));
    OPENSSL_free(der);
    X509_free(x);
}

/* PEM with any number of certificates, or one in DER. */
int verify_read_anchors(GBytes *bytes, GPtrArray *anchors) {
    gsize size;
    const unsigned char *data = g_bytes_get_data(bytes, &size);
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    X509 *x;
    while (anchors->len < ANCHORS_MAX && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        add_certificate(anchors, x);
    BIO_free(bio);
    if (anchors->len == 0 && (x = d2i_X509(NULL, &data, (long)size)))
        add_certificate(anchors, x);
    return anchors->len > 0 ? 0 : EONAY_ERROR_FILE_INVALID;
}

static void add_list(GPtrArray *lists, X509_CRL *crl) {
    unsigned char *der = NULL;
    int size = i2d_X509_CRL(crl, &der);
    if (size > 0)
        g_ptr_array_add(lists, g_bytes_new(der, (gsize)size));
    OPENSSL_free(der);
    X509_CRL_free(crl);
}

/* Revocation lists likewise. */
static int read_lists(GBytes *bytes, GPtrArray *lists) {
    gsize size;
    const unsigned char *data = g_bytes_get_data(bytes, &size);
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    X509_CRL *crl;
    while (lists->len < LISTS_MAX && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)))
        add_list(lists, crl);
    BIO_free(bio);
    if (lists->len == 0 && (crl = d2i_X509_CRL(NULL, &data, (long)size)))
        add_list(lists, crl);
    return lists->len > 0 ? 0 : EONAY_ERROR_FILE_INVALID;
}

static int read_level(const char *name, int *ret) {
    CadesLevel level;
    *ret = -1;
    if (!name)
        return 0;
    if (!cades_level_find(name, &level))
        return EONAY_ERROR_UNSUPPORTED;
    *ret = (int)level;
    return 0;
}

static int read_input(sd_bus_message *m, VerifyInput *i, sd_bus_error *error) {
    int signature, content = -1, anchors = -1, lists = -1, qualified = 0, r;
    const char *level = NULL;
    g_autoptr(GBytes) anchor_bytes = NULL;
    g_autoptr(GBytes) list_bytes = NULL;
    const BusOption table[] = {
        {"content", "h", &content}, {"anchors", "h", &anchors}, {"crls", "h", &lists}, {"qualified", "b", &qualified},
        {"level", "s", &level},     {"at", "t", &i->at},        {NULL, NULL, NULL}};
    if ((r = sd_bus_message_read(m, "h", &signature)) < 0 || (r = bus_read_options(m, table, error)) < 0)
        return r;
    i->anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    i->lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    i->qualified = qualified != 0;
    r = read_level(level, &i->level);
    if (r == 0)
        r = memfd_read(signature, EONAY_SIGNATURE_SIZE_MAX, &i->signature);
    if (r == 0 && content >= 0)
        r = memfd_read(content, EONAY_SIGNATURE_SIZE_MAX, &i->content);
    if (r == 0 && anchors >= 0 && (r = memfd_read(anchors, EONAY_FILE_SIZE_MAX, &anchor_bytes)) == 0)
        r = verify_read_anchors(anchor_bytes, i->anchors);
    if (r == 0 && lists >= 0 && (r = memfd_read(lists, EONAY_SIGNATURE_SIZE_MAX, &list_bytes)) == 0)
        r = read_lists(list_bytes, i->lists);
    return r > 0 ? fault_code_to_bus(r, error) : r;
}

CadesBlob *verify_blobs(const GPtrArray *array) {
    CadesBlob *blobs = g_new0(CadesBlob, array->len + 1);
    for (guint n = 0; n < array->len; n++)
        blobs[n].bytes = g_bytes_get_data(array->pdata[n], &blobs[n].size);
    return blobs;
}

/* The anchors given, else those of the trust store. */
static void anchors_choose(Trust *trust, const VerifyInput *i, const CadesBlob *given, VerifyRequest *q) {
    CadesExpectation store = {0};
    q->anchors = given;
    q->n_anchors = i->anchors->len;
    if (q->n_anchors > 0 || !trust_get(trust, &store))
        return;
    q->anchors = store.anchors;
    q->n_anchors = store.n_anchors;
    q->certificates = store.intermediates;
    q->n_certificates = store.n_intermediates;
}

static int run_verification(Trust *trust, VerifyInput *i, VerifyReport **ret) {
    g_autofree CadesBlob *anchors = verify_blobs(i->anchors);
    g_autofree CadesBlob *lists = verify_blobs(i->lists);
    VerifyRequest request = {.crls = lists,
                             .n_crls = i->lists->len,
                             .at = (int64_t)(i->at / USEC_PER_SEC),
                             .level = i->level,
                             .qualified = i->qualified};
    if (i->content)
        request.content.bytes = g_bytes_get_data(i->content, &request.content.size);
    request.signature.bytes = g_bytes_get_data(i->signature, &request.signature.size);
    anchors_choose(trust, i, anchors, &request);
    i->chain_checked = request.n_anchors > 0;
    /* Empty content is a content too; NULL would mean any. */
    if (i->content && !request.content.bytes)
        request.content.bytes = (const uint8_t *)"";
    return verify_signature(&request, ret);
}

static int append_signer(const VerifyReport *report, sd_bus_message *m) {
    CertificateProfile *p = NULL;
    int r = 0;
    const CadesReport *base = report->base;
    if (!base->certificate || certificate_profile_new(base->certificate, base->certificate_size, &p) < 0)
        return 0;
    if ((r = bus_append_string(m, "CertificateFingerprint", p->fingerprint)) >= 0 &&
        (r = bus_append_string(m, "Subject", p->subject)) >= 0 && (r = bus_append_string(m, "Issuer", p->issuer)) >= 0)
        r = bus_append_bool(m, "Qualified", report->qualified);
    certificate_profile_free(p);
    return r;
}

static bool named_before(const GPtrArray *names, const char *name) {
    for (guint i = 0; i < names->len; i++)
        if (strcmp(names->pdata[i], name) == 0)
            return true;
    return false;
}

/* The names of the checks with this outcome, each once: several time stamps have the same checks. */
static int append_checks(const VerifyReport *report, VerifyOutcome outcome, const char *key, sd_bus_message *m) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (size_t i = 0; i < report->n_findings; i++) {
        const char *name = verify_check_name(report->finding[i].check);
        if (report->finding[i].outcome == outcome && !named_before(names, name))
            g_ptr_array_add(names, (char *)name);
    }
    g_ptr_array_add(names, NULL);
    return bus_append_strv(m, key, (char *const *)names->pdata);
}

static const char *level_name(int level) {
    return level >= 0 ? cades_level_traits((CadesLevel)level)->name : "";
}

static bool nothing_failed(const VerifyReport *report) {
    for (size_t i = 0; i < report->n_findings; i++)
        if (report->finding[i].outcome == VERIFY_FAILED)
            return false;
    return report->indication != VERIFY_TOTAL_FAILED;
}

static int append_verdict(const VerifyReport *report, const VerifyInput *input, sd_bus_message *m) {
    bool valid = nothing_failed(report);
    int r;
    if ((r = bus_append_bool(m, "Valid", valid)) < 0 ||
        (r = bus_append_string(m, "Indication", verify_indication_name(report->indication))) < 0 ||
        (r = bus_append_string(m, "SubIndication", verify_sub_name(report->sub))) < 0 ||
        (r = append_checks(report, VERIFY_PASSED, "Passed", m)) < 0 ||
        (r = append_checks(report, VERIFY_FAILED, "Failed", m)) < 0 ||
        (r = append_checks(report, VERIFY_UNKNOWN, "Unknown", m)) < 0 ||
        (r = bus_append_string(m, "FailedCheck", valid ? "" : verify_check_name(report->failed))) < 0 ||
        (r = bus_append_string(m, "Detail", report->detail ? report->detail : "")) < 0 ||
        (r = bus_append_bool(m, "ChainChecked", input->chain_checked)) < 0 ||
        (r = bus_append_string(m, "Level", level_name(report->level))) < 0)
        return r;
    return bus_append_string(m, "LevelClaimed", level_name(report->level_claimed));
}

static int append_times(const VerifyReport *report, sd_bus_message *m) {
    int r;
    if ((r = bus_append_u64(m, "SigningTime", (uint64_t)report->base->signing_time * USEC_PER_SEC)) < 0 ||
        (r = bus_append_u64(m, "ProvenTime", report->proven ? (uint64_t)report->best_time * USEC_PER_SEC : 0)) < 0)
        return r;
    return bus_append_u64(m, "RenewBefore", (uint64_t)report->renew_before * USEC_PER_SEC);
}

static int append_report(const VerifyReport *report, const VerifyInput *input, sd_bus_message *m) {
    const CadesReport *base = report->base;
    g_autofree char *content = base->content ? digest_hex_of(base->content, base->content_size) : NULL;
    char *json = verify_report_json(report);
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) >= 0 && (r = append_verdict(report, input, m)) >= 0 &&
        (r = append_times(report, m)) >= 0 && (r = bus_append_string(m, "Algorithm", base->algorithm)) >= 0 &&
        (r = bus_append_string(m, "ContentSha256", content)) >= 0 && (r = append_signer(report, m)) >= 0 &&
        (r = bus_append_string(m, "Report", json ? json : "")) >= 0)
        r = sd_bus_message_close_container(m);
    free(json);
    return r;
}

int manager_verify_signature(Client *client, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(verify_input_clear) VerifyInput input = {0};
    VerifyReport *report = NULL;
    int r;
    if ((r = read_input(m, &input, error)) < 0 || (r = run_verification(client->manager->trust, &input, &report)) < 0)
        return r;
    if ((r = sd_bus_message_new_method_return(m, &reply)) >= 0 && (r = append_report(report, &input, reply)) >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    verify_report_free(report);
    return r;
}
