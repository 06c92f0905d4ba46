/* SPDX-License-Identifier: Apache-2.0 */
/* The trust store byte for byte, the path to its anchors, and the time stamps that a message is taken to have. */
#include <check.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "cades-path.h"
#include "cades-stamps.h"
#include "evidence.h"
#include "trust-store.h"

static EvidenceWorld world;
static CadesBlob private_key, public_key, other_public;

static CadesBlob pem_of(EVP_PKEY *key, bool private) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    ck_assert_int_eq(
        private ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) : PEM_write_bio_PUBKEY(bio, key), 1);
    long n = BIO_get_mem_data(bio, &text);
    uint8_t *copy = malloc((size_t)n);
    memcpy(copy, text, (size_t)n);
    BIO_free(bio);
    return (CadesBlob){copy, (size_t)n};
}

static void setup(void) {
    evidence_world_init(&world);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    private_key = pem_of(key, true);
    public_key = pem_of(key, false);
    other_public = pem_of(other, false);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void teardown(void) {
    evidence_world_clear(&world);
    evidence_free(&private_key);
    evidence_free(&public_key);
    evidence_free(&other_public);
}

/* ------------------------------------------------------------------------------------------------ the trust store --
 */

static CadesBlob sealed(uint32_t number) {
    const CadesBlob anchors[] = {world.root, world.root};
    uint8_t *bytes = NULL;
    size_t size = 0;
    const char *why = trust_store_seal(number, 1700000000, anchors, 2, &world.ca, 1, &private_key, &bytes, &size);
    ck_assert_msg(!why, "%s", why);
    return (CadesBlob){bytes, size};
}

static bool same(const CadesBlob *a, const CadesBlob *b) {
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

START_TEST(a_store_holds_what_was_put_in) {
    static const uint32_t numbers[] = {0, 1, 127, 128, 255, 256, 65535, INT32_MAX};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        TrustStore *t = NULL;
        CadesBlob file = sealed(numbers[i]);
        const char *why = trust_store_open(&file, &public_key, &t);
        ck_assert_msg(!why, "%u: %s", numbers[i], why);
        ck_assert_uint_eq(t->number, numbers[i]);
        ck_assert_int_eq(t->made, 1700000000);
        ck_assert_uint_eq(t->n_anchors, 1); /* the double is left out */
        ck_assert_uint_eq(t->n_intermediates, 1);
        ck_assert(same(&t->anchors[0], &world.root) && same(&t->intermediates[0], &world.ca));
        trust_store_free(t);
        evidence_free(&file);
    }
}
END_TEST

START_TEST(no_byte_of_it_may_change) {
    CadesBlob file = sealed(7);
    uint8_t *bytes = malloc(file.size + 1);
    TrustStore *t = NULL;
    memcpy(bytes, file.bytes, file.size);
    for (size_t i = 0; i < file.size; i++) {
        bytes[i] ^= 1;
        ck_assert_msg(trust_store_open(&(CadesBlob){bytes, file.size}, &public_key, &t), "byte %zu", i);
        bytes[i] ^= 1;
        ck_assert_msg(trust_store_open(&(CadesBlob){bytes, i}, &public_key, &t), "cut at %zu", i);
    }
    bytes[file.size] = 0;
    ck_assert_ptr_nonnull(trust_store_open(&(CadesBlob){bytes, file.size + 1}, &public_key, &t));
    ck_assert_ptr_null(trust_store_open(&(CadesBlob){bytes, file.size}, &public_key, &t));
    trust_store_free(t);
    free(bytes);
    evidence_free(&file);
}
END_TEST

START_TEST(only_its_own_key_opens_it) {
    CadesBlob file = sealed(7);
    TrustStore *t = NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    ck_assert_str_eq(trust_store_open(&file, &other_public, &t), "the trust store's signature is wrong");
    ck_assert_ptr_nonnull(trust_store_open(&file, &private_key, &t));
    ck_assert_ptr_nonnull(trust_store_open(&file, &world.root, &t));
    ck_assert_ptr_nonnull(
        trust_store_seal(7, 1700000000, &world.root, 1, NULL, 0, &public_key, &bytes, &size)); /* no key to sign with */
    ck_assert_ptr_nonnull(
        trust_store_seal(INT32_MAX + 1u, 1700000000, &world.root, 1, NULL, 0, &private_key, &bytes, &size));
    ck_assert_ptr_null(t);
    ck_assert_ptr_null(bytes);
    evidence_free(&file);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- the path --
 */

static CadesBlob leaf_of(const PkiLeaf *leaf) {
    return (CadesBlob){leaf->der, leaf->der_size};
}

START_TEST(a_path_leads_to_an_anchor) {
    const CadesBlob none = {0}, signer = leaf_of(world.signer);
    const CadesExpectation known = {
        .anchors = &world.root, .n_anchors = 1, .intermediates = &world.ca, .n_intermediates = 1, .at = world.now};
    CadesExpectation alone = known;
    CadesPath path = {0};
    alone.n_intermediates = 0;
    ck_assert_ptr_null(cades_path_build(&signer, &none, &known, false, &path));
    ck_assert_uint_eq(path.n, 3);
    ck_assert(same(&path.certificate[0], &signer) && same(&path.certificate[1], &world.ca) &&
              same(&path.certificate[2], &world.root));
    cades_path_clear(&path);
    ck_assert_ptr_null(cades_path_build(&signer, &world.ca, &alone, false, &path)); /* the issuer is contained */
    ck_assert_uint_eq(path.n, 3);
    cades_path_clear(&path);
}
END_TEST

START_TEST(there_is_no_path) {
    const CadesBlob none = {0}, signer = leaf_of(world.signer), tsa = leaf_of(world.tsa);
    const CadesExpectation known = {
        .anchors = &world.root, .n_anchors = 1, .intermediates = &world.ca, .n_intermediates = 1, .at = world.now};
    CadesExpectation without = known, other = known, late = known;
    CadesPath path = {0};
    without.n_intermediates = 0;
    other.anchors = &world.other_root;
    late.at = world.now + 200 * EVIDENCE_DAY;
    ck_assert_ptr_nonnull(cades_path_build(&signer, &none, &without, false, &path));
    ck_assert_ptr_nonnull(cades_path_build(&signer, &none, &other, false, &path));
    ck_assert_ptr_nonnull(cades_path_build(&signer, &none, &late, false, &path));
    ck_assert_ptr_nonnull(cades_path_build(&signer, &none, &known, true, &path)); /* he stamps nothing */
    ck_assert_ptr_nonnull(cades_path_build(&none, &none, &known, false, &path));
    ck_assert_ptr_null(cades_path_build(&tsa, &none, &known, true, &path));
    cades_path_clear(&path);
    ck_assert(cades_is_issuer(&world.ca, &signer) && !cades_is_issuer(&world.root, &signer));
    ck_assert(cades_is_anchor(&world.root, &known) && !cades_is_anchor(&world.ca, &known));
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- the stamps -- */

static const struct {
    int level, archives;
    size_t stamps;
} stamped[] = {{CADES_LEVEL_B_B, 0, 0},   {CADES_LEVEL_B_T, 0, 1},   {CADES_LEVEL_B_LT, 0, 1},
               {CADES_LEVEL_B_LTA, 1, 2}, {CADES_LEVEL_B_LTA, 3, 4}, {CADES_LEVEL_P4, 0, 1}};

START_TEST(stamps_are_found) {
    CadesBlob tokens[CADES_STAMPS_MAX];
    EvidencePlan p;
    int64_t time = 0;
    evidence_plan(&world, &p);
    p.level = stamped[_i].level;
    p.n_archives = stamped[_i].archives;
    CadesBlob m = evidence_make(&world, &p);
    const CadesExpectation trust = {
        .anchors = &world.root, .n_anchors = 1, .intermediates = &world.ca, .n_intermediates = 1};
    CadesExpectation other = trust;
    other.anchors = &world.other_root;
    ck_assert_uint_eq(cades_stamps_list(m.bytes, m.size, tokens), stamped[_i].stamps);
    const char *why = cades_stamps_check(m.bytes, m.size, &trust, &time);
    ck_assert_msg((why == NULL) == (stamped[_i].stamps > 0), "%s", why ? why : "none is there");
    if (!why)
        ck_assert_int_eq(time, p.stamped_at);
    ck_assert_ptr_nonnull(cades_stamps_check(m.bytes, m.size, &other, &time));
    ck_assert_uint_eq(cades_stamps_list(m.bytes, m.size / 2, tokens), 0);
    evidence_free(&m);
}
END_TEST

START_TEST(one_over_other_bytes_is_none) {
    EvidencePlan p;
    int64_t time = 0;
    evidence_plan(&world, &p);
    p.level = CADES_LEVEL_B_T;
    p.stamp_other_bytes = true;
    CadesBlob m = evidence_make(&world, &p);
    ck_assert_ptr_nonnull(cades_stamps_check(m.bytes, m.size, NULL, &time));
    evidence_free(&m);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("store-path");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_store_holds_what_was_put_in);
    tcase_add_test(tcase, no_byte_of_it_may_change);
    tcase_add_test(tcase, only_its_own_key_opens_it);
    tcase_add_test(tcase, a_path_leads_to_an_anchor);
    tcase_add_test(tcase, there_is_no_path);
    tcase_add_loop_test(tcase, stamps_are_found, 0, sizeof(stamped) / sizeof(stamped[0]));
    tcase_add_test(tcase, one_over_other_bytes_is_none);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
