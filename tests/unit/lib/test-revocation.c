/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP answers and revocation lists by OpenSSL's own code: each state, each fault with its reason. */
#include <check.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crl.h"
#include "eonay/plugin.h"
#include "levels.h"
#include "ocsp.h"

#define DAY (24 * 60 * 60LL)

static LevelScene scene;
static CadesBlob issuer, subject, foreign_issuer;
static Pki *foreign;
static int64_t now;

static void setup(void) {
    level_scene_init(&scene, "p256", EONAY_MECH_ECDSA_SHA256);
    ck_assert_int_eq(pki_new(&foreign), 0);
    issuer.bytes = pki_der(pki_ca(scene.pki), &issuer.size);
    foreign_issuer.bytes = pki_der(pki_ca(foreign), &foreign_issuer.size);
    subject = (CadesBlob){scene.signer->der, scene.signer->der_size};
    now = time(NULL);
}

static void teardown(void) {
    OPENSSL_free((void *)issuer.bytes);
    OPENSSL_free((void *)foreign_issuer.bytes);
    pki_free(foreign);
    level_scene_clear(&scene);
}

static PkiAnswer answer(int reason) {
    return (PkiAnswer){.about = scene.signer->certificate,
                       .reason = reason,
                       .this_update = now - 60,
                       .next_update = now + 3600,
                       .signer = scene.responder};
}

static RevocationExpectation current(void) {
    return (RevocationExpectation){.at = now};
}

typedef uint8_t *(*Maker)(const Pki *pki, const PkiAnswer *a, size_t *ret_size);
typedef const char *(*Judge)(const CadesBlob *, const CadesBlob *, const CadesBlob *, const RevocationExpectation *,
                             RevocationAnswer *);

static const char *judge_with(Maker make, Judge judge, const Pki *pki, const PkiAnswer *a,
                              const RevocationExpectation *e, RevocationAnswer *ret) {
    size_t n;
    uint8_t *der = make(pki, a, &n);
    ck_assert_msg(der != NULL, "%s", a->extension ? a->extension : "");
    const char *why = judge(&(CadesBlob){der, n}, &subject, &issuer, e, ret);
    OPENSSL_free(der);
    return why;
}

static void tells(Maker make, Judge judge, int reason, RevocationStatus status) {
    PkiAnswer a = answer(reason);
    RevocationExpectation e = current();
    RevocationAnswer got;
    const char *why = judge_with(make, judge, scene.pki, &a, &e, &got);
    ck_assert_msg(!why, "%s", why);
    ck_assert_int_eq((int)got.status, (int)status);
    ck_assert_int_eq(got.this_update, now - 60);
    ck_assert_int_eq(got.next_update, now + 3600);
    if (reason >= 0) {
        ck_assert_int_eq(got.reason, reason);
        ck_assert_int_eq(got.revoked_at, now - 60);
    }
}

static void refuses(Maker make, Judge judge, const Pki *pki, PkiAnswer a, RevocationExpectation e, const char *part) {
    RevocationAnswer got;
    const char *why = judge_with(make, judge, pki, &a, &e, &got);
    ck_assert_msg(why && strstr(why, part), "%s, not %s", why ? why : "accepted", part);
    ck_assert_int_eq((int)got.status, REVOCATION_UNKNOWN);
}

#define OCSP pki_ocsp, ocsp_verify
#define LIST pki_crl, crl_verify

START_TEST(states_are_told_apart) {
    tells(OCSP, -1, REVOCATION_GOOD);
    tells(OCSP, CRL_REASON_KEY_COMPROMISE, REVOCATION_REVOKED);
    tells(OCSP, CRL_REASON_CERTIFICATE_HOLD, REVOCATION_SUSPENDED);
    tells(LIST, -1, REVOCATION_GOOD);
    tells(LIST, CRL_REASON_SUPERSEDED, REVOCATION_REVOKED);
    tells(LIST, CRL_REASON_CERTIFICATE_HOLD, REVOCATION_SUSPENDED);
    refuses(OCSP, scene.pki, answer(-2), current(), "does not know");
}
END_TEST

START_TEST(the_issuer_itself_may_answer) {
    PkiAnswer a = answer(-1);
    RevocationAnswer got;
    RevocationExpectation e = current();
    a.signer = NULL;
    ck_assert_ptr_null(judge_with(OCSP, scene.pki, &a, &e, &got));
    ck_assert(!got.by_delegate);
}
END_TEST

