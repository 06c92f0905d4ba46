/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence that was damaged, cut or written anew after it was made, and signature policies that are none of ours. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cades-build.h"
#include "cades-oids.h"
#include "evidence.h"
#include "forge.h"

static EvidenceWorld world;
static CadesBlob archived, extended;

static void setup(void) {
    EvidencePlan p;
    evidence_world_init(&world);
    evidence_plan(&world, &p);
    archived = evidence_make(&world, &p);
    p.level = CADES_LEVEL_P4;
    extended = evidence_make(&world, &p);
}

static void teardown(void) {
    evidence_free(&archived);
    evidence_free(&extended);
    evidence_world_clear(&world);
}

static void assert_sub(CadesBlob message, const char *name, VerifySub sub, VerifyCheck failed) {
    VerifyReport *r = evidence_verify(&world, message, 0);
    ck_assert_msg(r->sub == sub && r->failed == failed, "%s: %s (%s: %s)", name, verify_sub_name(r->sub),
                  verify_check_name(r->failed), r->detail ? r->detail : "");
    verify_report_free(r);
}

START_TEST(every_truncation_is_malformed) {
    for (size_t n = 0; n < archived.size; n += 64) {
        /* A buffer of its own, so that a sanitizer sees what is read beyond it. */
        uint8_t *copy = malloc(n + 1);
        memcpy(copy, archived.bytes, n);
        assert_sub((CadesBlob){copy, n}, "truncated", VERIFY_FORMAT_FAILURE, (VerifyCheck)CADES_CHECK_ENCODING);
        free(copy);
    }
}
END_TEST

static bool inside(DerBytes bytes, size_t at) {
    return archived.bytes + at >= bytes.p && archived.bytes + at < bytes.p + bytes.n;
}

/* The shell of the newest token is covered by nothing: its own certificates, which can be found elsewhere, and repeated
 * identifiers. Its statement and its signer's part are signed. */
static bool uncovered(size_t at) {
    static Message m, token;
    size_t i = 0;
    ck_assert_ptr_null(message_parse((DerBytes){archived.bytes, archived.size}, &m));
    const MessageAttribute *a = message_unsigned_next(&m.signer, OID_ARCHIVE_TIME_STAMP_V3, &i);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_null(message_parse_token(a->values, &token));
    return inside(a->values, at) && !inside(token.content, at) && !inside(token.signer.fixed, at);
}

START_TEST(no_flipped_byte_keeps_the_level) {
    uint8_t *copy = malloc(archived.size);
    for (size_t at = 0; at < archived.size; at += 37) {
        if (uncovered(at))
            continue;
        memcpy(copy, archived.bytes, archived.size);
        copy[at] ^= 0x15;
        VerifyReport *r = evidence_verify(&world, (CadesBlob){copy, archived.size}, 0);
        ck_assert_msg(r->indication != VERIFY_TOTAL_PASSED || r->level != CADES_LEVEL_B_LTA, "byte %zu", at);
        verify_report_free(r);
    }
    free(copy);
}
END_TEST

START_TEST(indefinite_length_is_malformed) {
    /* ContentInfo with an indefinite length and its end. */
    size_t header = 4;
    uint8_t *ber = malloc(archived.size + 4);
    ck_assert_uint_eq(archived.bytes[1], 0x82);
    ber[0] = 0x30;
    ber[1] = 0x80;
    memcpy(ber + 2, archived.bytes + header, archived.size - header);
    memset(ber + archived.size - 2, 0, 2);
    assert_sub((CadesBlob){ber, archived.size}, "BER", VERIFY_FORMAT_FAILURE, (VerifyCheck)CADES_CHECK_ENCODING);
    memcpy(ber, archived.bytes, archived.size);
    ber[archived.size] = 0;
    assert_sub((CadesBlob){ber, archived.size + 1}, "trailing byte", VERIFY_FORMAT_FAILURE,
               (VerifyCheck)CADES_CHECK_ENCODING);
    free(ber);
}
END_TEST

/* --------------------------------------------------------------------------------------------- written anew -- */

/* Leaves the element that contains `drop` out of the set, or every one when it is empty. */
static void set_without(DerBuffer *set, DerBytes type) {
    DerBuffer kept = {0};
    DerElement element;
    DerBytes oid, rest = {set->bytes, set->size};
    while (der_read(&rest, &element)) {
        DerBytes inside = element.value;
        if (type.n > 0 && !(der_read_value(&inside, DER_OID, &oid) && der_equal(oid, type)))
            der_append(&kept, element.whole);
    }
    der_buffer_free(set);
    *set = kept;
}

