/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a signature: prepared, signed by a stand-in for the token, finished, verified with expectations and chain.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cades.h"
#include "pki.h"
#include "token-sign.h"

#define TEXT "Başvurumu onaylıyorum. İ ı Ş ğ\r\n"
#define DAY  (24 * 60 * 60)

static const struct {
    const char *key;
    uint32_t mechanism;
    bool raw;
    const char *algorithm;
} kinds[] = {
    {"rsa2048", EONAY_MECH_RSA_PKCS1_SHA256, false, "rsa-pkcs1-sha256"},
    {"rsa2048", EONAY_MECH_RSA_PKCS1_SHA384, false, "rsa-pkcs1-sha384"},
    {"rsa2048", EONAY_MECH_RSA_PKCS1_SHA512, false, "rsa-pkcs1-sha512"},
    {"rsa2048", EONAY_MECH_RSA_PSS_SHA256, false, "rsa-pss-sha256"},
    {"rsa2048", EONAY_MECH_RSA_PSS_SHA384, false, "rsa-pss-sha384"},
    {"rsa2048", EONAY_MECH_RSA_PSS_SHA512, false, "rsa-pss-sha512"},
    {"rsa3072", EONAY_MECH_RSA_PKCS1_SHA256, false, "rsa-pkcs1-sha256"},
    {"rsa3072", EONAY_MECH_RSA_PSS_SHA256, false, "rsa-pss-sha256"},
    {"rsa4096", EONAY_MECH_RSA_PKCS1_SHA256, false, "rsa-pkcs1-sha256"},
    {"rsa4096", EONAY_MECH_RSA_PSS_SHA256, false, "rsa-pss-sha256"},
    {"p256", EONAY_MECH_ECDSA_SHA256, true, "ecdsa-sha256"},
    {"p256", EONAY_MECH_ECDSA_SHA256, false, "ecdsa-sha256"},
    {"p384", EONAY_MECH_ECDSA_SHA384, true, "ecdsa-sha384"},
    {"p384", EONAY_MECH_ECDSA_SHA384, false, "ecdsa-sha384"},
    {"p521", EONAY_MECH_ECDSA_SHA512, true, "ecdsa-sha512"},
    {"p521", EONAY_MECH_ECDSA_SHA512, false, "ecdsa-sha512"},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static Pki *pki;
static PkiLeaf *leaves[N_KINDS]; /* equal neighbours share one */

static void setup(void) {
    ck_assert_int_eq(pki_new(&pki), 0);
    for (size_t i = 0; i < N_KINDS; i++) {
        bool same = i > 0 && strcmp(kinds[i].key, kinds[i - 1].key) == 0;
        if (same)
            leaves[i] = leaves[i - 1];
        else
            ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.key = kinds[i].key}, &leaves[i]), 0);
    }
}

static void teardown(void) {
    for (size_t i = 0; i < N_KINDS; i++)
        if (i == 0 || leaves[i] != leaves[i - 1])
            pki_leaf_free(leaves[i]);
    pki_free(pki);
}

static const PkiLeaf *leaf_of(const char *key) {
    for (size_t i = 0; i < N_KINDS; i++)
        if (strcmp(kinds[i].key, key) == 0)
            return leaves[i];
    abort();
}

static int begin(const PkiLeaf *leaf, uint32_t mechanism, Cades **ret) {
    return cades_new(leaf->der, leaf->der_size, (const uint8_t *)TEXT, strlen(TEXT), time(NULL), mechanism, ret);
}

typedef struct Signed {
    uint8_t *der;
    size_t size;
} Signed;

static Signed sign(const PkiLeaf *leaf, uint32_t mechanism, bool raw) {
    Cades *c = NULL;
    Signed s = {0};
    uint8_t value[1024];
    size_t digest_size;
    const char *why = "";
    ck_assert_int_eq(begin(leaf, mechanism, &c), 0);
    const uint8_t *digest = cades_digest(c, &digest_size);
    size_t size = token_sign(leaf->key, mechanism, digest, digest_size, raw, value);
    ck_assert_uint_gt(size, 0);
    int r = cades_finish(c, value, size, &s.der, &s.size, &why);
    ck_assert_msg(r == 0, "%d %s", r, why);
    cades_free(c);
    return s;
}

static CadesReport *verify(Signed s, const CadesExpectation *expect) {
    CadesReport *report = NULL;
    ck_assert_int_eq(cades_verify(s.der, s.size, expect, &report), 0);
    return report;
}

