/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence that must not pass: each wrong in one respect and made with the real keys otherwise, and the words of
 * EN 319 102-1 that it has to be refused with. (What is wrong with the message itself is in test-cades-negative.c.)
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"

static EvidenceWorld world;
static PkiLeaf *foreign, *unqualified;

static void setup(void) {
    evidence_world_init(&world);
    ck_assert_int_eq(pki_issue(world.other_pki, &(PkiRequest){0}, &foreign), 0);
    ck_assert_int_eq(pki_issue(world.pki, &(PkiRequest){.profile = "not-qualified"}, &unqualified), 0);
}

static void teardown(void) {
    pki_leaf_free(foreign);
    pki_leaf_free(unqualified);
    evidence_world_clear(&world);
}

/* ------------------------------------------------------------------------------------------------ time stamps -- */

static void stamp_other_bytes(EvidencePlan *p) {
    p->stamp_other_bytes = true;
}
static void archive_other_bytes(EvidencePlan *p) {
    p->archive_other_bytes = true;
}
static void stamp_expired(EvidencePlan *p) {
    p->tsa = world.tsa_expired;
}
static void stamp_foreign(EvidencePlan *p) {
    p->tsa = world.tsa_foreign;
}
static void stamp_unfit(EvidencePlan *p) {
    p->tsa = world.tsa_unfit;
}
static void archive_expired(EvidencePlan *p) {
    p->archive_tsa = world.tsa_expired;
}
static void archive_foreign(EvidencePlan *p) {
    p->archive_tsa = world.tsa_foreign;
}
static void archive_unfit(EvidencePlan *p) {
    p->archive_tsa = world.tsa_unfit;
}
static void archive_before_stamp(EvidencePlan *p) {
    p->archived_at = p->stamped_at - 60;
}
static void stamp_revoked_before(EvidencePlan *p) {
    p->tsa_reason = 1;
    p->revoked_at = p->stamped_at - 3600;
}
static void stamp_revoked_before_archive(EvidencePlan *p) {
    p->tsa_reason = 1;
    p->revoked_at = p->stamped_at + 20;
}
static void stamp_status_unknown(EvidencePlan *p) {
    p->without_tsa_answer = true;
}
static void stamp_before_certificate(EvidencePlan *p) {
    p->stamped_at = world.now - 200 * EVIDENCE_DAY;
}

/* ------------------------------------------------------------------------------------------------- revocation -- */

