/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VerifySignature: what lib/cades.h finds, in the words of EN 319 102-1: TOTAL-PASSED needs trust anchors that the
 * caller gives; without them a sound signature is INDETERMINATE, since nobody has said whom to trust.
 */
#include <errno.h>
#include <openssl/pem.h>
#include <string.h>

#include "bus-util.h"
#include "cades.h"
#include "certificate-profile.h"
#include "fault.h"
#include "manager-bus.h"
#include "names.h"
#include "util.h"

#define ANCHORS_MAX 256u

typedef struct VerifyInput {
    GBytes *signature, *content;
    GPtrArray *anchors; /* GBytes*, DER */
    uint64_t at;
} VerifyInput;

static void verify_input_clear(VerifyInput *i) {
    g_clear_pointer(&i->signature, g_bytes_unref);
    g_clear_pointer(&i->content, g_bytes_unref);
    g_clear_pointer(&i->anchors, g_ptr_array_unref);
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
static int read_anchors(GBytes *bytes, GPtrArray *anchors) {
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

static int read_input(sd_bus_message *m, VerifyInput *i, sd_bus_error *error) {
    int signature, content = -1, anchors = -1, r;
    const char *level = NULL;
    g_autoptr(GBytes) anchor_bytes = NULL;
    const BusOption table[] = {{"content", "h", &content},
                               {"anchors", "h", &anchors},
                               {"level", "s", &level},
                               {"at", "t", &i->at},
                               {NULL, NULL, NULL}};
    if ((r = sd_bus_message_read(m, "h", &signature)) < 0 || (r = bus_read_options(m, table, error)) < 0)
        return r;
    if (level && strcmp(level, "B-B") != 0)
        return fault_code_to_bus(EONAY_ERROR_UNSUPPORTED, error);
    i->anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    r = memfd_read(signature, EONAY_SIGNATURE_SIZE_MAX, &i->signature);
    if (r == 0 && content >= 0)
        r = memfd_read(content, EONAY_SIGNATURE_SIZE_MAX, &i->content);
    if (r == 0 && anchors >= 0 && (r = memfd_read(anchors, EONAY_FILE_SIZE_MAX, &anchor_bytes)) == 0)
        r = read_anchors(anchor_bytes, i->anchors);
    return r > 0 ? fault_code_to_bus(r, error) : r;
}

static int run_verification(const VerifyInput *i, CadesReport **ret) {
    g_autofree CadesBlob *anchors = g_new0(CadesBlob, i->anchors->len + 1);
    CadesExpectation expect = {.anchors = anchors, .n_anchors = i->anchors->len, .at = (int64_t)(i->at / USEC_PER_SEC)};
    for (guint n = 0; n < i->anchors->len; n++)
        anchors[n].bytes = g_bytes_get_data(i->anchors->pdata[n], &anchors[n].size);
    if (i->content)
        expect.content = g_bytes_get_data(i->content, &expect.content_size);
    gsize size;
    const uint8_t *der = g_bytes_get_data(i->signature, &size);
    return cades_verify(der, size, &expect, ret);
}

/* EN 319 102-1 section 5.1.3 */
static void indication_of(const CadesReport *r, const char **ret_main, const char **ret_sub) {
    *ret_main = "TOTAL-FAILED";
    *ret_sub = "FORMAT_FAILURE";
    if (r->valid) {
        *ret_main = r->chain_checked ? "TOTAL-PASSED" : "INDETERMINATE";
        *ret_sub = r->chain_checked ? "" : "NO_CERTIFICATE_CHAIN_FOUND";
    } else if (r->failed == CADES_CHECK_CHAIN) {
        *ret_main = "INDETERMINATE";
        *ret_sub = "NO_CERTIFICATE_CHAIN_FOUND";
    } else if (r->failed == CADES_CHECK_SIGNATURE)
        *ret_sub = "SIG_CRYPTO_FAILURE";
    else if (r->failed == CADES_CHECK_MESSAGE_DIGEST || r->failed == CADES_CHECK_CONTENT)
        *ret_sub = "HASH_FAILURE";
    else if (r->failed == CADES_CHECK_ALGORITHM) {
        *ret_main = "INDETERMINATE";
        *ret_sub = "CRYPTO_CONSTRAINTS_FAILURE";
    }
}

static int append_signer(const CadesReport *report, sd_bus_message *m) {
    CertificateProfile *p = NULL;
    int r = 0;
    if (!report->certificate || certificate_profile_new(report->certificate, report->certificate_size, &p) < 0)
        return 0;
    if ((r = bus_append_string(m, "CertificateFingerprint", p->fingerprint)) >= 0 &&
        (r = bus_append_string(m, "Subject", p->subject)) >= 0 && (r = bus_append_string(m, "Issuer", p->issuer)) >= 0)
        r = bus_append_bool(m, "Qualified", p->qualified);
    certificate_profile_free(p);
    return r;
}

/* The checks in their order: those before the failed one have passed, those after it were not reached. */
static int append_checks(const CadesReport *report, sd_bus_message *m) {
    GPtrArray *passed = g_ptr_array_new();
    int last = report->valid ? CADES_N_CHECKS : (int)report->failed;
    for (int i = 0; i < last; i++)
        if (i != CADES_CHECK_CHAIN || report->chain_checked)
            g_ptr_array_add(passed, (char *)cades_check_name((CadesCheck)i));
    g_ptr_array_add(passed, NULL);
    int r = bus_append_strv(m, "Passed", (char *const *)passed->pdata);
    g_ptr_array_unref(passed);
    return r < 0 ? r : bus_append_string(m, "FailedCheck", report->valid ? "" : cades_check_name(report->failed));
}

static int append_report(const CadesReport *report, sd_bus_message *m) {
    const char *indication, *sub;
    g_autofree char *content =
        report->content ? g_compute_checksum_for_data(G_CHECKSUM_SHA256, report->content, report->content_size) : NULL;
    int r;
    indication_of(report, &indication, &sub);
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 ||
        (r = bus_append_bool(m, "Valid", report->valid)) < 0 ||
        (r = bus_append_string(m, "Indication", indication)) < 0 ||
        (r = bus_append_string(m, "SubIndication", sub)) < 0 || (r = append_checks(report, m)) < 0 ||
        (r = bus_append_string(m, "Detail", report->detail)) < 0 ||
        (r = bus_append_bool(m, "ChainChecked", report->chain_checked)) < 0 ||
        (r = bus_append_string(m, "Level", report->valid ? "B-B" : "")) < 0 ||
        (r = bus_append_string(m, "Algorithm", report->algorithm)) < 0 ||
        (r = bus_append_u64(m, "SigningTime", (uint64_t)report->signing_time * USEC_PER_SEC)) < 0 ||
        (r = bus_append_string(m, "ContentSha256", content)) < 0 || (r = append_signer(report, m)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

int manager_verify_signature(Client *client, sd_bus_message *m, sd_bus_error *error) {
    (void)client;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(verify_input_clear) VerifyInput input = {0};
    CadesReport *report = NULL;
    int r;
    if ((r = read_input(m, &input, error)) < 0 || (r = run_verification(&input, &report)) < 0)
        return r;
    if ((r = sd_bus_message_new_method_return(m, &reply)) >= 0 && (r = append_report(report, reply)) >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    cades_report_free(report);
    return r;
}
