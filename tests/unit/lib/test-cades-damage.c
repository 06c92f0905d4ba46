/* SPDX-License-Identifier: Apache-2.0 */
/* Damage of every kind to good messages: no byte of a message may be changed, dropped or added. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cades-oids.h"
#include "cades.h"
#include "forge.h"
#include "pki.h"

static Pki *pki;
static PkiLeaf *leaf, *rsa_leaf;

static void setup(void) {
    ck_assert_int_eq(pki_new(&pki), 0);
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.key = "p256"}, &leaf), 0);
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.key = "rsa2048"}, &rsa_leaf), 0);
}

static void teardown(void) {
    pki_leaf_free(leaf);
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

#define EC    EONAY_MECH_ECDSA_SHA256
#define PKCS1 EONAY_MECH_RSA_PKCS1_SHA256
#define PSS   EONAY_MECH_RSA_PSS_SHA256

static void good_message(const PkiLeaf *of, uint32_t mechanism, DerBuffer *ret) {
    Forge f;
    forge_init(&f, of, mechanism);
    message_make(&f, ret);
    forge_clear(&f);
}

static bool valid(const uint8_t *bytes, size_t size) {
    CadesReport *report = verify(bytes, size);
    bool answer = report->valid;
    cades_report_free(report);
    return answer;
}

START_TEST(no_flipped_byte_passes) {
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    DerBuffer message;
    good_message(_i == 0 ? leaf : rsa_leaf, _i == 0 ? EC : PKCS1, &message);
    ck_assert(valid(message.bytes, message.size));
    for (size_t i = 0; i < message.size; i++)
        for (size_t m = 0; m < sizeof(masks); m++) {
            message.bytes[i] ^= masks[m];
            ck_assert_msg(!valid(message.bytes, message.size), "byte %zu mask %02x", i, masks[m]);
            message.bytes[i] ^= masks[m];
        }
    der_buffer_free(&message);
}
END_TEST

START_TEST(no_truncation_passes) {
    DerBuffer message;
    good_message(leaf, EC, &message);
    for (size_t size = 0; size < message.size; size++) {
        uint8_t *exact = malloc(size > 0 ? size : 1); /* so that a sanitizer sees a read beyond */
        memcpy(exact, message.bytes, size);
        CadesReport *report = verify(exact, size);
        ck_assert(!report->valid && report->failed == CADES_CHECK_ENCODING);
        cades_report_free(report);
        free(exact);
    }
    der_buffer_free(&message);
}
END_TEST

START_TEST(nothing_may_follow) {
    static const uint8_t tails[][2] = {{0, 0}, {5, 0}, {'\r', '\n'}};
    DerBuffer message;
    good_message(leaf, EC, &message);
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 1; n <= 2; n++) {
            DerBuffer longer = {0};
            der_append(&longer, (DerBytes){message.bytes, message.size});
            der_append(&longer, (DerBytes){tails[i], n});
            CadesReport *report = verify(longer.bytes, longer.size);
            ck_assert(!report->valid && report->failed == CADES_CHECK_ENCODING);
            cades_report_free(report);
            der_buffer_free(&longer);
        }
    der_buffer_free(&message);
}
END_TEST

/* The outer SEQUENCE with indefinite length, and with a length of one octet more than needed. */
START_TEST(ber_lengths_are_refused) {
    DerBuffer message;
    DerElement outer;
    good_message(leaf, EC, &message);
    DerBytes rest = {message.bytes, message.size};
    ck_assert(der_read(&rest, &outer));
    DerBuffer indefinite = {0}, padded = {0};
    der_append(&indefinite, DER_BYTES(0x30, 0x80));
    der_append(&indefinite, outer.value);
    der_append(&indefinite, DER_BYTES(0, 0));
    der_append(&padded, DER_BYTES(0x30, 0x83, 0, (uint8_t)(outer.value.n >> 8), (uint8_t)outer.value.n));
    der_append(&padded, outer.value);
    CadesReport *report = verify(indefinite.bytes, indefinite.size);
    ck_assert(!report->valid && report->failed == CADES_CHECK_ENCODING);
    cades_report_free(report);
    report = verify(padded.bytes, padded.size);
    ck_assert(!report->valid && report->failed == CADES_CHECK_ENCODING);
    cades_report_free(report);
    der_buffer_free(&indefinite);
    der_buffer_free(&padded);
    der_buffer_free(&message);
}
END_TEST

