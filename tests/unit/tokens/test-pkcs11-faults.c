/* SPDX-License-Identifier: Apache-2.0 */
/* token-pkcs11 on a module that misbehaves. */
#include <check.h>
#include <dlfcn.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

#include "mock-module.h"
#include "plugin-host.h"
#include "test-keys.h"

static TestKey key;
static unsigned char modulus[256];
static Mock *mock;
static TestHost host;
static const EonayTokenOps *ops;
static void *context;
static TestListing listing;

static const EonaySecret right = {(const uint8_t *)"1234", 4}, wrong = {(const uint8_t *)"4321", 4};

static void make_key(void) {
    BIGNUM *n = NULL;
    test_key_make(&key, "RSA:2048", "Ayşe Işık");
    EVP_PKEY_get_bn_param(key.key, OSSL_PKEY_PARAM_RSA_N, &n);
    BN_bn2binpad(n, modulus, sizeof(modulus));
    BN_free(n);
}

static void remove_key(void) {
    test_key_clear(&key);
}

static void slot_fill(size_t i, const char *label, const char *serial) {
    MockSlot *slot = &mock->slots[i];
    *slot = (MockSlot){.present = true, .pin_min = 4, .pin_max = 8};
    memset(slot->label, ' ', sizeof(slot->label));
    memset(slot->serial, ' ', sizeof(slot->serial));
    memcpy(slot->label, label, strlen(label));
    memcpy(slot->serial, serial, strlen(serial));
}