static void revoked_before(EvidencePlan *p) {
    p->signer_reason = 1;
    p->revoked_at = p->signed_at - 3600;
}
static void revoked_before_by_list(EvidencePlan *p) {
    revoked_before(p);
    p->signer_kind = EVIDENCE_CRL;
}
static void revoked_between(EvidencePlan *p) {
    p->signer_reason = 1;
    p->revoked_at = p->signed_at + 5;
}
static void revoked_between_by_list(EvidencePlan *p) {
    revoked_between(p);
    p->signer_kind = EVIDENCE_CRL;
}
static void revoked_no_stamp(EvidencePlan *p) {
    p->level = CADES_LEVEL_B_B;
    p->with_material = true;
    p->signer_reason = 1;
    p->revoked_at = p->signed_at + 60;
}
static void suspended(EvidencePlan *p) {
    p->signer_reason = 6;
    p->revoked_at = p->signed_at - 3600;
}
static void suspended_by_list(EvidencePlan *p) {
    suspended(p);
    p->signer_kind = EVIDENCE_CRL;
}
static void authority_revoked(EvidencePlan *p) {
    p->ca_reason = 2;
    p->revoked_at = p->signed_at - 3600;
}
static void answer_stale(EvidencePlan *p) {
    p->answered_at = p->signed_at - 10 * EVIDENCE_DAY;
}
static void list_stale(EvidencePlan *p) {
    answer_stale(p);
    p->signer_kind = EVIDENCE_CRL;
}
static void answer_old_without_end(EvidencePlan *p) {
    p->answered_at = p->signed_at - 3600;
    p->answer_life = 0;
}
static void answer_foreign_responder(EvidencePlan *p) {
    p->responder = world.responder_foreign;
}
static void answer_revocable_responder(EvidencePlan *p) {
    p->responder = world.responder_revocable;
}
static void answer_nocheck_responder(EvidencePlan *p) {
    p->responder = world.responder_nocheck;
}
static void answer_listed_responder(EvidencePlan *p) {
    p->level = CADES_LEVEL_P4; /* where the list does not stand in for the answer */
    p->responder = world.responder_revocable;
    p->responder_listed = true;
}
static void answer_revoked_responder(EvidencePlan *p) {
    answer_listed_responder(p);
    p->responder_reason = 1;
    p->revoked_at = p->signed_at;
}
static void answer_later_revoked_responder(EvidencePlan *p) {
    answer_revoked_responder(p);
    p->revoked_at = world.now + 600; /* answers say they were made now */
}
static void answer_unfit_responder(EvidencePlan *p) {
    p->responder = world.tsa;
}
static void answer_about_other(EvidencePlan *p) {
    p->answer_about = unqualified->certificate;
}
static void answer_unknown(EvidencePlan *p) {
    p->signer_reason = -2;
}
static void answers_of_others(EvidencePlan *p) {
    p->answer_pki = world.other_pki;
    p->responder = NULL;
}
static void lists_of_others(EvidencePlan *p) {
    answers_of_others(p);
    p->signer_kind = EVIDENCE_CRL;
}
static void no_answers(EvidencePlan *p) {
    p->without_answers = true;
}
static void no_signer_answer(EvidencePlan *p) {
    p->without_signer_answer = true;
}

/* ------------------------------------------------------------------------------------------- signer and level -- */

static void bare(EvidencePlan *p) {
    p->level = CADES_LEVEL_B_B;
}
static void only_stamped(EvidencePlan *p) {
    p->level = CADES_LEVEL_B_T;
}
static void no_archive(EvidencePlan *p) {
    p->level = CADES_LEVEL_B_LT;
}
static void claimed_after_end(EvidencePlan *p) {
    p->signed_at = world.now + 101 * EVIDENCE_DAY;
}
static void claimed_before_beginning(EvidencePlan *p) {
    p->signed_at = world.now - 101 * EVIDENCE_DAY;
}
static void signer_foreign(EvidencePlan *p) {
    p->signer = foreign;
}
static void signer_unqualified(EvidencePlan *p) {
    p->signer = unqualified;
}
static void p3_old_list(EvidencePlan *p) {
    p->level = CADES_LEVEL_P3;
    p->signer_kind = EVIDENCE_CRL;
    p->answered_at = p->signed_at - 3600;
}
static void p3_by_ocsp(EvidencePlan *p) {
    p->level = CADES_LEVEL_P3;
}
static void p4_by_list(EvidencePlan *p) {
    p->level = CADES_LEVEL_P4;
    p->signer_kind = EVIDENCE_CRL;
}
static void p4_revoked(EvidencePlan *p) {
    p->level = CADES_LEVEL_P4;
    revoked_before(p);
}
static void p4_also_fields(EvidencePlan *p) {
    p->level = CADES_LEVEL_P4;
    p->as_fields = true;
}

typedef struct Row {
    const char *name;
    void (*change)(EvidencePlan *);
    VerifySub sub;
    VerifyCheck failed;
    int days;   /* verified so many days later */
    int wanted; /* level asked for + 1; 0: none */
    bool qualified;
} Row;

