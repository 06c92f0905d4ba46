/* SPDX-License-Identifier: Apache-2.0 */
/* Good signatures of every level, at the moment they were made and later: what is found, and until when it holds. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"

static EvidenceWorld world;

static void setup(void) {
    evidence_world_init(&world);
}
static void teardown(void) {
    evidence_world_clear(&world);
}

static const VerifyFinding *finding(const VerifyReport *r, VerifyCheck check) {
    for (size_t i = 0; i < r->n_findings; i++)
        if (r->finding[i].check == check)
            return &r->finding[i];
    return NULL;
}

static void assert_verdict(const VerifyReport *r, const char *name, VerifySub sub) {
    ck_assert_msg(r->sub == sub, "%s: %s/%s (%s: %s)", name, verify_indication_name(r->indication),
                  verify_sub_name(r->sub), verify_check_name(r->failed), r->detail ? r->detail : "");
}

static const struct {
    CadesLevel level;
    EvidenceKind kind;
} levels[] = {
    {CADES_LEVEL_B_LT, EVIDENCE_OCSP}, {CADES_LEVEL_B_LT, EVIDENCE_CRL}, {CADES_LEVEL_B_LTA, EVIDENCE_OCSP},
    {CADES_LEVEL_B_LTA, EVIDENCE_CRL}, {CADES_LEVEL_P3, EVIDENCE_CRL},   {CADES_LEVEL_P4, EVIDENCE_OCSP},
};

START_TEST(a_level_with_its_material_passes) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    p.level = levels[_i].level;
    p.signer_kind = levels[_i].kind;
    CadesBlob message = evidence_make(&world, &p);
    VerifyReport *r = evidence_verify(&world, message, 0);
    const char *name = cades_level_traits(levels[_i].level)->name;
    assert_verdict(r, name, VERIFY_SUB_NONE);
    ck_assert_str_eq(verify_indication_name(r->indication), "TOTAL-PASSED");
    ck_assert_int_eq(r->level, levels[_i].level);
    ck_assert_int_eq(r->level_claimed, levels[_i].level);
    ck_assert(r->proven && r->qualified);
    ck_assert_int_eq(r->best_time, p.stamped_at);
    ck_assert_int_eq(r->revocation.status, REVOCATION_GOOD);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

/* Without revocation values in it, a signature is undecided until somebody brings them. */
static const CadesLevel bare[] = {CADES_LEVEL_B_B, CADES_LEVEL_B_T, CADES_LEVEL_P2};

START_TEST(a_level_without_material_wants_it_from_elsewhere) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    p.level = bare[_i];
    /* A list or response from after the moment of verification's past answers for it. */
    p.answered_at = world.now;
    CadesBlob message = evidence_make(&world, &p);
    VerifyReport *r = evidence_verify(&world, message, 0);
    assert_verdict(r, "alone", VERIFY_TRY_LATER);
    ck_assert_int_eq(r->level, bare[_i]);
    verify_report_free(r);
    CadesBlob ocsp = evidence_answer(&world, &p, p.signer->certificate, EVIDENCE_OCSP, -1);
    CadesBlob crl = evidence_answer(&world, &p, pki_ca(world.pki), EVIDENCE_CRL, -1);
    VerifyRequest q = {.signature = message,
                       .anchors = &world.root,
                       .n_anchors = 1,
                       .certificates = &world.ca,
                       .n_certificates = 1,
                       .ocsps = &ocsp,
                       .n_ocsps = 1,
                       .crls = &crl,
                       .n_crls = 1,
                       .level = bare[_i]};
    ck_assert_int_eq(verify_signature(&q, &r), 0);
    assert_verdict(r, "with answers", VERIFY_SUB_NONE);
    verify_report_free(r);
    evidence_free(&ocsp);
    evidence_free(&crl);
    evidence_free(&message);
}
END_TEST

/* The signer's and the first authority's certificates end in 100 days, the later authority's in 300. */
static const struct {
    CadesLevel level;
    int days;
    VerifySub sub;
} later[] = {
    {CADES_LEVEL_B_LT, 90, VERIFY_SUB_NONE},
    {CADES_LEVEL_B_LT, 110, VERIFY_OUT_OF_BOUNDS_NO_POE},
    {CADES_LEVEL_B_LTA, 110, VERIFY_SUB_NONE},
    {CADES_LEVEL_B_LTA, 290, VERIFY_SUB_NONE},
    {CADES_LEVEL_B_LTA, 310, VERIFY_OUT_OF_BOUNDS_NO_POE},
    {CADES_LEVEL_P4, 110, VERIFY_OUT_OF_BOUNDS_NO_POE},
    {CADES_LEVEL_B_LTA, 3000, VERIFY_OUT_OF_BOUNDS_NO_POE},
};