static void prepare(void) {
    void *object = dlopen(MOCK_MODULE, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(object != NULL, "%s", dlerror());
    mock = dlsym(object, "mock");
    *mock = (Mock){.tries = 3,
                   .pin = "1234",
                   .certificate = key.der,
                   .certificate_size = key.der_size,
                   .modulus = modulus,
                   .modulus_size = sizeof(modulus)};
    slot_fill(0, "card", "1");
    ops = test_plugin(PKCS11_PLUGIN)->token;
    test_host_init(&host);
    test_host_set(&host, "Module", MOCK_MODULE);
    test_listing_init(&listing);
}

static void finish(void) {
    test_listing_clear(&listing);
    ops->close(context);
    context = NULL;
    ck_assert_int_eq(mock->sessions, 0);
    ck_assert_int_eq(mock->initialized, mock->finalized);
}

static void open_and_list(void) {
    ck_assert_msg(ops->open(&host.host, &context) == 0, "%s", host.text);
    ck_assert_msg(ops->list(context, NULL, &listing.visitor) == 0, "%s", host.text);
}

static int login(const EonaySecret *secret, uint32_t flags) {
    const EonayLogin request = {
        .struct_size = sizeof(request), .token = listing.tokens[0].key, .secret = secret, .flags = flags};
    return ops->login(context, &request);
}

static int sign(const EonaySecret *secret) {
    uint8_t digest[64], *signature = NULL;
    size_t size = 0;
    const EonaySignRequest request = {.struct_size = sizeof(request),
                                      .mechanism = EONAY_MECH_RSA_PKCS1_SHA256,
                                      .token = listing.tokens[0].key,
                                      .certificate = key.der,
                                      .certificate_size = key.der_size,
                                      .digest = digest,
                                      .digest_size = test_digest(EONAY_MECH_RSA_PKCS1_SHA256, digest),
                                      .secret = secret};
    int r = ops->sign(context, &request, &signature, &size);
    if (r == 0)
        ck_assert_uint_eq(size, 256);
    else
        ck_assert_ptr_null(signature);
    free(signature);
    return r;
}

/* libp11 always passes arguments; the module that takes none never sees them. */
START_TEST(initialises_with_null) {
    open_and_list();
    ck_assert_uint_eq(listing.n_certificates, 1);
    ck_assert_int_eq(mock->initialized, 1);
    ck_assert_str_eq(listing.tokens[0].reader, "Reader 00");
    ck_assert_str_eq(listing.tokens[0].key, "/M/1/card");
    ck_assert_uint_eq(listing.tokens[0].mechanisms,
                      EONAY_MECH_RSA_PKCS1_SHA256 | EONAY_MECH_RSA_PKCS1_SHA384 | EONAY_MECH_RSA_PKCS1_SHA512);
    ck_assert_str_eq(listing.certificates[0].label, "l??");
    ck_assert_int_eq(login(&right, 0), 0);
    ck_assert_int_eq(sign(&right), 0);
}
END_TEST

START_TEST(initialises_with_arguments) {
    test_host_set(&host, "InitArgs", "os-locking");
    ck_assert_int_eq(ops->open(&host.host, &context), EONAY_ERROR_PLUGIN_FAILED);
    ck_assert_uint_eq(host.native_code, CKR_ARGUMENTS_BAD);
    mock->any_arguments = true;
    open_and_list();
    ck_assert_uint_eq(listing.n_certificates, 1);
}
END_TEST

START_TEST(refuses_bad_modules) {
    mock->gap = true;
    ck_assert_int_eq(ops->open(&host.host, &context), EONAY_ERROR_MODULE_INVALID);
    mock->gap = false;
    mock->function_list = CKR_GENERAL_ERROR;
    ck_assert_int_eq(ops->open(&host.host, &context), EONAY_ERROR_MODULE_INVALID);
    ck_assert_ptr_null(context);
}
END_TEST

/* One bad slot after the other; libp11 by itself would give up, or wait for ever at the last. */
START_TEST(lists_beside_bad_slots) {
    slot_fill(1, "second", "2");
    mock->slots[1].token_info = CKR_TOKEN_NOT_RECOGNIZED;
    slot_fill(4, "fifth", "5");
    mock->slots[4].token_info = CKR_FUNCTION_FAILED;
    slot_fill(2, "third", "3");
    mock->slots[2].slot_info = CKR_DEVICE_ERROR;
    slot_fill(3, "fourth", "4");
    mock->slots[3].open_session = CKR_DEVICE_ERROR;
    open_and_list();
    ck_assert_uint_eq(listing.n_tokens, 3);
    ck_assert_uint_eq(listing.n_certificates, 1);
    ck_assert_str_eq(listing.tokens[0].label, "card");
    ck_assert_str_eq(listing.tokens[0].state, "");
    ck_assert_str_eq(listing.tokens[1].label, "third");
    ck_assert_str_ne(listing.tokens[1].state, "");
    ck_assert_str_eq(listing.tokens[2].label, "fourth");
    ck_assert_str_ne(listing.tokens[2].state, "");
}
END_TEST

START_TEST(lists_beside_bad_certificates) {
    mock->bad_certificates = true;
    open_and_list();
    ck_assert_uint_eq(listing.n_certificates, 1);
    ck_assert_ptr_nonnull(test_listing_find(&listing, key.der, key.der_size));
}
END_TEST

START_TEST(ends_an_endless_search) {
    mock->endless_objects = true;
    open_and_list();
    ck_assert_uint_eq(listing.n_certificates, 1); /* libp11 sees that they are all the same */
    ck_assert_int_eq(login(&right, 0), 0);
    sign(&right);
}
END_TEST

START_TEST(tells_equal_tokens_apart) {
    slot_fill(1, "card", "1");
    open_and_list();
    ck_assert_uint_eq(listing.n_tokens, 2);
    ck_assert_str_eq(listing.tokens[0].key, "/M/1/card#10");
    ck_assert_str_eq(listing.tokens[1].key, "/M/1/card#11");
    ck_assert_int_eq(login(&right, 0), 0);
    ck_assert_int_eq(sign(&right), 0);
}
END_TEST

START_TEST(cleans_texts) {
    memcpy(mock->slots[0].label, "\xff\xc3\x9e a/b#\n\xed\xa0\x80\xe2\x82", 14);
    memset(mock->slots[0].serial, 0, 16);
    open_and_list();
    ck_assert_str_eq(listing.tokens[0].label, "?Þ a/b#??????");
    ck_assert_str_eq(listing.tokens[0].serial, "");
    ck_assert_str_eq(listing.tokens[0].key, "/M//?Þ a_b_??????");
    ck_assert_int_eq(login(&right, 0), 0);
}
END_TEST

START_TEST(survives_absurd_numbers) {
    mock->absurd_mechanisms = 1UL << 40;
    mock->slots[0].pin_min = 1UL << 40;
    mock->slots[0].pin_max = CK_UNAVAILABLE_INFORMATION;
    open_and_list();
    ck_assert_uint_eq(listing.tokens[0].mechanisms, 0);
    ck_assert_uint_eq(listing.tokens[0].pin_min, 0);
    ck_assert_uint_eq(listing.tokens[0].pin_max, 0);
    ck_assert_int_eq(login(&right, 0), 0);
    mock->absurd_signature = 1UL << 40;
    ck_assert_int_eq(sign(&right), EONAY_ERROR_PLUGIN_FAILED);
    mock->absurd_signature = 0;
    mock->absurd_attribute = 1UL << 40;
    ck_assert_int_eq(sign(&right), EONAY_ERROR_NO_CERTIFICATE);
    mock->absurd_slots = 1UL << 40;
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), EONAY_ERROR_PLUGIN_FAILED);
}
END_TEST

