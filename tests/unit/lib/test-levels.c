/* SPDX-License-Identifier: Apache-2.0 */
/* Every level with every kind of key: what is in it, where, and that nothing signed or stamped before was changed. */
#include <check.h>
#include <openssl/cms.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "cades-build.h"
#include "cades-oids.h"
#include "cades-policy.h"
#include "eonay/plugin.h"
#include "levels.h"
#include "timestamp.h"

static const struct {
    const char *key;
    uint32_t mechanism;
} keys[] = {
    {"rsa2048", EONAY_MECH_RSA_PKCS1_SHA256},
    {"rsa2048", EONAY_MECH_RSA_PSS_SHA256},
    {"p256", EONAY_MECH_ECDSA_SHA256},
    {"p384", EONAY_MECH_ECDSA_SHA384},
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static LevelScene scenes[N_KEYS];

static void setup(void) {
    for (size_t i = 0; i < N_KEYS; i++)
        level_scene_init(&scenes[i], keys[i].key, keys[i].mechanism);
}

static void teardown(void) {
    for (size_t i = 0; i < N_KEYS; i++)
        level_scene_clear(&scenes[i]);
}

static Message parse(Bytes b) {
    Message m;
    const char *why = message_parse((DerBytes){b.p, b.n}, &m);
    ck_assert_msg(!why, "%s", why);
    return m;
}

static void base_is_sound(const LevelScene *s, Bytes b) {
    CadesReport *report = NULL;
    CadesExpectation expect = {.content = (const uint8_t *)s->content,
                               .content_size = strlen(s->content),
                               .certificate = s->signer->der,
                               .certificate_size = s->signer->der_size,
                               .higher_levels = true};
    ck_assert_int_eq(cades_verify(b.p, b.n, &expect, &report), 0);
    ck_assert_msg(report->valid, "%s", report->detail);
    cades_report_free(report);
}

/* OpenSSL's parser has its own idea of the grammar. */
static void openssl_reads_it(Bytes b) {
    const unsigned char *p = b.p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)b.n);
    ck_assert_ptr_nonnull(cms);
    ck_assert_ptr_eq(p, b.p + b.n);
    unsigned char *again = NULL;
    ck_assert_int_eq(i2d_CMS_ContentInfo(cms, &again), (int)b.n);
    ck_assert_mem_eq(again, b.p, b.n);
    OPENSSL_free(again);
    CMS_ContentInfo_free(cms);
}

START_TEST(each_level_is_what_it_says) {
    for (int level = 0; level < CADES_N_LEVELS; level++) {
        const LevelScene *s = &scenes[_i];
        Bytes b = level_make(s, (CadesLevel)level);
        base_is_sound(s, b);
        openssl_reads_it(b);
        int claimed = cades_level_claimed(b.p, b.n);
        ck_assert_int_eq(claimed, level == CADES_LEVEL_P1 ? CADES_LEVEL_B_B : level);
        free(b.p);
    }
}
END_TEST

START_TEST(a_level_is_not_taken_for_the_plain_one) {
    Bytes b = level_make(&scenes[0], CADES_LEVEL_B_T);
    CadesReport *report = NULL;
    ck_assert_int_eq(cades_verify(b.p, b.n, NULL, &report), 0);
    ck_assert(!report->valid);
    ck_assert_int_eq((int)report->failed, CADES_CHECK_UNSIGNED_ATTRIBUTES);
    cades_report_free(report);
    free(b.p);
}
END_TEST

static size_t count_unsigned(const Message *m, DerBytes oid) {
    size_t n = 0, i = 0;
    while (message_unsigned_next(&m->signer, oid, &i))
        n++;
    return n;
}