typedef void (*Rewrite)(MessageGrowth *g);

static CadesBlob rewritten(CadesBlob message, Rewrite rewrite) {
    Message m;
    MessageGrowth g;
    uint8_t *der = NULL;
    size_t size = 0;
    ck_assert_ptr_null(message_parse((DerBytes){message.bytes, message.size}, &m));
    message_growth_init(&g, &m);
    rewrite(&g);
    ck_assert_int_eq(message_write(&m, &g, &der, &size), 0);
    message_growth_clear(&g);
    return (CadesBlob){der, size};
}

static void without_stamp(MessageGrowth *g) {
    set_without(&g->unsigned_attributes, OID_SIGNATURE_TIME_STAMP);
}
/* The lists go, the OCSP responses stay. */
static void without_lists(MessageGrowth *g) {
    DerBuffer kept = {0};
    DerElement element;
    DerBytes rest = {g->crls.bytes, g->crls.size};
    while (der_read(&rest, &element))
        if (element.tag != DER_SEQUENCE)
            der_append(&kept, element.whole);
    der_buffer_free(&g->crls);
    g->crls = kept;
}
static void without_authorities(MessageGrowth *g) {
    set_without(&g->certificates, (DerBytes){0});
    message_growth_add(&g->certificates, (DerBytes){world.signer->der, world.signer->der_size});
}
static void without_values(MessageGrowth *g) {
    DerBuffer empty = {0};
    set_without(&g->unsigned_attributes, OID_CERTIFICATE_VALUES);
    der_append_element(&empty, DER_SEQUENCE, (DerBytes){0});
    DerBuffer attribute = {0};
    attribute_append(&attribute, OID_CERTIFICATE_VALUES, buffer_bytes(&empty));
    message_growth_add(&g->unsigned_attributes, buffer_bytes(&attribute));
    der_buffer_free(&attribute);
    der_buffer_free(&empty);
}
static void token_is_no_token(MessageGrowth *g) {
    DerBuffer attribute = {0};
    set_without(&g->unsigned_attributes, OID_SIGNATURE_TIME_STAMP);
    attribute_append(&attribute, OID_SIGNATURE_TIME_STAMP, (DerBytes){archived.bytes, archived.size});
    message_growth_add(&g->unsigned_attributes, buffer_bytes(&attribute));
    der_buffer_free(&attribute);
}
static void archive_without_index(MessageGrowth *g) {
    DerBuffer attribute = {0};
    DerBytes rest = {g->unsigned_attributes.bytes, g->unsigned_attributes.size}, oid, values;
    DerElement element;
    while (der_read(&rest, &element)) {
        DerBytes inside = element.value;
        if (der_read_value(&inside, DER_OID, &oid) && der_equal(oid, OID_SIGNATURE_TIME_STAMP) &&
            der_read_value(&inside, DER_SET, &values))
            attribute_append(&attribute, OID_ARCHIVE_TIME_STAMP_V3, values);
    }
    message_growth_add(&g->unsigned_attributes, buffer_bytes(&attribute));
    der_buffer_free(&attribute);
}
static void with_later_attribute(MessageGrowth *g) {
    DerBuffer attribute = {0};
    attribute_append(&attribute, DER_BYTES(0x88, 0x37, 1), DER_BYTES(5, 0)); /* 2.999.1, NULL */
    message_growth_add(&g->unsigned_attributes, buffer_bytes(&attribute));
    der_buffer_free(&attribute);
}

static const struct {
    const char *name;
    bool extended;
    Rewrite rewrite;
    VerifySub sub;
    VerifyCheck failed;
} rewrites[] = {
    {"signature stamp taken out", false, without_stamp, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_STAMP_INDEX},
    {"revocation values taken out", false, without_lists, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_STAMP_INDEX},
    {"certificates taken out", false, without_authorities, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_STAMP_INDEX},
    {"no index in the archive stamp", true, archive_without_index, VERIFY_SIG_CONSTRAINTS_FAILURE,
     VERIFY_CHECK_STAMP_INDEX},
    {"a signature for a time stamp", true, token_is_no_token, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_STAMP_TOKEN},
    {"values without what is referenced", true, without_values, VERIFY_SIG_CONSTRAINTS_FAILURE,
     VERIFY_CHECK_REFERENCES},
};