START_TEST(proofs_carry_over_the_end_of_certificates) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    p.level = later[_i].level;
    CadesBlob message = evidence_make(&world, &p);
    VerifyReport *r = evidence_verify(&world, message, world.now + later[_i].days * EVIDENCE_DAY);
    assert_verdict(r, "later", later[_i].sub);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

START_TEST(a_second_archive_stamp_carries_further) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    p.archive_tsa = world.tsa;
    CadesBlob message = evidence_make(&world, &p);
    VerifyReport *r = evidence_verify(&world, message, 0);
    int64_t before = r->renew_before;
    ck_assert_int_eq(before, world.now + 100 * EVIDENCE_DAY);
    verify_report_free(r);
    r = evidence_verify(&world, message, before + EVIDENCE_DAY);
    assert_verdict(r, "not renewed", VERIFY_OUT_OF_BOUNDS_NO_POE);
    verify_report_free(r);
    p.archive_tsa = world.tsa_later;
    message = evidence_archive(&world, &p, message, 1);
    r = evidence_verify(&world, message, before + EVIDENCE_DAY);
    assert_verdict(r, "renewed", VERIFY_SUB_NONE);
    ck_assert_int_eq(r->level, CADES_LEVEL_B_LTA);
    ck_assert_uint_eq(r->n_stamps, 3);
    ck_assert(r->stamp[0].proves && r->stamp[1].proves && r->stamp[2].proves);
    ck_assert_int_gt(r->renew_before, before);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

START_TEST(algorithms_run_out_without_a_proof) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    p.level = CADES_LEVEL_B_B;
    CadesBlob message = evidence_make(&world, &p);
    /* 2028-01-02: the day after the list ends. */
    VerifyReport *r = evidence_verify(&world, message, 1830384000);
    ck_assert_int_eq(finding(r, VERIFY_CHECK_ALGORITHM_TIME)->outcome, VERIFY_FAILED);
    ck_assert_int_ne(r->indication, VERIFY_TOTAL_PASSED);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

START_TEST(detached_content_is_given_or_missing) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    CadesBlob message = evidence_make(&world, &p);
    CadesBlob content = {(const uint8_t *)evidence_content, strlen(evidence_content)};
    VerifyReport *r = NULL;
    VerifyRequest q = {.signature = message, .content = content, .anchors = &world.root, .n_anchors = 1, .level = -1};
    ck_assert_int_eq(verify_signature(&q, &r), 0);
    assert_verdict(r, "the right content", VERIFY_SUB_NONE);
    verify_report_free(r);
    q.content.size--;
    ck_assert_int_eq(verify_signature(&q, &r), 0);
    assert_verdict(r, "other content", VERIFY_HASH_FAILURE);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

START_TEST(the_report_is_json) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    CadesBlob message = evidence_make(&world, &p);
    VerifyReport *r = evidence_verify(&world, message, 0);
    char *json = verify_report_json(r);
    ck_assert_ptr_nonnull(json);
    ck_assert_ptr_nonnull(strstr(json, "\"Indication\":\"TOTAL-PASSED\""));
    ck_assert_ptr_nonnull(strstr(json, "\"Level\":\"B-LTA\""));
    ck_assert_ptr_nonnull(strstr(json, "{\"Check\":\"archive-index\",\"Outcome\":\"passed\",\"TimeStamp\":1,"));
    ck_assert_ptr_null(strstr(json, "DEM")); /* the signer's name */
    ck_assert_ptr_null(strstr(json, "10000000146"));
    free(json);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

#define N(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void) {
    Suite *suite = suite_create("verify");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_level_with_its_material_passes, 0, N(levels));
    tcase_add_loop_test(tcase, a_level_without_material_wants_it_from_elsewhere, 0, N(bare));
    tcase_add_loop_test(tcase, proofs_carry_over_the_end_of_certificates, 0, N(later));
    tcase_add_test(tcase, a_second_archive_stamp_carries_further);
    tcase_add_test(tcase, algorithms_run_out_without_a_proof);
    tcase_add_test(tcase, detached_content_is_given_or_missing);
    tcase_add_test(tcase, the_report_is_json);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