/* Verifies, compares with the check that has to fail (CADES_N_CHECKS: none). */
static void expect_check(Signed s, const CadesExpectation *expect, int failed) {
    CadesReport *report = verify(s, expect);
    ck_assert_msg(report->valid == (failed == CADES_N_CHECKS), "%s", report->detail);
    if (!report->valid)
        ck_assert_msg((int)report->failed == failed, "%s", report->detail);
    cades_report_free(report);
}

START_TEST(each_kind_of_key_signs) {
    const PkiLeaf *leaf = leaves[_i];
    Signed s = sign(leaf, kinds[_i].mechanism, kinds[_i].raw);
    CadesReport *report = verify(s, NULL);
    ck_assert_msg(report->valid, "%s", report->detail);
    ck_assert_str_eq(report->algorithm, kinds[_i].algorithm);
    ck_assert_uint_eq(report->content_size, strlen(TEXT));
    ck_assert_mem_eq(report->content, TEXT, strlen(TEXT));
    ck_assert_uint_eq(report->certificate_size, leaf->der_size);
    ck_assert_mem_eq(report->certificate, leaf->der, leaf->der_size);
    ck_assert(!report->chain_checked);
    ck_assert_int_le(llabs(report->signing_time - (int64_t)time(NULL)), 5);
    cades_report_free(report);
    free(s.der);
}
END_TEST

/* r and s begin with zero bytes now and then: enough rounds to meet them. */
START_TEST(ecdsa_values_of_every_length_fit) {
    for (int i = 0; i < 300; i++)
        free(sign(leaf_of("p256"), EONAY_MECH_ECDSA_SHA256, i % 2 == 0).der);
}
END_TEST

START_TEST(contents_of_any_size_are_signed) {
    static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 1024 * 1024};
    const PkiLeaf *leaf = leaf_of("p256");
    uint8_t *content = calloc(1, 1024 * 1024), value[1024];
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        Cades *c = NULL;
        Signed s = {0};
        size_t n;
        const char *why;
        ck_assert_int_eq(
            cades_new(leaf->der, leaf->der_size, content, sizes[i], time(NULL), EONAY_MECH_ECDSA_SHA256, &c), 0);
        const uint8_t *digest = cades_digest(c, &n);
        size_t size = token_sign(leaf->key, EONAY_MECH_ECDSA_SHA256, digest, n, true, value);
        ck_assert_int_eq(cades_finish(c, value, size, &s.der, &s.size, &why), 0);
        cades_free(c);
        free(s.der);
    }
    free(content);
}
END_TEST