START_TEST(times_must_fit) {
    Maker make = _i == 0 ? pki_ocsp : pki_crl;
    Judge judge = _i == 0 ? ocsp_verify : crl_verify;
    PkiAnswer a = answer(-1);
    a.this_update = now - 10 * DAY;
    a.next_update = now - DAY;
    refuses(make, judge, scene.pki, a, current(), "stale");
    RevocationExpectation any = {.any_time = true};
    RevocationAnswer got;
    ck_assert_ptr_null(judge_with(make, judge, scene.pki, &a, &any, &got));
    a.next_update = 0;
    refuses(make, judge, scene.pki, a, current(), "stale");
    a = answer(-1);
    a.this_update = now + DAY;
    a.next_update = now + 2 * DAY;
    refuses(make, judge, scene.pki, a, current(), "future");
    RevocationExpectation after = {.at = now, .not_before = now};
    refuses(make, judge, scene.pki, answer(-1), after, "older");
}
END_TEST

START_TEST(only_the_issuers_responder_may_answer) {
    PkiLeaf *leaf = NULL;
    PkiAnswer a = answer(-1);
    ck_assert_int_eq(pki_issue(scene.pki, &(PkiRequest){.profile = "tsa"}, &leaf), 0);
    a.signer = leaf;
    refuses(OCSP, scene.pki, a, current(), "may not answer");
    pki_leaf_free(leaf);
    ck_assert_int_eq(pki_issue(scene.pki, &(PkiRequest){.profile = "ocsp-foreign-root"}, &leaf), 0);
    a.signer = leaf;
    refuses(OCSP, scene.pki, a, current(), "may not answer");
    pki_leaf_free(leaf);
    ck_assert_int_eq(pki_issue(foreign, &(PkiRequest){.profile = "ocsp"}, &leaf), 0);
    a.signer = leaf;
    refuses(OCSP, scene.pki, a, current(), "may not answer");
    pki_leaf_free(leaf);
    ck_assert_int_eq(pki_issue(scene.pki, &(PkiRequest){.profile = "ocsp", .not_after = now - DAY}, &leaf), 0);
    a.signer = leaf;
    refuses(OCSP, scene.pki, a, current(), "may not answer");
    pki_leaf_free(leaf);
}
END_TEST

START_TEST(an_answer_about_another_is_none) {
    PkiAnswer a = answer(-1);
    a.about = scene.tsa->certificate;
    refuses(OCSP, scene.pki, a, current(), "another certificate");
}
END_TEST

START_TEST(nonces_are_compared) {
    static const uint8_t sent[OCSP_NONCE_SIZE] = "0123456789abcde", other[OCSP_NONCE_SIZE] = "0123456789abcdf";
    RevocationExpectation e = {.at = now, .nonce = sent, .nonce_size = sizeof(sent)};
    PkiAnswer a = answer(-1);
    RevocationAnswer got;
    a.nonce_size = sizeof(sent);
    a.nonce = sent;
    ck_assert_ptr_null(judge_with(OCSP, scene.pki, &a, &e, &got));
    a.nonce = other;
    refuses(OCSP, scene.pki, a, e, "another nonce");
    ck_assert_ptr_null(judge_with(OCSP, scene.pki,
                                  &(PkiAnswer){.about = scene.signer->certificate,
                                               .reason = -1,
                                               .this_update = now,
                                               .next_update = now + 60,
                                               .signer = scene.responder},
                                  &e, &got));
    e.nonce_required = true;
    refuses(OCSP, scene.pki, answer(-1), e, "does not repeat");
}
END_TEST

START_TEST(lists_of_others_are_none) {
    refuses(LIST, foreign, answer(-1), current(), "signature is wrong");
    PkiAnswer a = answer(-1);
    a.about = pki_ca(scene.pki); /* then the root signs */
    refuses(LIST, scene.pki, a, current(), "another issuer");
}
END_TEST