static const Row corpus[] = {
    {"time stamp over other bytes", stamp_other_bytes, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_STAMP_IMPRINT},
    {"archive stamp over other bytes", archive_other_bytes, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_STAMP_IMPRINT},
    {"stamped by an expired authority", stamp_expired, VERIFY_OUT_OF_BOUNDS_NO_POE, VERIFY_CHECK_STAMP_CHAIN},
    {"stamped by a foreign authority", stamp_foreign, VERIFY_NO_CERTIFICATE_CHAIN_FOUND, VERIFY_CHECK_STAMP_CHAIN},
    {"stamped by who may not", stamp_unfit, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_STAMP_TOKEN},
    {"archived by an expired authority", archive_expired, VERIFY_OUT_OF_BOUNDS_NO_POE, VERIFY_CHECK_STAMP_CHAIN},
    {"archived by a foreign authority", archive_foreign, VERIFY_NO_CERTIFICATE_CHAIN_FOUND, VERIFY_CHECK_STAMP_CHAIN},
    {"archived by who may not", archive_unfit, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_STAMP_TOKEN},
    {"archived before it was stamped", archive_before_stamp, VERIFY_TIMESTAMP_ORDER_FAILURE, VERIFY_CHECK_STAMP_ORDER},
    {"stamping authority revoked before", stamp_revoked_before, VERIFY_REVOKED_NO_POE, VERIFY_CHECK_STAMP_CHAIN},
    {"stamping authority revoked before the archive", stamp_revoked_before_archive, VERIFY_REVOKED_NO_POE,
     VERIFY_CHECK_STAMP_CHAIN},
    {"stamping authority's status unknown", stamp_status_unknown, VERIFY_TRY_LATER, VERIFY_CHECK_STAMP_CHAIN},
    {"stamped before its certificate began", stamp_before_certificate, VERIFY_NOT_YET_VALID, VERIFY_CHECK_STAMP_CHAIN},
    {"revoked before signing", revoked_before, VERIFY_REVOKED, VERIFY_CHECK_REVOCATION},
    {"revoked before signing, by list", revoked_before_by_list, VERIFY_REVOKED, VERIFY_CHECK_REVOCATION},
    {"revoked before the stamp", revoked_between, VERIFY_REVOKED_NO_POE, VERIFY_CHECK_REVOCATION},
    {"revoked before the stamp, by list", revoked_between_by_list, VERIFY_REVOKED_NO_POE, VERIFY_CHECK_REVOCATION},
    {"revoked, without any stamp", revoked_no_stamp, VERIFY_REVOKED_NO_POE, VERIFY_CHECK_REVOCATION},
    {"suspended", suspended, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"suspended, by list", suspended_by_list, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"issuing authority revoked", authority_revoked, VERIFY_REVOKED_CA_NO_POE, VERIFY_CHECK_REVOCATION},
    {"stale OCSP", answer_stale, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"stale list", list_stale, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"old OCSP without an end", answer_old_without_end, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"OCSP by a foreign responder", answer_foreign_responder, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"OCSP by a responder of which nothing is known", answer_revocable_responder, VERIFY_TRY_LATER,
     VERIFY_CHECK_REVOCATION},
    {"OCSP by a revoked responder", answer_revoked_responder, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"OCSP by who may not", answer_unfit_responder, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"OCSP about another certificate", answer_about_other, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"OCSP that does not know", answer_unknown, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"OCSP of another authority of that name", answers_of_others, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"list of another authority of that name", lists_of_others, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"no revocation values", no_answers, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"none about the signer", no_signer_answer, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"signer's certificate expired", bare, VERIFY_OUT_OF_BOUNDS_NO_POE, VERIFY_CHECK_VALIDITY, .days = 110},
    {"stamped and all expired", only_stamped, VERIFY_OUT_OF_BOUNDS_NO_POE, VERIFY_CHECK_VALIDITY, .days = 110},
    {"long-term and all expired", no_archive, VERIFY_OUT_OF_BOUNDS_NO_POE, VERIFY_CHECK_VALIDITY, .days = 110},
    {"claims a time after the end", claimed_after_end, VERIFY_EXPIRED, VERIFY_CHECK_VALIDITY},
    {"claims a time before the beginning", claimed_before_beginning, VERIFY_NOT_YET_VALID, VERIFY_CHECK_VALIDITY},
    {"signer of another infrastructure", signer_foreign, VERIFY_NO_CERTIFICATE_CHAIN_FOUND,
     (VerifyCheck)CADES_CHECK_CHAIN},
    {"not qualified", signer_unqualified, VERIFY_CHAIN_CONSTRAINTS_FAILURE, VERIFY_CHECK_QUALIFIED, .qualified = true},
    {"less than the level asked for", no_archive, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_LEVEL,
     .wanted = CADES_LEVEL_B_LTA + 1},
    {"a baseline level for a profile", no_archive, VERIFY_SIG_CONSTRAINTS_FAILURE, VERIFY_CHECK_LEVEL,
     .wanted = CADES_LEVEL_P4 + 1},
    {"P3 with a list from before", p3_old_list, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"P3 with OCSP", p3_by_ocsp, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"P4 with a list", p4_by_list, VERIFY_TRY_LATER, VERIFY_CHECK_REVOCATION},
    {"P4, revoked", p4_revoked, VERIFY_REVOKED, VERIFY_CHECK_REVOCATION},
};

