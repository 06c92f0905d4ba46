/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps by OpenSSL's own authority code, good ones and one for each way in which they can be wrong. */
#include <check.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eonay/plugin.h"
#include "levels.h"
#include "timestamp.h"

#define DAY (24 * 60 * 60LL)

static LevelScene scene;
static CadesBlob anchor, authority;
static uint8_t hash[32];
static const uint8_t nonce[TIMESTAMP_NONCE_SIZE] = {0x80, 1, 2, 3, 4, 5, 6, 7};

static void setup(void) {
    level_scene_init(&scene, "p256", EONAY_MECH_ECDSA_SHA256);
    anchor.bytes = pki_der(pki_root(scene.pki), &anchor.size);
    authority.bytes = pki_der(pki_ca(scene.pki), &authority.size);
    SHA256((const uint8_t *)"x", 1, hash);
}

static void teardown(void) {
    OPENSSL_free((void *)anchor.bytes);
    OPENSSL_free((void *)authority.bytes);
    level_scene_clear(&scene);
}

static TimestampExpectation expectation(void) {
    return (TimestampExpectation){.imprint = hash,
                                  .imprint_size = sizeof(hash),
                                  .nonce = nonce,
                                  .policy = PKI_TSA_POLICY,
                                  .anchors = &anchor,
                                  .n_anchors = 1};
}

/* The response for a request with this nonce by this authority; the token points into it. */
static uint8_t *stamp(const PkiLeaf *tsa, const uint8_t *with, int64_t at, CadesBlob *ret_token) {
    uint8_t *request = NULL;
    size_t n, size;
    ck_assert_int_eq(timestamp_request(hash, sizeof(hash), with, NULL, &request, &n), 0);
    uint8_t *response = pki_stamp(scene.pki, tsa, request, n, at, &size);
    ck_assert_ptr_nonnull(response);
    ck_assert_ptr_null(timestamp_response_open(&(CadesBlob){response, size}, ret_token));
    free(request);
    return response;
}

static void refused(const CadesBlob *token, const TimestampExpectation *e, const char *part) {
    Timestamp t;
    const char *why = timestamp_verify(token, e, &t);
    ck_assert_msg(why && strstr(why, part), "%s, not %s", why ? why : "accepted", part);
}

static void judged(const char *profile, int64_t from, int64_t until, int64_t at, const char *part) {
    PkiLeaf *tsa = NULL;
    CadesBlob token;
    TimestampExpectation e = expectation();
    ck_assert_int_eq(
        pki_issue(scene.pki, &(PkiRequest){.profile = profile, .not_before = from, .not_after = until}, &tsa), 0);
    uint8_t *response = stamp(tsa, nonce, at, &token);
    refused(&token, &e, part);
    OPENSSL_free(response);
    pki_leaf_free(tsa);
}

START_TEST(a_good_stamp_is_good) {
    static const char *const kinds[] = {"rsa2048", "rsa3072", "p256", "p384", "p521"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        PkiLeaf *tsa = NULL;
        CadesBlob token;
        Timestamp t;
        TimestampExpectation e = expectation();
        ck_assert_int_eq(pki_issue(scene.pki, &(PkiRequest){.profile = "tsa", .key = kinds[i]}, &tsa), 0);
        uint8_t *response = stamp(tsa, nonce, 0, &token);
        const char *why = timestamp_verify(&token, &e, &t);
        ck_assert_msg(!why, "%s: %s", kinds[i], why);
        ck_assert_int_le(llabs(t.time - (int64_t)time(NULL)), 5);
        ck_assert_int_eq(t.accuracy, 1000000);
        ck_assert_str_eq(t.policy, PKI_TSA_POLICY);
        ck_assert_uint_eq(t.certificate.size, tsa->der_size);
        ck_assert_mem_eq(t.certificate.bytes, tsa->der, tsa->der_size);
        OPENSSL_free(response);
        pki_leaf_free(tsa);
    }
}
END_TEST

START_TEST(each_expectation_is_asked) {
    CadesBlob token;
    uint8_t other[32] = {0}, *response = stamp(scene.tsa, nonce, 0, &token);
    TimestampExpectation e = expectation();
    e.imprint = other;
    refused(&token, &e, "other bytes");
    e = expectation();
    e.nonce = other;
    refused(&token, &e, "nonce");
    e = expectation();
    e.policy = "2.999.3161.2";
    refused(&token, &e, "policy");
    e = expectation();
    e.until = time(NULL) - 1000;
    refused(&token, &e, "span");
    e = expectation();
    e.anchors = &(CadesBlob){scene.signer->der, scene.signer->der_size};
    refused(&token, &e, "unable to get");
    OPENSSL_free(response);
    response = stamp(scene.tsa, NULL, 0, &token);
    e = expectation();
    refused(&token, &e, "nonce");
    OPENSSL_free(response);
}
END_TEST

