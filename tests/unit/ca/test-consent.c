/* SPDX-License-Identifier: Apache-2.0 */
/* Consents: the text handed out, the signature that comes back, and what is on record afterwards. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static Fixture *f;
static Signer citizen;

static void setup(void) {
    f = fixture_new();
    fixture_start(f);
    citizen = pki_signer(fixture_pki(), (SignerSpec){.subject = SUBJECT});
}

static void teardown(void) {
    signer_free(&citizen);
    f = fixture_free(f);
}

static const char consent_text[] =
    "Kamu SM sistemleri üzerinden güvenilir bir şekilde elektronik onayımın alınması kaydıyla bundan sonra yapacağım "
    "NES başvurularımın, imzalı başvuru formu göndermeme gerek kalmaksızın işleme alınmasını KABUL EDİYORUM.\n"
    "\nReferans: E-";

START_TEST(the_text_is_exact) {
    const int64_t at = SECONDS(1566893421); /* 2019-08-27T08:10:21Z: the day of the seed's screen */
    EonayRedemption r;

    fixture_clock_offset = at + 100000 - fixture_now();
    open_consent(f, SUBJECT, &r);
    ck_assert_uint_eq(r.n_texts, 1);
    const EonayText *t = r.texts;
    static const char tail[] = "\nOluşturma Tarihi: 27.08.2019 11:10:21\n";
    ck_assert_str_eq(t->title, "İmzalanacak Metin 1");
    ck_assert_str_eq(t->media_type, "text/plain;charset=utf-8");
    ck_assert_uint_eq(t->size, strlen(consent_text) + 19 + strlen(tail));
    ck_assert_mem_eq(t->bytes, consent_text, strlen(consent_text));
    ck_assert_mem_eq(t->bytes + t->size - strlen(tail), tail, strlen(tail));

    ck_assert_str_eq(r.level, "B-B");
    ck_assert_str_eq(r.purpose, "e-onay.nes-application");
    ck_assert_str_eq(r.subject, SUBJECT);
    ck_assert_uint_gt(strlen(r.requester), 0);
    ck_assert_uint_eq(strlen(r.transaction), 32);
    ck_assert_uint_ge(r.expires_at, r.created_at);
    ck_assert_uint_le(r.expires_at, r.created_at + 300000000);
    redemption_release(f, &r);
}
END_TEST

START_TEST(no_two_consents_sign_the_same_bytes) {
    EonayRedemption a, b;

    open_consent(f, NULL, &a);
    open_consent(f, NULL, &b);
    ck_assert_str_ne(a.transaction, b.transaction);
    ck_assert_ptr_null(a.subject);
    ck_assert(a.texts[0].size != b.texts[0].size || memcmp(a.texts[0].bytes, b.texts[0].bytes, a.texts[0].size) != 0);
    redemption_release(f, &a);
    redemption_release(f, &b);
}
END_TEST

START_TEST(another_text_can_be_configured) {
    static const char text[] = "Başka bir metin:\n\tİ ı Ş ğ";
    EonayRedemption r;

    fixture_close(f);
    fixture_set(f, "TextFile", fixture_file(f, "text.txt", text, strlen(text)));
    fixture_start(f);
    open_consent(f, NULL, &r);
    ck_assert_mem_eq(r.texts[0].bytes, text, strlen(text));
    ck_assert_mem_eq(r.texts[0].bytes + strlen(text), "\n\nReferans: ", 12);
    redemption_release(f, &r);
}
END_TEST

static EonayApproval approval_of(const char *subject) {
    EonayApproval a = {.struct_size = sizeof a};

    assert_error(f->ca->approval(f->context, subject, &a), 0);
    return a;
}

static void approval_release(EonayApproval *a) {
    free(a->receipt_id);
    free(a->text_version);
}

static void assert_approved(const char *subject, bool approved) {
    EonayApproval a = approval_of(subject);

    ck_assert_int_eq(a.approved, approved);
    ck_assert_int_eq(a.receipt_id != NULL, approved);
    approval_release(&a);
}