START_TEST(material_is_in_the_place_of_its_level) {
    Bytes lt = level_make(&scenes[2], CADES_LEVEL_B_LT), p4 = level_make(&scenes[2], CADES_LEVEL_P4);
    Message m = parse(lt);
    ck_assert_uint_eq(m.version, 5);
    ck_assert_uint_eq(m.n_certificates, 4);
    ck_assert_uint_eq(m.n_crls, 3);
    ck_assert(m.has_other_crls);
    ck_assert_uint_eq(m.signer.n_unsigned, 1);
    m = parse(p4);
    ck_assert_uint_eq(m.version, 1);
    ck_assert_uint_eq(m.n_certificates, 1);
    ck_assert(!m.has_crls);
    ck_assert_uint_eq(count_unsigned(&m, OID_SIGNATURE_TIME_STAMP), 1);
    ck_assert_uint_eq(count_unsigned(&m, OID_CERTIFICATE_REFERENCES), 1);
    ck_assert_uint_eq(count_unsigned(&m, OID_REVOCATION_REFERENCES), 1);
    ck_assert_uint_eq(count_unsigned(&m, OID_CERTIFICATE_VALUES), 1);
    ck_assert_uint_eq(count_unsigned(&m, OID_REVOCATION_VALUES), 1);
    ck_assert_uint_eq(m.signer.n_unsigned, 5);
    free(lt.p);
    free(p4.p);
}
END_TEST

START_TEST(profiles_name_their_policy) {
    static const CadesLevel levels[] = {CADES_LEVEL_P2, CADES_LEVEL_P3, CADES_LEVEL_P4};
    static const uint8_t p3_oid[] = {0x06, 0x0c, 0x60, 0x86, 0x18, 0x01, 0x3d,
                                     0x00, 0x01, 0xa7, 0x4e, 0x03, 0x02, 0x01};
    for (uint8_t i = 0; i < 3; i++) {
        Bytes b = level_make(&scenes[0], levels[i]);
        Message m = parse(b);
        DerBytes value;
        PolicyId id;
        ck_assert(message_signed_value(&m.signer, OID_SIGNATURE_POLICY, &value));
        ck_assert(policy_read(value, &id));
        ck_assert_uint_eq(id.policy, i + 1);
        ck_assert(id.hash_right);
        ck_assert_uint_eq(id.uri.n, strlen(CADES_POLICY_URI));
        ck_assert_mem_eq(id.uri.p, CADES_POLICY_URI, id.uri.n);
        if (i == 1)
            ck_assert_mem_eq(id.oid.p - 2, p3_oid, sizeof(p3_oid));
        free(b.p);
    }
}
END_TEST

START_TEST(a_changed_policy_breaks_the_signature) {
    Bytes b = level_sign(&scenes[2], 3);
    CadesReport *report = NULL;
    uint8_t *hash = memmem(b.p, b.n, cades_policy_hash, CADES_POLICY_HASH_SIZE);
    ck_assert_ptr_nonnull(hash);
    hash[5] ^= 1;
    ck_assert_int_eq(cades_verify(b.p, b.n, NULL, &report), 0);
    ck_assert_int_eq((int)report->failed, CADES_CHECK_SIGNATURE);
    cades_report_free(report);
    free(b.p);
}
END_TEST

/* The value of an archive time stamp, from the message that has it. */
static DerBytes archive_stamp(const Message *m, size_t skip) {
    size_t i = 0;
    const MessageAttribute *a = message_unsigned_next(&m->signer, OID_ARCHIVE_TIME_STAMP_V3, &i);
    while (a && skip-- > 0)
        a = message_unsigned_next(&m->signer, OID_ARCHIVE_TIME_STAMP_V3, &i);
    ck_assert_ptr_nonnull(a);
    return a->values;
}

static void index_of(DerBytes stamp, DerBytes *ret_index) {
    Message t;
    size_t i = 0;
    ck_assert_ptr_null(message_parse_token(stamp, &t));
    const MessageAttribute *a = message_unsigned_next(&t.signer, OID_ATS_HASH_INDEX_V3, &i);
    ck_assert_ptr_nonnull(a);
    *ret_index = a->values;
}