START_TEST(lists_that_say_less_than_all_are_none) {
    static const struct {
        const char *extension, *part;
    } rows[] = {
        {"deltaCRL=critical,DER:020105", "changes only"},
        {"issuingDistributionPoint=critical,indirectCRL:TRUE", "indirect"},
        {"issuingDistributionPoint=critical,onlysomereasons:keyCompromise", "some reasons"},
        {"issuingDistributionPoint=critical,onlyCA:TRUE", "another kind"},
        {"issuingDistributionPoint=critical,onlyAA:TRUE", "another kind"},
        {"issuingDistributionPoint=critical,fullname:URI:http://crl.example/x", "another distribution point"},
        {"2.999.7=critical,DER:0500", "critical extension"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        PkiAnswer a = answer(-1);
        a.extension = rows[i].extension;
        refuses(LIST, scene.pki, a, current(), rows[i].part);
    }
    PkiAnswer a = answer(-1);
    RevocationExpectation e = current();
    RevocationAnswer got;
    a.extension = "issuingDistributionPoint=critical,onlyuser:TRUE";
    const char *why = judge_with(LIST, scene.pki, &a, &e, &got);
    ck_assert_msg(!why, "%s", why);
}
END_TEST

START_TEST(damage_is_noticed) {
    RevocationExpectation e = current();
    RevocationAnswer got;
    size_t n;
    for (int kind = 0; kind < 2; kind++) {
        PkiAnswer a = answer(-1);
        a.signer = NULL;
        uint8_t *der = kind == 0 ? pki_ocsp(scene.pki, &a, &n) : pki_crl(scene.pki, &a, &n);
        Judge judge = kind == 0 ? ocsp_verify : crl_verify;
        for (size_t i = 0; i < n; i += 5) {
            der[i] ^= 0x10;
            if (!judge(&(CadesBlob){der, n}, &subject, &issuer, &e, &got))
                ck_assert_msg(kind == 0 && i > 40, "byte %zu of %zu", i, n); /* in a certificate that only helps */
            der[i] ^= 0x10;
        }
        for (size_t i = 0; i < n; i += 64)
            ck_assert_ptr_nonnull(judge(&(CadesBlob){der, i}, &subject, &issuer, &e, &got));
        OPENSSL_free(der);
    }
}
END_TEST

START_TEST(questions_need_the_right_issuer) {
    RevocationExpectation e = current();
    RevocationAnswer got;
    Bytes ocsp = level_ocsp(&scene, scene.signer->certificate);
    CadesBlob blob = bytes_blob(ocsp), junk = {(const uint8_t *)"junk", 4};
    uint8_t *request = NULL;
    size_t n;
    ck_assert_str_eq(ocsp_verify(&blob, &subject, &subject, &e, &got), "the certificate is not from this issuer");
    ck_assert_str_eq(ocsp_verify(&blob, &subject, &junk, &e, &got), "the certificate is not from this issuer");
    ck_assert_ptr_nonnull(ocsp_verify(&junk, &subject, &issuer, &e, &got));
    ck_assert_ptr_nonnull(crl_verify(&junk, &subject, &issuer, &e, &got));
    ck_assert_int_lt(ocsp_request(&junk, &issuer, NULL, 0, &request, &n), 0);
    ck_assert_int_eq(ocsp_request(&subject, &issuer, (const uint8_t *)"nonce", 5, &request, &n), 0);
    free(request);
    free(ocsp.p);
}
END_TEST

START_TEST(times_of_a_list_are_read) {
    int64_t from, until;
    Bytes crl = level_crl(&scene, scene.signer->certificate);
    CadesBlob blob = bytes_blob(crl);
    ck_assert(crl_times(&blob, &from, &until));
    ck_assert_int_eq(until - from, 86400);
    blob.size--;
    ck_assert(!crl_times(&blob, &from, &until));
    free(crl.p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("revocation");
    TCase *tc = tcase_create("revocation");
    tcase_set_timeout(tc, 60);
    tcase_add_unchecked_fixture(tc, setup, teardown);
    tcase_add_test(tc, states_are_told_apart);
    tcase_add_test(tc, the_issuer_itself_may_answer);
    tcase_add_loop_test(tc, times_must_fit, 0, 2);
    tcase_add_test(tc, only_the_issuers_responder_may_answer);
    tcase_add_test(tc, an_answer_about_another_is_none);
    tcase_add_test(tc, nonces_are_compared);
    tcase_add_test(tc, lists_of_others_are_none);
    tcase_add_test(tc, lists_that_say_less_than_all_are_none);
    tcase_add_test(tc, damage_is_noticed);
    tcase_add_test(tc, questions_need_the_right_issuer);
    tcase_add_test(tc, times_of_a_list_are_read);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
