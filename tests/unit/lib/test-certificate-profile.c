/* SPDX-License-Identifier: Apache-2.0 */
/* Each profile of tests/fixtures gives its reason and no other; names survive; the clock and the policy are asked late.
 */
#include <check.h>
#include <locale.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "algorithm-policy.h"
#include "certificate-profile.h"
#include "certificate-text.h"
#include "pki.h"

#define USEC 1000000LL
#define DAY  (24 * 60 * 60LL)

static Pki *pki;

static void setup(void) {
    ck_assert_int_eq(pki_new(&pki), 0);
}

static void teardown(void) {
    pki_free(pki);
}

static int64_t now_usec(void) {
    return (int64_t)time(NULL) * USEC;
}

static CertificateProfile *profile_of(const PkiRequest *request) {
    PkiLeaf *leaf = NULL;
    CertificateProfile *p = NULL;
    ck_assert_int_eq(pki_issue(pki, request, &leaf), 0);
    ck_assert_int_eq(certificate_profile_new(leaf->der, leaf->der_size, &p), 0);
    ck_assert_uint_eq(p->der_size, leaf->der_size);
    ck_assert_mem_eq(p->der, leaf->der, leaf->der_size);
    pki_leaf_free(leaf);
    return p;
}

START_TEST(each_profile_gives_its_reason_and_no_other) {
    for (size_t i = 0; pki_profile_name(i); i++) {
        const char *name = pki_profile_name(i);
        CertificateProfile *p = profile_of(&(PkiRequest){.profile = name});
        uint32_t reasons = certificate_profile_reasons_at(p, now_usec());
        ck_assert_msg(reasons == pki_profile_reasons(name), "%s: %x, not %x", name, reasons, pki_profile_reasons(name));
        certificate_profile_free(p);
    }
}
END_TEST

static bool contains(char *const *list, const char *value) {
    for (; *list; list++)
        if (strcmp(*list, value) == 0)
            return true;
    return false;
}

START_TEST(the_good_one_is_read_completely) {
    CertificateProfile *p = profile_of(&(PkiRequest){.key = "rsa2048"});
    ck_assert_uint_eq(p->reasons, 0);
    ck_assert(p->qualified);
    ck_assert_str_eq(p->subject, "CN=AYŞE DEMİR,serialNumber=10000000146,C=TR");
    ck_assert_str_eq(p->common_name, "AYŞE DEMİR");
    ck_assert_str_eq(p->issuer, "CN=eonay Test NES,O=eonay test\\, not for real use,C=TR");
    ck_assert_str_eq(p->national_id, "10000000146");
    ck_assert_str_eq(p->key_type, "rsa-2048");
    ck_assert_uint_eq(strlen(p->fingerprint), 64);
    ck_assert_uint_eq(strspn(p->fingerprint, "0123456789abcdef"), 64);
    ck_assert_uint_eq(strlen(p->serial_number), 32);
    ck_assert_int_ne(p->serial_number[0], '0');
    ck_assert(contains(p->key_usage, "nonRepudiation") && !p->key_usage[1]);
    ck_assert(contains(p->policies, "2.999.5070") && !p->policies[1]);
    ck_assert(contains(p->qc_statements, "0.4.0.1862.1.1"));
    ck_assert(contains(p->qc_statements, "2.16.792.1.61.0.1.5070.1.1"));
    ck_assert(contains(p->qc_statements, "0.4.0.1862.1.4"));
    ck_assert_uint_eq(p->mechanisms, 0x3f);
    certificate_profile_free(p);
}
END_TEST