START_TEST(an_archive_stamp_stamps_everything_that_was_there) {
    Bytes lt = level_make(&scenes[3], CADES_LEVEL_B_LT);
    Message before = parse(lt);
    DerBuffer index = {0};
    uint8_t imprint[HASH_SIZE_MAX];
    ck_assert(archive_index_append(&index, &before, HASH_SHA256));
    ck_assert(archive_imprint(&before, HASH_SHA256, buffer_bytes(&index), imprint));
    Bytes kept = {malloc(lt.n), lt.n};
    memcpy(kept.p, lt.p, lt.n);
    Bytes lta = level_add_archive(&scenes[3], lt);
    Message m = parse(lta);
    DerBytes found, stamp = archive_stamp(&m, 0);
    index_of(stamp, &found);
    ck_assert(der_equal(found, buffer_bytes(&index)));
    Timestamp t;
    CadesBlob token = {stamp.p, stamp.n};
    const char *why = timestamp_verify(&token, &(TimestampExpectation){.imprint = imprint, .imprint_size = 32}, &t);
    ck_assert_msg(!why, "%s", why);
    Message again = parse(kept);
    ck_assert(der_equal(again.signer.fixed, m.signer.fixed));
    ck_assert(der_equal(again.crls, m.crls));
    der_buffer_free(&index);
    free(kept.p);
    free(lta.p);
}
END_TEST

START_TEST(a_renewal_adds_a_second_archive_stamp_over_the_first) {
    Bytes first = level_make(&scenes[0], CADES_LEVEL_B_LTA);
    CadesArchive archive;
    ck_assert_int_eq(cades_archive_begin(first.p, first.n, &archive), 0);
    Bytes renewed = level_add_archive(&scenes[0], first);
    Message m = parse(renewed);
    ck_assert_uint_eq(count_unsigned(&m, OID_ARCHIVE_TIME_STAMP_V3), 2);
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        DerBytes index, stamp = archive_stamp(&m, i);
        index_of(stamp, &index);
        found |= der_equal(index, (DerBytes){archive.index, archive.index_size});
    }
    ck_assert(found);
    ck_assert_int_eq(cades_level_claimed(renewed.p, renewed.n), CADES_LEVEL_B_LTA);
    cades_archive_clear(&archive);
    free(renewed.p);
}
END_TEST

START_TEST(what_is_no_message_cannot_be_raised) {
    Bytes b = level_sign(&scenes[2], 0);
    uint8_t *out = NULL;
    size_t n = 0;
    CadesBlob junk = {(const uint8_t *)"junk", 4};
    ck_assert_int_eq(cades_add_signature_stamp(b.p, b.n, &junk, &out, &n), EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_int_eq(cades_add_signature_stamp(b.p, b.n - 1, &(CadesBlob){b.p, b.n}, &out, &n),
                     EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_int_eq(cades_level_claimed(junk.bytes, junk.size), -1);
    CadesPathStep step = {.certificate = {scenes[2].signer->der, scenes[2].signer->der_size}, .ocsp = junk};
    ck_assert_int_eq(cades_add_values(b.p, b.n, &step, 1, NULL, &out, &n), EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_int_eq(cades_add_values(b.p, b.n, &step, 0, NULL, &out, &n), EONAY_ERROR_SIGNATURE_INVALID);
    ck_assert_ptr_null(out);
    free(b.p);
}
END_TEST

START_TEST(levels_have_names) {
    CadesLevel level;
    for (int i = 0; i < CADES_N_LEVELS; i++) {
        ck_assert(cades_level_find(cades_level_traits((CadesLevel)i)->name, &level));
        ck_assert_int_eq((int)level, i);
    }
    ck_assert(!cades_level_find("b-t", &level));
    ck_assert(!cades_level_find("", &level));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("levels");
    TCase *tc = tcase_create("levels");
    tcase_set_timeout(tc, 60);
    tcase_add_unchecked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, each_level_is_what_it_says, 0, N_KEYS);
    tcase_add_test(tc, a_level_is_not_taken_for_the_plain_one);
    tcase_add_test(tc, material_is_in_the_place_of_its_level);
    tcase_add_test(tc, profiles_name_their_policy);
    tcase_add_test(tc, a_changed_policy_breaks_the_signature);
    tcase_add_test(tc, an_archive_stamp_stamps_everything_that_was_there);
    tcase_add_test(tc, a_renewal_adds_a_second_archive_stamp_over_the_first);
    tcase_add_test(tc, what_is_no_message_cannot_be_raised);
    tcase_add_test(tc, levels_have_names);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