#define N_CORPUS (int)(sizeof(corpus) / sizeof(corpus[0]))

START_TEST(each_wrong_evidence_is_refused_with_its_reason) {
    const Row *row = &corpus[_i];
    EvidencePlan p;
    VerifyReport *r = NULL;
    evidence_plan(&world, &p);
    row->change(&p);
    CadesBlob message = evidence_make(&world, &p);
    VerifyRequest q = {.signature = message,
                       .anchors = &world.root,
                       .n_anchors = 1,
                       .certificates = &world.ca,
                       .n_certificates = 1,
                       .at = world.now + row->days * EVIDENCE_DAY,
                       .level = row->wanted - 1,
                       .qualified = row->qualified};
    ck_assert_int_eq(verify_signature(&q, &r), 0);
    ck_assert_msg(r->sub == row->sub && r->failed == row->failed, "%s: %s/%s (%s: %s)", row->name,
                  verify_indication_name(r->indication), verify_sub_name(r->sub), verify_check_name(r->failed),
                  r->detail ? r->detail : "");
    ck_assert_ptr_nonnull(r->detail);
    ck_assert_int_ne(r->indication, VERIFY_TOTAL_PASSED);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

/* What looks like it and is right. */

static void revoked_afterwards(EvidencePlan *p) {
    p->signer_reason = 1;
    p->revoked_at = p->stamped_at + 30;
}
static void as_it_is(EvidencePlan *p) {
    (void)p;
}
static void twice_archived(EvidencePlan *p) {
    p->n_archives = 2;
}
static void answer_current_from_before(EvidencePlan *p) {
    p->answered_at = p->signed_at - 3600;
}

static void (*const good[])(EvidencePlan *) = {as_it_is,
                                               revoked_afterwards,
                                               twice_archived,
                                               answer_current_from_before,
                                               answer_nocheck_responder,
                                               answer_listed_responder,
                                               answer_later_revoked_responder};

START_TEST(each_right_variant_passes) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    good[_i](&p);
    CadesBlob message = evidence_make(&world, &p);
    VerifyReport *r = evidence_verify(&world, message, 0);
    ck_assert_msg(r->indication == VERIFY_TOTAL_PASSED, "%d: %s (%s)", _i, verify_sub_name(r->sub), r->detail);
    ck_assert_int_eq(r->level, p.level);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

/* Neither level: the material stands in both places. */
START_TEST(a_mixture_of_forms_is_no_profile) {
    EvidencePlan p;
    evidence_plan(&world, &p);
    p4_also_fields(&p);
    CadesBlob message = evidence_make(&world, &p);
    VerifyReport *r = evidence_verify(&world, message, 0);
    ck_assert_int_ne(r->level, CADES_LEVEL_B_LT);
    verify_report_free(r);
    evidence_free(&message);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("verify-corpus");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, each_wrong_evidence_is_refused_with_its_reason, 0, N_CORPUS);
    tcase_add_loop_test(tcase, each_right_variant_passes, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_test(tcase, a_mixture_of_forms_is_no_profile);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