START_TEST(keys_have_their_names_and_mechanisms) {
    static const struct {
        const char *key, *type;
        uint32_t mechanisms;
    } rows[] = {
        {"rsa3072", "rsa-3072", 0x3f},
        {"p256", "ec-p256", EONAY_MECH_ECDSA_SHA256},
        {"p384", "ec-p384", EONAY_MECH_ECDSA_SHA384},
        {"p521", "ec-p521", EONAY_MECH_ECDSA_SHA512},
        {"rsa1024", "rsa-1024", 0},
        {"p224", "ec-224", 0},
        {"secp256k1", "EC", 0},
        {"ed25519", "ED25519", 0},
        {"rsapss2048", "RSA-PSS", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CertificateProfile *p = profile_of(&(PkiRequest){.key = rows[i].key});
        ck_assert_str_eq(p->key_type, rows[i].type);
        ck_assert_uint_eq(p->mechanisms, rows[i].mechanisms);
        certificate_profile_free(p);
    }
}
END_TEST

START_TEST(validity_includes_its_last_second) {
    int64_t from = time(NULL) - DAY, until = from + 2 * DAY;
    CertificateProfile *p = profile_of(&(PkiRequest){.not_before = from, .not_after = until});
    ck_assert_int_eq(p->not_before, from * USEC);
    ck_assert_int_eq(p->not_after, until * USEC);
    ck_assert_uint_eq(certificate_profile_reasons_at(p, from * USEC), 0);
    ck_assert_uint_eq(certificate_profile_reasons_at(p, from * USEC - 1), CERTIFICATE_REASON_NOT_YET_VALID);
    ck_assert_uint_eq(certificate_profile_reasons_at(p, until * USEC + USEC - 1), 0);
    ck_assert_uint_eq(certificate_profile_reasons_at(p, until * USEC + USEC), CERTIFICATE_REASON_EXPIRED);
    certificate_profile_free(p);
}
END_TEST

START_TEST(the_policy_runs_out) {
    int64_t end = algorithm_policy_valid_until();
    CertificateProfile *p = profile_of(&(PkiRequest){.not_after = end / USEC + 1000 * DAY});
    ck_assert_uint_eq(certificate_profile_reasons_at(p, end), 0);
    ck_assert_uint_eq(certificate_profile_reasons_at(p, end + 1),
                      CERTIFICATE_REASON_WEAK_KEY | CERTIFICATE_REASON_WEAK_ALGORITHM);
    ck_assert_uint_eq(p->reasons, 0);
    certificate_profile_free(p);
}
END_TEST

START_TEST(bytes_that_are_no_certificate_are_malformed) {
    static const char *const inputs[] = {"", "0", "hello", "0\x82\xff\xff", "-----BEGIN CERTIFICATE-----\n"};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        CertificateProfile *p = NULL;
        ck_assert_int_eq(certificate_profile_new((const uint8_t *)inputs[i], strlen(inputs[i]), &p), 0);
        ck_assert_uint_eq(p->reasons, CERTIFICATE_REASON_MALFORMED);
        ck_assert_uint_eq(certificate_profile_reasons_at(p, 0), CERTIFICATE_REASON_MALFORMED);
        ck_assert_uint_eq(strlen(p->fingerprint), 64);
        ck_assert_str_eq(p->subject, "");
        ck_assert_ptr_null(p->national_id);
        ck_assert_ptr_null(p->key_usage[0]);
        certificate_profile_free(p);
    }
}
END_TEST

START_TEST(damage_is_survived) {
    PkiLeaf *leaf = NULL;
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){0}, &leaf), 0);
    for (size_t size = 0; size < leaf->der_size; size++) {
        CertificateProfile *p = NULL;
        ck_assert_int_eq(certificate_profile_new(leaf->der, size, &p), 0);
        ck_assert_uint_eq(p->reasons, CERTIFICATE_REASON_MALFORMED);
        certificate_profile_free(p);
    }
    for (size_t i = 0; i < leaf->der_size; i++)
        for (int bit = 0; bit < 8; bit++) {
            CertificateProfile *p = NULL;
            leaf->der[i] ^= (uint8_t)(1u << bit);
            ck_assert_int_eq(certificate_profile_new(leaf->der, leaf->der_size, &p), 0);
            certificate_profile_reasons_at(p, now_usec());
            certificate_profile_free(p);
            leaf->der[i] ^= (uint8_t)(1u << bit);
        }
    pki_leaf_free(leaf);
}
END_TEST

START_TEST(trailing_bytes_are_malformed) {
    PkiLeaf *leaf = NULL;
    CertificateProfile *p = NULL;
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){0}, &leaf), 0);
    uint8_t *longer = calloc(1, leaf->der_size + 1);
    memcpy(longer, leaf->der, leaf->der_size);
    ck_assert_int_eq(certificate_profile_new(longer, leaf->der_size + 1, &p), 0);
    ck_assert_uint_eq(p->reasons, CERTIFICATE_REASON_MALFORMED);
    certificate_profile_free(p);
    free(longer);
    pki_leaf_free(leaf);
}
END_TEST