START_TEST(wrong_values_are_not_let_out) {
    const PkiLeaf *leaf = leaves[_i];
    uint8_t value[1024] = {0}, *der = NULL;
    size_t n, size;
    const char *why = NULL;
    Cades *c = NULL;
    ck_assert_int_eq(begin(leaf, kinds[_i].mechanism, &c), 0);
    const uint8_t *digest = cades_digest(c, &n);
    uint8_t other[64] = {1};
    size = token_sign(leaf->key, kinds[_i].mechanism, other, n, kinds[_i].raw, value);
    ck_assert_int_eq(cades_finish(c, value, size, &der, &n, &why), EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_str_eq(why, "signature");
    size = token_sign(leaf->key, kinds[_i].mechanism, digest, cades_digest(c, &n) ? n : 0, kinds[_i].raw, value);
    ck_assert_int_eq(cades_finish(c, value, size - 1, &der, &n, &why), EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_int_eq(cades_finish(c, value, size + 1, &der, &n, &why), EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_int_eq(cades_finish(c, value, 0, &der, &n, &why), EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_int_eq(cades_finish(c, NULL, 0, &der, &n, &why), EONAY_ERROR_SIGNATURE_INVALID);
    memset(value, 0, sizeof(value));
    ck_assert_int_eq(cades_finish(c, value, size, &der, &n, &why), EONAY_ERROR_SIGNATURE_INVALID);
    memset(value, 0xff, sizeof(value));
    ck_assert_int_eq(cades_finish(c, value, sizeof(value), &der, &n, &why), EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_ptr_null(der);
    cades_free(c);
}
END_TEST

START_TEST(what_cannot_sign_is_refused) {
    const PkiLeaf *rsa = leaf_of("rsa2048"), *ec = leaf_of("p256");
    Cades *c = NULL;
    uint8_t *big = calloc(1, 8u * 1024 * 1024);
    ck_assert_int_eq(begin(ec, EONAY_MECH_RSA_PKCS1_SHA256, &c), EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(begin(rsa, EONAY_MECH_ECDSA_SHA256, &c), EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(begin(ec, EONAY_MECH_ECDSA_SHA384, &c), EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(begin(rsa, 3, &c), EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(begin(rsa, 0, &c), EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(begin(rsa, 1u << 31, &c), EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(cades_new(rsa->der, rsa->der_size - 1, big, 1, time(NULL), 1, &c),
                     EONAY_ERROR_CERTIFICATE_NOT_SUITABLE);
    ck_assert_int_eq(cades_new(big, 100, big, 1, time(NULL), 1, &c), EONAY_ERROR_CERTIFICATE_NOT_SUITABLE);
    ck_assert_int_eq(cades_new(rsa->der, rsa->der_size, big, 1, 1893456000 /* 2030 */, 1, &c),
                     EONAY_ERROR_CERTIFICATE_NOT_SUITABLE);
    ck_assert_int_eq(cades_new(rsa->der, rsa->der_size, big, 8u * 1024 * 1024, time(NULL), 1, &c), -EFBIG);
    ck_assert_int_eq(cades_new(rsa->der, rsa->der_size, big, 1, INT64_MAX, 1, &c), -EINVAL);
    ck_assert_ptr_null(c);
    free(big);
}
END_TEST

START_TEST(weak_and_foreign_keys_are_refused) {
    static const char *const profiles[] = {"weak-key", "weak-curve", "ed25519", "unknown-curve", "rsa-pss-key"};
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        PkiLeaf *leaf = NULL;
        Cades *c = NULL;
        ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.profile = profiles[i]}, &leaf), 0);
        for (uint32_t bit = 1; bit <= EONAY_MECH_ECDSA_SHA512; bit <<= 1)
            ck_assert_int_eq(begin(leaf, bit, &c), EONAY_ERROR_CERTIFICATE_NOT_SUITABLE);
        pki_leaf_free(leaf);
    }
}
END_TEST

/* ---------------------------------------------------------------------------------------------- expectations -- */

START_TEST(expectations_are_compared) {
    const PkiLeaf *leaf = leaf_of("p256"), *other = leaf_of("p384");
    Signed s = sign(leaf, EONAY_MECH_ECDSA_SHA256, true);
    int64_t now = time(NULL);
    const uint8_t *text = (const uint8_t *)TEXT;
    size_t n = strlen(TEXT);
    expect_check(s, &(CadesExpectation){.content = text, .content_size = n}, CADES_N_CHECKS);
    expect_check(s, &(CadesExpectation){.content = text, .content_size = n - 1}, CADES_CHECK_CONTENT);
    expect_check(s, &(CadesExpectation){.content = text, .content_size = 0}, CADES_CHECK_CONTENT);
    expect_check(s, &(CadesExpectation){.certificate = leaf->der, .certificate_size = leaf->der_size}, CADES_N_CHECKS);
    expect_check(s, &(CadesExpectation){.certificate = other->der, .certificate_size = other->der_size},
                 CADES_CHECK_EXPECTED_CERTIFICATE);
    expect_check(s, &(CadesExpectation){.signed_from = now - 60, .signed_until = now + 60}, CADES_N_CHECKS);
    expect_check(s, &(CadesExpectation){.signed_from = now + 60, .signed_until = now + 90}, CADES_CHECK_SIGNING_TIME);
    expect_check(s, &(CadesExpectation){.signed_until = now - 60}, CADES_CHECK_SIGNING_TIME);
    free(s.der);
}
END_TEST

static CadesBlob blob(X509 *certificate) {
    CadesBlob b = {0};
    b.bytes = pki_der(certificate, &b.size);
    return b;
}

static void chain_check(const char *profile, CadesExpectation expect, int failed) {
    PkiLeaf *leaf = NULL;
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.profile = profile}, &leaf), 0);
    Signed s = sign(leaf, EONAY_MECH_ECDSA_SHA256, false);
    expect_check(s, &expect, failed);
    free(s.der);
    pki_leaf_free(leaf);
}

START_TEST(the_chain_is_built_to_the_anchors_only) {
    Pki *stranger = NULL;
    ck_assert_int_eq(pki_new(&stranger), 0);
    CadesBlob root = blob(pki_root(pki)), ca = blob(pki_ca(pki)), far = blob(pki_root(stranger));
    CadesBlob garbage = {(const uint8_t *)"x", 1};
    CadesExpectation full = {.anchors = &root, .n_anchors = 1, .intermediates = &ca, .n_intermediates = 1};
    CadesExpectation alone = {.anchors = &root, .n_anchors = 1};
    CadesExpectation partial = {.anchors = &ca, .n_anchors = 1};
    CadesExpectation foreign = {.anchors = &far, .n_anchors = 1, .intermediates = &ca, .n_intermediates = 1};
    CadesExpectation broken = {.anchors = &garbage, .n_anchors = 1};
    chain_check("nes", full, CADES_N_CHECKS);
    chain_check("nes", partial, CADES_N_CHECKS);
    chain_check("nes", alone, CADES_CHECK_CHAIN);
    chain_check("nes", foreign, CADES_CHECK_CHAIN);
    chain_check("nes", broken, CADES_CHECK_CHAIN);
    CadesBlob half[] = {ca, garbage};
    chain_check("nes", (CadesExpectation){.anchors = half, .n_anchors = 2}, CADES_CHECK_CHAIN);
    chain_check("nes-foreign-root", full, CADES_CHECK_CHAIN);
    chain_check("nes-foreign-root", partial, CADES_CHECK_CHAIN);
    chain_check("nes-critical-statements", full, CADES_N_CHECKS);
    chain_check("unknown-critical", full, CADES_CHECK_CHAIN);
    chain_check("weak-algorithm", full, CADES_CHECK_CHAIN);
    /* Two unrelated helpers, one of them no certificate, do no harm. */
    CadesBlob helpers[] = {garbage, far, ca};
    full.intermediates = helpers;
    full.n_intermediates = 3;
    chain_check("nes", full, CADES_N_CHECKS);
    OPENSSL_free((void *)root.bytes);
    OPENSSL_free((void *)ca.bytes);
    OPENSSL_free((void *)far.bytes);
    pki_free(stranger);
}
END_TEST

START_TEST(the_chain_is_judged_at_its_time) {
    CadesBlob ca = blob(pki_ca(pki));
    int64_t now = time(NULL);
    CadesExpectation at = {.anchors = &ca, .n_anchors = 1};
    chain_check("expired", at, CADES_CHECK_CHAIN);
    chain_check("not-yet-valid", at, CADES_CHECK_CHAIN);
    at.at = now - 2 * DAY;
    chain_check("expired", at, CADES_N_CHECKS);
    chain_check("nes", at, CADES_CHECK_CHAIN);
    at.at = now + 20 * DAY;
    chain_check("not-yet-valid", at, CADES_N_CHECKS);
    OPENSSL_free((void *)ca.bytes);
}
END_TEST

START_TEST(a_chain_is_reported_as_checked) {
    CadesBlob ca = blob(pki_ca(pki));
    Signed s = sign(leaf_of("p256"), EONAY_MECH_ECDSA_SHA256, true);
    CadesReport *report = verify(s, &(CadesExpectation){.anchors = &ca, .n_anchors = 1});
    ck_assert(report->valid && report->chain_checked);
    cades_report_free(report);
    free(s.der);
    OPENSSL_free((void *)ca.bytes);
}
END_TEST

START_TEST(check_names_are_distinct) {
    for (int i = 0; i < CADES_N_CHECKS; i++) {
        ck_assert_str_ne(cades_check_name((CadesCheck)i), "");
        ck_assert_str_ne(cades_check_text((CadesCheck)i), "");
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(cades_check_name((CadesCheck)i), cades_check_name((CadesCheck)j));
    }
    ck_assert_str_eq(cades_check_name(CADES_N_CHECKS), "");
    ck_assert_ptr_null(cades_free(NULL));
    ck_assert_ptr_null(cades_report_free(NULL));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cades");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, each_kind_of_key_signs, 0, N_KINDS);
    tcase_add_test(tcase, ecdsa_values_of_every_length_fit);
    tcase_add_test(tcase, contents_of_any_size_are_signed);
    tcase_add_loop_test(tcase, wrong_values_are_not_let_out, 0, N_KINDS);
    tcase_add_test(tcase, what_cannot_sign_is_refused);
    tcase_add_test(tcase, weak_and_foreign_keys_are_refused);
    tcase_add_test(tcase, expectations_are_compared);
    tcase_add_test(tcase, the_chain_is_built_to_the_anchors_only);
    tcase_add_test(tcase, the_chain_is_judged_at_its_time);
    tcase_add_test(tcase, a_chain_is_reported_as_checked);
    tcase_add_test(tcase, check_names_are_distinct);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