/*
 * Copies `in`, with a NULL put at the end of the constructed element number *number, counted from the outside in;
 * lengths stay right. Certificates and contents are primitive for it.
 */
static void stuff(DerBytes in, int *number, DerBuffer *out) {
    DerElement element;
    while (der_read(&in, &element)) {
        if (!(element.tag & 0x20)) {
            der_append(out, element.whole);
            continue;
        }
        bool here = (*number)-- == 0;
        size_t from = out->size;
        stuff(element.value, number, out);
        if (here)
            der_append(out, DER_BYTES(DER_NULL, 0));
        der_wrap(out, from, element.tag);
    }
}

START_TEST(nothing_may_be_added_inside) {
    DerBuffer message;
    int number, added = 0;
    good_message(_i == 0 ? leaf : rsa_leaf, _i == 0 ? EC : PSS, &message);
    for (int k = 0;; k++) {
        DerBuffer stuffed = {0};
        number = k;
        stuff((DerBytes){message.bytes, message.size}, &number, &stuffed);
        bool same = stuffed.size == message.size;
        ck_assert_msg(valid(stuffed.bytes, stuffed.size) == same, "element %d", k);
        added += !same;
        der_buffer_free(&stuffed);
        if (same)
            break;
    }
    ck_assert_int_gt(added, 50);
    der_buffer_free(&message);
}
END_TEST

/* Right in every way but its size. */
START_TEST(a_message_beyond_the_limit_is_refused) {
    Forge f;
    DerBuffer message;
    size_t size = 8u * 1024 * 1024;
    uint8_t *content = calloc(1, size), digest[2 + HASH_SIZE_MAX] = {4, 32};
    for (int i = 0; i < 2; i++) {
        forge_init(&f, leaf, EC);
        f.content = (DerBytes){content, i == 0 ? size : size - 4096};
        hash_bytes(HASH_SHA256, f.content, digest + 2);
        forge_attribute_set(&f, FORGE_MESSAGE_DIGEST, OID_MESSAGE_DIGEST, (DerBytes){digest, 34});
        message_make(&f, &message);
        ck_assert(valid(message.bytes, message.size) == (i == 1));
        der_buffer_free(&message);
        forge_clear(&f);
    }
    free(content);
}
END_TEST

START_TEST(huge_and_empty_input_is_refused) {
    size_t size = 9u * 1024 * 1024;
    uint8_t *zeros = calloc(1, size);
    ck_assert_ptr_nonnull(zeros);
    ck_assert(!valid(zeros, size));
    ck_assert(!valid(zeros, 0));
    ck_assert(!valid(NULL, 0));
    memset(zeros, 0x30, size); /* deep nesting */
    ck_assert(!valid(zeros, size));
    ck_assert(!valid(zeros, 1024));
    free(zeros);
}
END_TEST

/* A fixed sequence of random damage, so that a failure can be repeated. */
START_TEST(random_damage_never_passes) {
    uint32_t state = 20261122u + (uint32_t)_i;
    DerBuffer message;
    good_message(leaf, EC, &message);
    uint8_t *copy = malloc(message.size);
    for (int round = 0; round < 3000; round++) {
        memcpy(copy, message.bytes, message.size);
        for (int n = 0; n < 1 + round % 4; n++) {
            state = state * 1664525u + 1013904223u;
            copy[(state >> 8) % message.size] ^= (uint8_t)(1u << (state >> 29));
        }
        if (memcmp(copy, message.bytes, message.size) != 0)
            ck_assert_msg(!valid(copy, message.size), "round %d", round);
    }
    free(copy);
    der_buffer_free(&message);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cades-damage");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, no_flipped_byte_passes, 0, 2);
    tcase_add_test(tcase, no_truncation_passes);
    tcase_add_test(tcase, nothing_may_follow);
    tcase_add_loop_test(tcase, nothing_may_be_added_inside, 0, 2);
    tcase_add_test(tcase, ber_lengths_are_refused);
    tcase_add_test(tcase, a_message_beyond_the_limit_is_refused);
    tcase_add_test(tcase, huge_and_empty_input_is_refused);
    tcase_add_loop_test(tcase, random_damage_never_passes, 0, 4);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