static void assert_evidence(const EonayRedemption *r, const Bytes *signature, const char *receipt) {
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    ck_assert_int_eq(sqlite3_open_v2(f->database, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db,
                                        "SELECT cms, bytes, subject FROM approval JOIN signature USING (consent_id) "
                                        "JOIN consent_text USING (consent_id) WHERE receipt_id = ?1",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(stmt, 1, receipt, -1, SQLITE_TRANSIENT);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    ck_assert_int_eq(sqlite3_column_bytes(stmt, 0), (int)signature->size);
    ck_assert_mem_eq(sqlite3_column_blob(stmt, 0), signature->bytes, signature->size);
    ck_assert_mem_eq(sqlite3_column_blob(stmt, 1), r->texts[0].bytes, r->texts[0].size);
    ck_assert_str_eq((const char *)sqlite3_column_text(stmt, 2), SUBJECT);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void assert_receipt_readable(const char *receipt) {
    ck_assert_uint_eq(strlen(receipt), 21);
    ck_assert(receipt[0] == 'R' && receipt[1] == '-' && receipt[6] == '-' && receipt[11] == '-');
    ck_assert_uint_eq(strspn(receipt, "R-0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 21);
}

START_TEST(a_signed_consent_is_recorded_once) {
    EonayRedemption r;
    char receipt[64], again[64];

    assert_approved(SUBJECT, false);
    open_consent(f, SUBJECT, &r);
    Bytes signature = sign_consent(&r, &citizen), other = {0};
    int error = submit(f, r.transaction, "key-1", &signature, receipt);
    ck_assert_msg(error == 0, "submit: %d: %s", error, f->reason);
    assert_receipt_readable(receipt);
    assert_evidence(&r, &signature, receipt);
    ck_assert_int_eq(state_of(f, r.transaction), EONAY_TRANSACTION_DONE);

    /* However often, and long after. */
    for (int i = 0; i < 3; i++) {
        assert_error(submit(f, r.transaction, "key-1", &signature, again), 0);
        ck_assert_str_eq(receipt, again);
        fixture_restart(f);
        fixture_clock_offset += SECONDS(86400);
    }
    fixture_clock_offset = 0;
    assert_error(submit(f, r.transaction, "key-2", &signature, NULL), EONAY_ERROR_CODE_USED);
    other = pki_sign(&citizen, r.texts[0].bytes, r.texts[0].size, fixture_now() / 1000000 - 5);
    assert_error(submit(f, r.transaction, "key-1", &other, NULL), EONAY_ERROR_BACKEND_REJECTED);
    assert_error(f->ca->cancel(f->context, r.transaction), EONAY_ERROR_CODE_USED);
    bytes_free(&signature);
    bytes_free(&other);
    redemption_release(f, &r);
}
END_TEST

/* Opens, signs and submits in one go. */
static int consent(const char *subject, const Signer *signer, char ret_receipt[64]) {
    EonayRedemption r;

    open_consent(f, subject, &r);
    Bytes signature = sign_consent(&r, signer);
    int error = submit(f, r.transaction, r.transaction, &signature, ret_receipt);
    bytes_free(&signature);
    redemption_release(f, &r);
    return error;
}

START_TEST(an_approval_is_asked_for_once) {
    char receipt[64];

    assert_error(consent(SUBJECT, &citizen, receipt), 0);
    EonayApproval a = approval_of(SUBJECT);
    ck_assert(a.approved);
    ck_assert_str_eq(a.receipt_id, receipt);
    ck_assert_str_eq(a.text_version, "e-onay-nes-1");
    ck_assert_int_le((int64_t)a.approved_at, fixture_now());
    approval_release(&a);
    assert_approved(OTHER_SUBJECT, false);

    assert_error(get_code_error(f, (EonayCodeRequest){.subject = SUBJECT}), EONAY_ERROR_ALREADY_APPROVED);
    /* Without a subject the person shows only with the signature. */
    assert_error(consent(NULL, &citizen, NULL), EONAY_ERROR_ALREADY_APPROVED);
    assert_error(get_code_error(f, (EonayCodeRequest){.subject = OTHER_SUBJECT}), 0);

    fixture_close(f);
    fixture_set(f, "TextVersion", "e-onay-nes-2");
    fixture_start(f);
    assert_error(consent(NULL, &citizen, receipt), 0);
    a = approval_of(SUBJECT);
    ck_assert_str_eq(a.text_version, "e-onay-nes-2");
    approval_release(&a);
}
END_TEST

START_TEST(repeats_can_be_allowed) {
    char first[64], second[64];

    fixture_close(f);
    fixture_set(f, "AllowRepeats", "yes");
    fixture_start(f);
    assert_error(consent(SUBJECT, &citizen, first), 0);
    assert_error(consent(SUBJECT, &citizen, second), 0);
    ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(an_unbound_code_belongs_to_whoever_signs) {
    assert_error(consent(NULL, &citizen, NULL), 0);
    assert_approved(SUBJECT, true);
}
END_TEST

START_TEST(an_elliptic_key_signs_too) {
    Signer signer = pki_signer(fixture_pki(), (SignerSpec){.subject = "PNOTR-" OTHER_SUBJECT, .ec = true});

    assert_error(consent(OTHER_SUBJECT, &signer, NULL), 0);
    signer_free(&signer);
}
END_TEST

START_TEST(the_wrong_person_is_refused) {
    Signer other = pki_signer(fixture_pki(), (SignerSpec){.subject = OTHER_SUBJECT});

    assert_error(consent(SUBJECT, &other, NULL), EONAY_ERROR_IDENTITY_MISMATCH);
    assert_approved(SUBJECT, false);
    assert_approved(OTHER_SUBJECT, false);
    signer_free(&other);
}
END_TEST

START_TEST(unsuitable_certificates_are_refused) {
    static const struct {
        SignerSpec spec;
        const char *reason;
    } cases[] = {
        {{.subject = SUBJECT, .strange = true}, "chain"},
        {{.subject = SUBJECT, .not_qualified = true}, "not-qualified"},
        {{.subject = SUBJECT, .seal = true}, "seal"},
        {{.subject = SUBJECT, .key_usage = "keyEncipherment"}, ""},
        {{.subject = NULL}, "no-identity-number"},
        {{.subject = "10000000147"}, "no-identity-number"},
        {{.subject = SUBJECT, .not_before = -7200, .not_after = -3600}, "chain"},
        {{.subject = SUBJECT, .not_before = 3600, .not_after = 7200}, "chain"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Signer signer = pki_signer(fixture_pki(), cases[i].spec);
        int r = consent(NULL, &signer, NULL);
        ck_assert_msg(r == EONAY_ERROR_BACKEND_REJECTED, "case %zu: %d: %s", i, r, f->reason);
        ck_assert_msg(strstr(f->reason, cases[i].reason) != NULL, "case %zu: %s", i, f->reason);
        ck_assert_ptr_null(strstr(f->reason, SUBJECT));
        signer_free(&signer);
    }
    assert_approved(SUBJECT, false);
}
END_TEST

static void assert_rejected(const EonayRedemption *r, const Bytes *signature, const char *reason) {
    assert_error(submit(f, r->transaction, "key", signature, NULL), EONAY_ERROR_BACKEND_REJECTED);
    ck_assert_msg(strstr(f->reason, reason) != NULL, "%s", f->reason);
    ck_assert_int_eq(state_of(f, r->transaction), EONAY_TRANSACTION_OPEN);
}

START_TEST(bad_signatures_are_refused_and_good_ones_still_taken) {
    EonayRedemption r, other;
    const Bytes garbage = {(uint8_t *)"garbage", 7}, empty = {(uint8_t *)"", 0};

    open_consent(f, SUBJECT, &r);
    open_consent(f, SUBJECT, &other);
    Bytes good = sign_consent(&r, &citizen), foreign = sign_consent(&other, &citizen);
    const Bytes two[] = {good, good};

    assert_rejected(&r, &garbage, "encoding");
    assert_rejected(&r, &empty, "empty");
    assert_rejected(&r, &foreign, "content");
    assert_error(submit_many(f, r.transaction, "key", NULL, 0, NULL), EONAY_ERROR_BACKEND_REJECTED);
    assert_error(submit_many(f, r.transaction, "key", two, 2, NULL), EONAY_ERROR_BACKEND_REJECTED);
    assert_error(submit(f, r.transaction, "", &good, NULL), EONAY_ERROR_BACKEND_REJECTED);
    assert_error(submit(f, r.transaction, NULL, &good, NULL), EONAY_ERROR_BACKEND_REJECTED);
    for (size_t i = 0; i < good.size; i += 97) {
        good.bytes[i] ^= 0x20;
        assert_rejected(&r, &good, "");
        good.bytes[i] ^= 0x20;
    }
    assert_error(submit(f, r.transaction, "key", &good, NULL), 0);
    bytes_free(&good);
    bytes_free(&foreign);
    redemption_release(f, &r);
    redemption_release(f, &other);
}
END_TEST

static void signed_at(const EonayRedemption *r, int64_t seconds_from_now, int expected) {
    Bytes signature =
        pki_sign(&citizen, r->texts[0].bytes, r->texts[0].size, fixture_now() / 1000000 + seconds_from_now);

    assert_error(submit(f, r->transaction, "key", &signature, NULL), expected);
    if (expected != 0)
        ck_assert_msg(strstr(f->reason, "signing-time") != NULL, "%s", f->reason);
    bytes_free(&signature);
}

START_TEST(the_signing_time_must_be_near) {
    EonayRedemption r;

    open_consent(f, SUBJECT, &r);
    signed_at(&r, -310, EONAY_ERROR_BACKEND_REJECTED);
    signed_at(&r, 310, EONAY_ERROR_BACKEND_REJECTED);
    signed_at(&r, -290, 0);
    redemption_release(f, &r);
}
END_TEST

START_TEST(a_late_signature_is_refused) {
    EonayRedemption r;

    open_consent(f, SUBJECT, &r);
    Bytes signature = sign_consent(&r, &citizen);
    fixture_clock_offset = SECONDS(301);
    assert_error(submit(f, r.transaction, "key", &signature, NULL), EONAY_ERROR_CODE_EXPIRED);
    ck_assert_int_eq(state_of(f, r.transaction), EONAY_TRANSACTION_EXPIRED);
    assert_error(f->ca->cancel(f->context, r.transaction), 0);
    bytes_free(&signature);
    redemption_release(f, &r);
}
END_TEST

START_TEST(a_cancelled_consent_is_dead) {
    EonayRedemption r;

    open_consent(f, SUBJECT, &r);
    Bytes signature = sign_consent(&r, &citizen);
    ck_assert_int_eq(state_of(f, r.transaction), EONAY_TRANSACTION_OPEN);
    assert_error(f->ca->cancel(f->context, r.transaction), 0);
    assert_error(f->ca->cancel(f->context, r.transaction), 0);
    ck_assert_int_eq(state_of(f, r.transaction), EONAY_TRANSACTION_CANCELLED);
    assert_error(submit(f, r.transaction, "key", &signature, NULL), EONAY_ERROR_CANCELLED);
    bytes_free(&signature);
    redemption_release(f, &r);
}
END_TEST

START_TEST(unknown_names_are_refused) {
    static const char *const names[] = {NULL, "", "00000000000000000000000000000000"};
    char *huge = malloc(70001);
    const Bytes signature = {(uint8_t *)"x", 1};
    EonayTransactionState state;
    EonayReceipt receipt = {.struct_size = sizeof receipt};
    EonayApproval a = {.struct_size = sizeof a};

    memset(huge, 'x', 70000);
    huge[70000] = '\0';
    for (size_t i = 0; i < 4; i++) {
        const char *name = i < 3 ? names[i] : huge;
        assert_error(submit(f, name, "key", &signature, NULL), EONAY_ERROR_NOT_FOUND);
        assert_error(f->ca->status(f->context, name, &state, &receipt), EONAY_ERROR_NOT_FOUND);
        assert_error(f->ca->cancel(f->context, name), EONAY_ERROR_NOT_FOUND);
    }
    assert_error(submit(f, "x", huge, &signature, NULL), EONAY_ERROR_BACKEND_REJECTED);
    assert_error(f->ca->approval(f->context, NULL, &a), EONAY_ERROR_SUBJECT_INVALID);
    assert_error(f->ca->approval(f->context, "10000000147", &a), EONAY_ERROR_SUBJECT_INVALID);
    free(huge);
}
END_TEST

START_TEST(unsigned_consents_are_forgotten_after_a_day_and_signed_ones_never) {
    EonayRedemption dead;
    EonayReceipt receipt = {.struct_size = sizeof receipt};
    EonayTransactionState state;
    char digits[16];

    open_consent(f, NULL, &dead);
    assert_error(consent(SUBJECT, &citizen, NULL), 0);
    fixture_clock_offset = SECONDS(87000);
    get_code(f, NULL, digits);
    assert_error(f->ca->status(f->context, dead.transaction, &state, &receipt), EONAY_ERROR_NOT_FOUND);
    fixture_clock_offset = SECONDS((int64_t)400 * 86400);
    get_code(f, NULL, digits);
    assert_approved(SUBJECT, true);
    redemption_release(f, &dead);
}
END_TEST

START_TEST(a_chain_may_need_intermediates) {
    Signer middle = pki_authority(&fixture_pki()->root, "Deneme Alt Kök");
    Signer signer = pki_signer_under(&middle, (SignerSpec){.subject = SUBJECT});
    Bytes pem = signer_pem(&middle);

    assert_error(consent(SUBJECT, &signer, NULL), EONAY_ERROR_BACKEND_REJECTED);
    fixture_close(f);
    fixture_set(f, "Intermediates", fixture_file(f, "middle.pem", pem.bytes, pem.size));
    fixture_start(f);
    assert_error(consent(SUBJECT, &signer, NULL), 0);
    bytes_free(&pem);
    signer_free(&signer);
    signer_free(&middle);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("consent");
    Suite *suite = suite_create("ca-consent");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_text_is_exact);
    tcase_add_test(tc, no_two_consents_sign_the_same_bytes);
    tcase_add_test(tc, another_text_can_be_configured);
    tcase_add_test(tc, a_signed_consent_is_recorded_once);
    tcase_add_test(tc, an_approval_is_asked_for_once);
    tcase_add_test(tc, repeats_can_be_allowed);
    tcase_add_test(tc, an_unbound_code_belongs_to_whoever_signs);
    tcase_add_test(tc, an_elliptic_key_signs_too);
    tcase_add_test(tc, the_wrong_person_is_refused);
    tcase_add_test(tc, unsuitable_certificates_are_refused);
    tcase_add_test(tc, bad_signatures_are_refused_and_good_ones_still_taken);
    tcase_add_test(tc, the_signing_time_must_be_near);
    tcase_add_test(tc, a_late_signature_is_refused);
    tcase_add_test(tc, a_cancelled_consent_is_dead);
    tcase_add_test(tc, unknown_names_are_refused);
    tcase_add_test(tc, unsigned_consents_are_forgotten_after_a_day_and_signed_ones_never);
    tcase_add_test(tc, a_chain_may_need_intermediates);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
