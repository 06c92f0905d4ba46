/* SPDX-License-Identifier: Apache-2.0 */
/* The two RSA schemes: what their AlgorithmIdentifiers may say, and that nothing else is taken. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cades.h"
#include "forge.h"
#include "pki.h"

static Pki *pki;
static PkiLeaf *rsa_leaf;

static void setup(void) {
    ck_assert_int_eq(pki_new(&pki), 0);
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.key = "rsa2048"}, &rsa_leaf), 0);
}

static void teardown(void) {
    pki_leaf_free(rsa_leaf);
    pki_free(pki);
}

static CadesReport *verify(const uint8_t *bytes, size_t size) {
    CadesReport *report = NULL;
    ck_assert_int_eq(cades_verify(bytes, size, NULL, &report), 0);
    return report;
}

static void message_make(Forge *f, DerBuffer *ret) {
    ck_assert(forge_message(f, ret));
}

static void signature_identifier_set(Forge *f, uint32_t mechanism) {
    f->signature_identifier.size = 0;
    signature_algorithm_append(&f->signature_identifier, signature_algorithm_find(mechanism));
}

static CadesReport *rsa_verify(uint32_t mechanism, void (*change)(Forge *)) {
    Forge f;
    DerBuffer message;
    forge_init(&f, rsa_leaf, mechanism);
    if (change)
        change(&f);
    message_make(&f, &message);
    CadesReport *report = verify(message.bytes, message.size);
    der_buffer_free(&message);
    forge_clear(&f);
    return report;
}

static void rsa_plain_identifier(Forge *f) {
    forge_buffer_set(&f->signature_identifier,
                     DER_BYTES(0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0));
}
static void rsa_no_null(Forge *f) {
    forge_buffer_set(&f->signature_identifier,
                     DER_BYTES(0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11));
}
static void pss_salt_20(Forge *f) {
    f->salt = 20;
}
/* The identifier tells the truth, and the truth is not permitted. */
static void pss_salt_20_written(Forge *f) {
    f->salt = 20;
    f->signature_identifier.bytes[f->signature_identifier.size - 1] = 20;
}
static void pss_parameters_of_sha512(Forge *f) {
    signature_identifier_set(f, EONAY_MECH_RSA_PSS_SHA512);
}
static void pss_no_parameters(Forge *f) {
    forge_buffer_set(&f->signature_identifier,
                     DER_BYTES(0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10));
}
/* MGF1 with SHA-384 beside SHA-256: the last byte of the second hash identifier, before its NULL and the salt. */
static void pss_other_mgf_hash(Forge *f) {
    f->signature_identifier.bytes[f->signature_identifier.size - 8] = 2;
}
static void pss_other_hash(Forge *f) {
    f->signature_identifier.bytes[29] = 2; /* the last byte of the first hash identifier */
}
/* trailerField, the DEFAULT written out. */
static void pss_trailer(Forge *f) {
    DerBuffer *b = &f->signature_identifier;
    der_append(b, DER_BYTES(DER_CONTEXT_2 + 1, 3, 2, 1, 1));
    b->bytes[1] += 5;
    b->bytes[14] += 5;
}
static void pkcs1_called_pss(Forge *f) {
    signature_identifier_set(f, EONAY_MECH_RSA_PSS_SHA256);
}
static void ecdsa_called(Forge *f) {
    signature_identifier_set(f, EONAY_MECH_ECDSA_SHA256);
}

#define PKCS1 EONAY_MECH_RSA_PKCS1_SHA256
#define PSS   EONAY_MECH_RSA_PSS_SHA256

static const struct {
    uint32_t mechanism;
    void (*change)(Forge *);
    int failed; /* -1: valid */
} rsa_corpus[] = {
    {PKCS1, NULL, -1},
    {PSS, NULL, -1},
    {PKCS1, rsa_plain_identifier, -1},
    {PKCS1, rsa_no_null, CADES_CHECK_ALGORITHM},
    {PSS, pss_salt_20, CADES_CHECK_SIGNATURE},
    {PSS, pss_salt_20_written, CADES_CHECK_ALGORITHM},
    {PSS, pss_parameters_of_sha512, CADES_CHECK_ALGORITHM},
    {PSS, pss_no_parameters, CADES_CHECK_ALGORITHM},
    {PSS, pss_other_mgf_hash, CADES_CHECK_ALGORITHM},
    {PSS, pss_other_hash, CADES_CHECK_ALGORITHM},
    {PSS, pss_trailer, CADES_CHECK_ALGORITHM},
    {PKCS1, pkcs1_called_pss, CADES_CHECK_SIGNATURE},
    {PKCS1, ecdsa_called, CADES_CHECK_ALGORITHM},
};

START_TEST(rsa_corpus_gives_its_checks) {
    CadesReport *report = rsa_verify(rsa_corpus[_i].mechanism, rsa_corpus[_i].change);
    ck_assert_msg(report->valid == (rsa_corpus[_i].failed < 0), "%d: %s", _i, report->detail);
    if (!report->valid)
        ck_assert_msg((int)report->failed == rsa_corpus[_i].failed, "%d: %s", _i, report->detail);
    cades_report_free(report);
}
END_TEST

START_TEST(a_weak_key_is_refused) {
    Forge f;
    DerBuffer message;
    PkiLeaf *weak = NULL;
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.profile = "weak-key"}, &weak), 0);
    forge_init(&f, weak, PKCS1);
    message_make(&f, &message);
    CadesReport *report = verify(message.bytes, message.size);
    ck_assert(!report->valid && report->failed == CADES_CHECK_ALGORITHM);
    cades_report_free(report);
    der_buffer_free(&message);
    forge_clear(&f);
    pki_leaf_free(weak);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cades-rsa");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, rsa_corpus_gives_its_checks, 0, sizeof(rsa_corpus) / sizeof(rsa_corpus[0]));
    tcase_add_test(tcase, a_weak_key_is_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