START_TEST(counts_tries) {
    open_and_list();
    ck_assert_int_eq(login(&wrong, 0), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(host.tries_left, 2);
    ck_assert_int_eq(login(&wrong, 0), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(host.tries_left, 1);
    ck_assert_int_eq(mock->logins, 2);

    ck_assert_int_eq(login(&right, 0), EONAY_ERROR_PIN_FINAL_TRY);
    ck_assert_int_eq(host.tries_left, 1);
    ck_assert_int_eq(ops->change_pin(context, listing.tokens[0].key, &right, &right), EONAY_ERROR_PIN_FINAL_TRY);
    ck_assert_int_eq(mock->logins, 2);
    ck_assert_int_eq(mock->tries, 1);

    ck_assert_int_eq(login(&wrong, EONAY_LOGIN_ALLOW_FINAL_TRY), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(host.tries_left, 0);
    ck_assert_int_eq(login(&right, EONAY_LOGIN_ALLOW_FINAL_TRY), EONAY_ERROR_PIN_LOCKED);
    ck_assert_int_eq(host.tries_left, 0);
    ck_assert_int_eq(mock->logins, 3);

    test_listing_clear(&listing);
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    ck_assert_uint_eq(listing.tokens[0].flags, EONAY_TOKEN_PIN_LOW | EONAY_TOKEN_PIN_LOCKED);
    ck_assert_str_eq(listing.tokens[0].state, "The PIN is locked.");
}
END_TEST

START_TEST(takes_the_final_try) {
    open_and_list();
    mock->tries = 1;
    ck_assert_int_eq(login(&right, EONAY_LOGIN_ALLOW_FINAL_TRY), 0);
    ck_assert_int_eq(mock->logins, 1);
    ck_assert_int_eq(sign(&right), 0);
}
END_TEST

START_TEST(leaves_the_pin_to_the_reader) {
    mock->slots[0].flags = CKF_PROTECTED_AUTHENTICATION_PATH;
    mock->always_authenticate = true;
    open_and_list();
    ck_assert_uint_eq(listing.tokens[0].flags, EONAY_TOKEN_PINPAD);
    ck_assert_int_eq(login(&right, 0), EONAY_ERROR_PIN_PAD_REQUIRED);
    ck_assert_int_eq(mock->logins, 0);
    ck_assert_int_eq(login(NULL, 0), 0);
    ck_assert_int_eq(mock->null_pins, 1);
    ck_assert_int_eq(sign(NULL), 0);
    ck_assert_int_eq(mock->null_pins, 2);
    ck_assert_int_eq(ops->change_pin(context, listing.tokens[0].key, &right, &right), EONAY_ERROR_PIN_PAD_REQUIRED);
    test_host_set(&host, "ForcePinPad", "no");
    ck_assert_int_eq(login(NULL, 0), EONAY_ERROR_PIN_REQUIRED);
    ck_assert_int_eq(login(&right, 0), 0);
}
END_TEST

START_TEST(authenticates_each_time) {
    mock->always_authenticate = mock->key_visible = true;
    open_and_list();
    ck_assert_uint_eq(listing.certificates[0].flags, EONAY_CERT_HAS_KEY | EONAY_CERT_ALWAYS_AUTH);
    ck_assert_int_eq(login(&right, 0), 0);
    ck_assert_int_eq(sign(&right), 0);
    ck_assert_int_eq(sign(&right), 0);
    ck_assert_int_eq(mock->context_logins, 2);
    ck_assert_int_eq(mock->logins, 1);
    ck_assert_int_eq(sign(&wrong), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(host.tries_left, 2);
}
END_TEST

START_TEST(ends_a_leftover_login) {
    open_and_list();
    mock->leftover_login = CKR_USER_ALREADY_LOGGED_IN;
    ck_assert_int_eq(login(&wrong, 0), EONAY_ERROR_PIN_INCORRECT); /* the other's login does not count for this one */
    ck_assert_int_eq(mock->tries, 2);
    mock->leftover_login = CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    ck_assert_int_eq(login(&right, 0), 0);
}
END_TEST

START_TEST(notices_a_removed_card) {
    open_and_list();
    ck_assert_int_eq(login(&right, 0), 0);
    mock->sign = CKR_DEVICE_REMOVED;
    ck_assert_int_eq(sign(&right), EONAY_ERROR_TOKEN_REMOVED);
    ck_assert_uint_eq(host.native_code, CKR_DEVICE_REMOVED);
    mock->slots[0].open_session = CKR_TOKEN_NOT_PRESENT;
    ck_assert_int_eq(login(&right, 0), EONAY_ERROR_TOKEN_REMOVED);
    mock->slots[0].present = false;
    ck_assert_int_eq(login(&right, 0), EONAY_ERROR_TOKEN_REMOVED);
    ck_assert_int_eq(ops->inspect(context, listing.tokens[0].key, &listing.visitor), EONAY_ERROR_TOKEN_REMOVED);
    ck_assert_int_eq(sign(&right), EONAY_ERROR_PIN_REQUIRED);

    /* In another slot it is the same token; another card in its slot is not. */
    slot_fill(2, "card", "1");
    mock->sign = CKR_OK;
    ck_assert_int_eq(login(&right, 0), 0);
    ck_assert_int_eq(sign(&right), 0);
    slot_fill(2, "card", "2");
    ck_assert_int_eq(login(&right, 0), EONAY_ERROR_TOKEN_REMOVED);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("token-pkcs11-faults");
    TCase *tcase = tcase_create("mock");
    tcase_set_timeout(tcase, 30);
    tcase_add_unchecked_fixture(tcase, make_key, remove_key);
    tcase_add_checked_fixture(tcase, prepare, finish);
    tcase_add_test(tcase, initialises_with_null);
    tcase_add_test(tcase, initialises_with_arguments);
    tcase_add_test(tcase, refuses_bad_modules);
    tcase_add_test(tcase, lists_beside_bad_slots);
    tcase_add_test(tcase, lists_beside_bad_certificates);
    tcase_add_test(tcase, ends_an_endless_search);
    tcase_add_test(tcase, tells_equal_tokens_apart);
    tcase_add_test(tcase, cleans_texts);
    tcase_add_test(tcase, survives_absurd_numbers);
    tcase_add_test(tcase, counts_tries);
    tcase_add_test(tcase, takes_the_final_try);
    tcase_add_test(tcase, leaves_the_pin_to_the_reader);
    tcase_add_test(tcase, authenticates_each_time);
    tcase_add_test(tcase, ends_a_leftover_login);
    tcase_add_test(tcase, notices_a_removed_card);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