START_TEST(what_was_taken_out_is_missed) {
    CadesBlob message = rewritten(rewrites[_i].extended ? extended : archived, rewrites[_i].rewrite);
    assert_sub(message, rewrites[_i].name, rewrites[_i].sub, rewrites[_i].failed);
    evidence_free(&message);
}
END_TEST

START_TEST(what_was_added_later_harms_nothing) {
    CadesBlob message = rewritten(archived, with_later_attribute);
    VerifyReport *r = evidence_verify(&world, message, 0);
    ck_assert_msg(r->indication == VERIFY_TOTAL_PASSED, "%s", r->detail);
    ck_assert_int_eq(r->level, CADES_LEVEL_B_LTA);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- policies -- */

/* SignaturePolicyId { sigPolicyId, sigPolicyHash { sha256, hash } }, the guide's P4 but for one thing. */
static void policy_set(Forge *f, uint8_t arc, uint8_t flip, bool twice) {
    DerBuffer value = {0};
    uint8_t hash[CADES_POLICY_HASH_SIZE];
    memcpy(hash, cades_policy_hash, sizeof(hash));
    hash[5] ^= flip;
    der_append_element(&value, DER_OID, DER_BYTES(0x60, 0x86, 0x18, 1, 0x3d, 0, 1, 0xa7, 0x4e, 3, arc, 1));
    size_t from = value.size;
    hash_append(&value, HASH_SHA256);
    der_append_element(&value, DER_OCTET_STRING, (DerBytes){hash, sizeof(hash)});
    der_wrap(&value, from, DER_SEQUENCE);
    der_wrap(&value, 0, DER_SEQUENCE);
    forge_attribute_set(f, FORGE_N_ATTRIBUTES, OID_SIGNATURE_POLICY, buffer_bytes(&value));
    if (twice)
        forge_attribute_set(f, FORGE_N_ATTRIBUTES + 1, OID_SIGNATURE_POLICY, buffer_bytes(&value));
    der_buffer_free(&value);
}

static void policy_hash_other(Forge *f) {
    policy_set(f, 3, 1, false);
}
static void policy_unknown(Forge *f) {
    policy_set(f, 4, 0, false);
}
static void policy_twice(Forge *f) {
    policy_set(f, 3, 0, true);
}
static void policy_implied(Forge *f) {
    forge_attribute_set(f, FORGE_N_ATTRIBUTES, OID_SIGNATURE_POLICY, DER_BYTES(5, 0));
}

static const struct {
    const char *name;
    void (*change)(Forge *);
    VerifySub sub;
    VerifyCheck failed;
} policies[] = {
    {"another policy's hash", policy_hash_other, VERIFY_POLICY_PROCESSING_ERROR, VERIFY_CHECK_SIGNATURE_POLICY},
    {"unknown policy", policy_unknown, VERIFY_SIGNATURE_POLICY_NOT_AVAILABLE, VERIFY_CHECK_SIGNATURE_POLICY},
    {"two policies", policy_twice, VERIFY_SIG_CONSTRAINTS_FAILURE, (VerifyCheck)CADES_CHECK_SIGNED_ATTRIBUTES},
    {"implied policy", policy_implied, VERIFY_SIG_CONSTRAINTS_FAILURE, (VerifyCheck)CADES_CHECK_SIGNED_ATTRIBUTES},
};

START_TEST(other_policies_are_told_apart) {
    Forge f;
    DerBuffer message;
    forge_init(&f, world.signer, EONAY_MECH_ECDSA_SHA256);
    policies[_i].change(&f);
    ck_assert(forge_message(&f, &message));
    assert_sub((CadesBlob){message.bytes, message.size}, policies[_i].name, policies[_i].sub, policies[_i].failed);
    der_buffer_free(&message);
    forge_clear(&f);
}
END_TEST

#define N(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void) {
    Suite *suite = suite_create("verify-damage");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, every_truncation_is_malformed);
    tcase_add_test(tcase, no_flipped_byte_keeps_the_level);
    tcase_add_test(tcase, indefinite_length_is_malformed);
    tcase_add_loop_test(tcase, what_was_taken_out_is_missed, 0, N(rewrites));
    tcase_add_test(tcase, what_was_added_later_harms_nothing);
    tcase_add_loop_test(tcase, other_policies_are_told_apart, 0, N(policies));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