START_TEST(names_are_shown_as_they_are_and_nothing_hidden) {
    static const struct {
        const char *name, *shown;
    } rows[] = {
        {"Iğdır İçel ıiIİ", "Iğdır İçel ıiIİ"},
        {"A\nB\tC", "A\\0AB\\09C"},
        {"RTL\u202eXYZ", "RTL\\E2\\80\\AEXYZ"},
        {"sıfır\u200bgenişlik", "sıfır\\E2\\80\\8Bgenişlik"},
        {"\xc2\x85"
         "satır",
         "\\C2\\85satır"},
        {"\U0001F600 gülen", "\U0001F600 gülen"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CertificateProfile *p = profile_of(&(PkiRequest){.name = rows[i].name});
        ck_assert_str_eq(p->common_name, rows[i].shown);
        ck_assert_ptr_nonnull(strstr(p->subject, rows[i].shown));
        ck_assert_uint_eq(p->reasons, 0);
        certificate_profile_free(p);
    }
}
END_TEST

START_TEST(text_that_is_no_utf8_is_refused) {
    static const char *const inputs[] = {
        "\xff",
        "\xc3",
        "\xc0\xaf",
        "\xe0\x80\xaf",
        "\xf0\x80\x80\xaf",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
        "\xe2\x80",
        "a\x80",
        "\xf8\x88\x80\x80\x80",
    };
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        ck_assert_ptr_null(text_escape((const uint8_t *)inputs[i], strlen(inputs[i])));
    char *with_nul = text_escape((const uint8_t *)"a\0b", 3);
    ck_assert_str_eq(with_nul, "a\\00b");
    free(with_nul);
}
END_TEST

START_TEST(serial_numbers_have_no_leading_zeros) {
    static const struct {
        const char *hex, *text;
    } rows[] = {{"0", "0"}, {"1", "1"}, {"ABCDEF", "abcdef"}, {"00FF00", "ff00"}, {"-80", "-80"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BIGNUM *number = NULL;
        BN_hex2bn(&number, rows[i].hex);
        ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(number, NULL);
        char *text = serial_text(serial);
        ck_assert_str_eq(text, rows[i].text);
        free(text);
        ASN1_INTEGER_free(serial);
        BN_free(number);
    }
}
END_TEST

START_TEST(the_first_reason_names_the_error) {
    ck_assert_int_eq(certificate_reasons_error(0), EONAY_OK);
    ck_assert_int_eq(certificate_reasons_error(CERTIFICATE_REASON_EXPIRED), EONAY_ERROR_CERTIFICATE_EXPIRED);
    ck_assert_int_eq(certificate_reasons_error(CERTIFICATE_REASON_EXPIRED | CERTIFICATE_REASON_REVOKED),
                     EONAY_ERROR_CERTIFICATE_REVOKED);
    ck_assert_int_eq(certificate_reasons_error(CERTIFICATE_REASON_SEAL | CERTIFICATE_REASON_EXPIRED),
                     EONAY_ERROR_CERTIFICATE_NOT_SUITABLE);
    ck_assert_str_eq(certificate_reason_name(CERTIFICATE_REASON_SEAL), "seal");
    ck_assert_str_ne(certificate_reason_text(CERTIFICATE_REASON_SEAL), "");
    ck_assert_str_eq(certificate_reason_name(0), "");
    ck_assert_str_eq(certificate_reason_name(3), "");
    ck_assert_str_eq(certificate_reason_name(1u << 31), "");
}
END_TEST

int main(void) {
    setlocale(LC_ALL, ""); /* so that a Turkish locale is met when the tests run in one */
    Suite *suite = suite_create("certificate-profile");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, each_profile_gives_its_reason_and_no_other);
    tcase_add_test(tcase, the_good_one_is_read_completely);
    tcase_add_test(tcase, keys_have_their_names_and_mechanisms);
    tcase_add_test(tcase, validity_includes_its_last_second);
    tcase_add_test(tcase, the_policy_runs_out);
    tcase_add_test(tcase, bytes_that_are_no_certificate_are_malformed);
    tcase_add_test(tcase, damage_is_survived);
    tcase_add_test(tcase, trailing_bytes_are_malformed);
    tcase_add_test(tcase, names_are_shown_as_they_are_and_nothing_hidden);
    tcase_add_test(tcase, text_that_is_no_utf8_is_refused);
    tcase_add_test(tcase, serial_numbers_have_no_leading_zeros);
    tcase_add_test(tcase, the_first_reason_names_the_error);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