START_TEST(only_an_authority_for_time_stamps_stamps) {
    static const char *const profiles[] = {"tsa-not-critical", "tsa-other-usage", "nes", "tsa"};
    CadesBlob token;
    uint8_t *request = NULL;
    size_t n, size;
    ck_assert_int_eq(timestamp_request(hash, sizeof(hash), nonce, NULL, &request, &n), 0);
    uint8_t *response = pki_stamp(scene.pki, scene.tsa, request, n, 0, &size);
    for (size_t i = 0; i < 4; i++) {
        PkiLeaf *by = NULL;
        TimestampExpectation e = expectation();
        CadesBlob authority_help = authority;
        ck_assert_int_eq(pki_issue(scene.pki, &(PkiRequest){.profile = profiles[i]}, &by), 0);
        token.bytes = pki_stamp_again(response, size, by, &token.size);
        ck_assert_ptr_nonnull(token.bytes);
        e.intermediates = &authority_help;
        e.n_intermediates = 1;
        Timestamp t;
        if (i < 3)
            refused(&token, &e, "for time stamps only");
        else
            ck_assert_ptr_null(timestamp_verify(&token, &e, &t));
        OPENSSL_free((void *)token.bytes);
        pki_leaf_free(by);
    }
    OPENSSL_free(response);
    free(request);
}
END_TEST

START_TEST(an_authority_stamps_while_its_certificate_is_valid) {
    int64_t now = time(NULL);
    judged("tsa", now - 300 * DAY, now - DAY, now, "expired");
    judged("tsa", now + DAY, now + 300 * DAY, now, "not yet valid");
}
END_TEST

START_TEST(a_damaged_token_is_refused) {
    CadesBlob token;
    Timestamp t;
    TimestampExpectation e = expectation();
    uint8_t *response = stamp(scene.tsa, nonce, 0, &token), *bytes = (uint8_t *)token.bytes;
    for (size_t i = 0; i < token.size; i += 7) {
        bytes[i] ^= 0x04;
        const char *why = timestamp_verify(&token, &e, &t);
        /* The contained certificate of the issuing authority is help that need not be sound. */
        if (!why)
            ck_assert_msg(t.certificate.size > 0, "byte %zu", i);
        bytes[i] ^= 0x04;
    }
    for (size_t n = 0; n < token.size; n += 64)
        ck_assert_ptr_nonnull(timestamp_verify(&(CadesBlob){token.bytes, n}, &e, &t));
    ck_assert_ptr_null(timestamp_verify(&token, &e, &t));
    OPENSSL_free(response);
}
END_TEST

/* Nothing that the signature covers may change: TSTInfo and the signed attributes. */
START_TEST(each_byte_of_the_statement_counts) {
    CadesBlob token;
    Timestamp t;
    uint8_t *response = stamp(scene.tsa, nonce, 0, &token);
    ck_assert_ptr_null(timestamp_verify(&token, NULL, &t));
    uint8_t *imprint = (uint8_t *)t.imprint.bytes;
    for (size_t i = 0; i < t.imprint.size; i++) {
        Timestamp after;
        imprint[i] ^= 1;
        ck_assert_ptr_nonnull(timestamp_verify(&token, NULL, &after));
        imprint[i] ^= 1;
    }
    OPENSSL_free(response);
}
END_TEST

START_TEST(answers_that_are_no_stamp) {
    static const uint8_t rejection[] = {0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02};
    static const uint8_t granted_nothing[] = {0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00};
    CadesBlob token;
    ck_assert_str_eq(timestamp_response_open(&(CadesBlob){rejection, sizeof(rejection)}, &token),
                     "the authority refused to stamp");
    ck_assert_ptr_nonnull(timestamp_response_open(&(CadesBlob){granted_nothing, sizeof(granted_nothing)}, &token));
    ck_assert_ptr_nonnull(timestamp_response_open(&(CadesBlob){(const uint8_t *)"<html>", 6}, &token));
    ck_assert_ptr_nonnull(timestamp_response_open(&(CadesBlob){NULL, 0}, &token));
}
END_TEST

START_TEST(another_message_is_no_token) {
    Bytes message = level_sign(&scene, 0);
    Timestamp t;
    CadesBlob blob = bytes_blob(message);
    const char *why = timestamp_verify(&blob, NULL, &t);
    ck_assert_str_eq(why, "the token is not one signed TSTInfo");
    free(message.p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("timestamp");
    TCase *tc = tcase_create("timestamp");
    tcase_set_timeout(tc, 60);
    tcase_add_unchecked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_good_stamp_is_good);
    tcase_add_test(tc, each_expectation_is_asked);
    tcase_add_test(tc, only_an_authority_for_time_stamps_stamps);
    tcase_add_test(tc, an_authority_stamps_while_its_certificate_is_valid);
    tcase_add_test(tc, a_damaged_token_is_refused);
    tcase_add_test(tc, each_byte_of_the_statement_counts);
    tcase_add_test(tc, answers_that_are_no_stamp);
    tcase_add_test(tc, another_message_is_no_token);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
