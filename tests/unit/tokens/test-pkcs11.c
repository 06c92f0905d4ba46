/* SPDX-License-Identifier: Apache-2.0 */
/* token-pkcs11 on real SoftHSM tokens. */
#include <check.h>
#include <errno.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "plugin-host.h"
#include "soft-token.h"

#define PIN "482913"

enum { RSA_A, RSA_B, RSA_4096, P256, P384, P521, ALWAYS, WRONG_ID, WRONG_ID_EC, NO_KEY, NO_SIGN, NO_ID, N_KEYS };

static TestKey keys[N_KEYS], second;
static char *folder;
static TestHost host;
static const EonayTokenOps *ops;
static void *context;
static TestListing listing;

static const EonaySecret right = {(const uint8_t *)PIN, sizeof(PIN) - 1};
static const EonaySecret wrong = {(const uint8_t *)"111111", 6};

static void make_folder(void) {
    folder = test_folder();
    soft_folder(folder);
}

static void remove_folder(void) {
    test_folder_remove(folder);
    free(folder);
}

static void make_tokens(void) {
    static const char *const kinds[N_KEYS] = {"RSA:2048", "RSA:3072", "RSA:4096", "EC:P-256", "EC:P-384", "EC:P-521",
                                              "RSA:2048", "RSA:2048", "EC:P-256", "RSA:2048", "EC:P-256", "RSA:2048"};
    for (size_t i = 0; i < N_KEYS; i++)
        test_key_make(&keys[i], kinds[i], "Ayşe Işık");
    test_key_make(&second, "EC:P-256", "Ali Veli");
    const SoftObject objects[] = {
        {&keys[RSA_A], "same", 1, 0, 0},
        {&keys[RSA_B], "same", 2, 0, 0},
        {&keys[RSA_4096], "same", 3, 0, 0},
        {&keys[P256], "p256", 4, 0, 0},
        {&keys[P384], "p384", 5, 0, SOFT_NO_PUBLIC},
        {&keys[P521], "p521", 6, 0, 0},
        {&keys[ALWAYS], "always", 7, 0, SOFT_ALWAYS_AUTH},
        {&keys[WRONG_ID], "wrong-id", 1, 70, 0},
        {&keys[WRONG_ID_EC], "wrong-id-ec", 5, 71, 0},
        {&keys[NO_KEY], "no-key", 9, 0, SOFT_NO_PRIVATE},
        {&keys[NO_SIGN], "no-sign", 10, 0, SOFT_NO_SIGN | SOFT_VISIBLE_KEY},
        {&keys[NO_ID], "no-id", 0, 0, 0},
    };
    const SoftObject other[] = {{&second, "second", 1, 0, SOFT_VISIBLE_KEY}};

    make_folder();
    soft_token_make("eonay one", right.bytes, right.size, objects, sizeof(objects) / sizeof(objects[0]));
    soft_token_make("eonay two", right.bytes, right.size, other, 1);
}

static void remove_tokens(void) {
    for (size_t i = 0; i < N_KEYS; i++)
        test_key_clear(&keys[i]);
    test_key_clear(&second);
    remove_folder();
}

static void open_plugin(void) {
    ops = test_plugin(PKCS11_PLUGIN)->token;
    test_host_init(&host);
    test_host_set(&host, "Module", soft_module());
    ck_assert_int_eq(ops->open(&host.host, &context), 0);
    test_listing_init(&listing);
}

static void close_plugin(void) {
    test_listing_clear(&listing);
    ops->close(context);
}

static const char *token_key(const char *label) {
    if (listing.n_tokens == 0)
        ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    for (size_t i = 0; i < listing.n_tokens; i++)
        if (strcmp(listing.tokens[i].label, label) == 0)
            return listing.tokens[i].key;
    ck_abort_msg("no token %s", label);
}

static int login(const char *label, const EonaySecret *secret) {
    const EonayLogin request = {.struct_size = sizeof(request), .token = token_key(label), .secret = secret};
    return ops->login(context, &request);
}

static int sign(const char *label, const TestKey *key, uint32_t mechanism, const EonaySecret *secret, uint8_t **ret,
                size_t *ret_size) {
    uint8_t digest[64];
    const EonaySignRequest request = {.struct_size = sizeof(request),
                                      .mechanism = mechanism,
                                      .token = token_key(label),
                                      .certificate = key->der,
                                      .certificate_size = key->der_size,
                                      .digest = digest,
                                      .digest_size = test_digest(mechanism, digest),
                                      .secret = secret};
    return ops->sign(context, &request, ret, ret_size);
}

static void must_sign(const TestKey *key, uint32_t mechanism) {
    uint8_t *signature = NULL;
    size_t size = 0;
    ck_assert_msg(sign("eonay one", key, mechanism, &right, &signature, &size) == 0, "%s", host.text);
    ck_assert(test_verify(key, mechanism, signature, size));
    signature[size / 2] ^= 1;
    ck_assert(!test_verify(key, mechanism, signature, size));
    free(signature);
}

START_TEST(lists_without_pin) {
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    ck_assert_uint_eq(listing.n_tokens, 2); /* the blank one is left out */
    ck_assert_uint_eq(listing.n_certificates, N_KEYS + 1);
    for (size_t i = 0; i < N_KEYS; i++) {
        const TestCertificate *found = test_listing_find(&listing, keys[i].der, keys[i].der_size);
        ck_assert_ptr_nonnull(found);
        ck_assert_str_eq(listing.tokens[found->token].label, "eonay one");
        if (i == NO_SIGN)
            ck_assert_uint_eq(found->flags, EONAY_CERT_HAS_KEY | EONAY_CERT_KEY_NO_SIGN);
        else
            ck_assert_uint_eq(found->flags, EONAY_CERT_KEY_UNKNOWN);
    }
    const TestCertificate *found = test_listing_find(&listing, second.der, second.der_size);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(found->flags, EONAY_CERT_HAS_KEY);
    ck_assert_uint_eq(found->id_size, 1);
    ck_assert_str_eq(found->label, "second");
    ck_assert_str_eq(listing.tokens[found->token].label, "eonay two");
}
END_TEST

START_TEST(describes_tokens) {
    const char *one = token_key("eonay one"), *two = token_key("eonay two");
    ck_assert_str_ne(one, two);
    ck_assert(strstr(one, "/eonay one") != NULL);
    const TestToken *token = &listing.tokens[0];
    ck_assert_uint_eq(token->mechanisms, (1u << 9) - 1);
    ck_assert_uint_eq(token->pin_min, 4);
    ck_assert_uint_eq(token->pin_max, 255);
    ck_assert_uint_eq(token->flags, 0);
    ck_assert_str_eq(token->state, "");
    ck_assert_str_eq(token->reader, "");
    ck_assert_uint_eq(strlen(token->serial), 16);

    TestListing again;
    test_listing_init(&again);
    ck_assert_int_eq(ops->inspect(context, one, &again.visitor), 0);
    ck_assert_uint_eq(again.n_tokens, 1);
    ck_assert_str_eq(again.tokens[0].key, one);
    ck_assert_int_eq(ops->inspect(context, "no/such/token/", &again.visitor), EONAY_ERROR_TOKEN_REMOVED);
}
END_TEST

START_TEST(lists_again_and_again) {
    for (int i = 0; i < 20; i++) {
        test_listing_clear(&listing);
        ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
        ck_assert_uint_eq(listing.n_certificates, N_KEYS + 1);
    }
    listing.stop_with = -ECANCELED;
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), -ECANCELED);
}
END_TEST

START_TEST(filters_by_label_and_serial) {
    char serial[256];
    token_key("eonay two");
    for (size_t i = 0; i < listing.n_tokens; i++)
        if (strcmp(listing.tokens[i].label, "eonay two") == 0)
            snprintf(serial, sizeof(serial), "%s", listing.tokens[i].serial);
    test_host_set(&host, "MatchSerial", serial);
    test_listing_clear(&listing);
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    ck_assert_uint_eq(listing.n_tokens, 1);
    ck_assert_str_eq(listing.tokens[0].label, "eonay two");
    test_host_set(&host, "MatchLabel", "eonay one");
    test_listing_clear(&listing);
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    ck_assert_uint_eq(listing.n_tokens, 0);
}
END_TEST

static const struct {
    int key;
    uint32_t mechanism;
} signatures[] = {
    {RSA_A, EONAY_MECH_RSA_PKCS1_SHA256},    {RSA_A, EONAY_MECH_RSA_PKCS1_SHA384},
    {RSA_A, EONAY_MECH_RSA_PKCS1_SHA512},    {RSA_A, EONAY_MECH_RSA_PSS_SHA256},
    {RSA_A, EONAY_MECH_RSA_PSS_SHA384},      {RSA_A, EONAY_MECH_RSA_PSS_SHA512},
    {RSA_B, EONAY_MECH_RSA_PKCS1_SHA256},    {RSA_B, EONAY_MECH_RSA_PSS_SHA256},
    {RSA_4096, EONAY_MECH_RSA_PKCS1_SHA256}, {P256, EONAY_MECH_ECDSA_SHA256},
    {P256, EONAY_MECH_ECDSA_SHA512},         {P384, EONAY_MECH_ECDSA_SHA384},
    {P384, EONAY_MECH_ECDSA_SHA256},         {P521, EONAY_MECH_ECDSA_SHA512},
    {ALWAYS, EONAY_MECH_RSA_PKCS1_SHA256},   {ALWAYS, EONAY_MECH_RSA_PSS_SHA256},
    {WRONG_ID, EONAY_MECH_RSA_PKCS1_SHA256}, {WRONG_ID_EC, EONAY_MECH_ECDSA_SHA256},
    {NO_ID, EONAY_MECH_RSA_PSS_SHA256},
};

START_TEST(signs) {
    ck_assert_int_eq(login("eonay one", &right), 0);
    must_sign(&keys[signatures[_i].key], signatures[_i].mechanism);
    ops->logout(context);
}
END_TEST

START_TEST(signs_many_in_one_login) {
    ck_assert_int_eq(login("eonay one", &right), 0);
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
        must_sign(&keys[signatures[i].key], signatures[i].mechanism);
    /* A listing in between neither ends the login nor is disturbed by it. */
    test_listing_clear(&listing);
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    must_sign(&keys[RSA_A], EONAY_MECH_RSA_PKCS1_SHA256);
    ops->logout(context);
    ops->logout(context);
}
END_TEST

START_TEST(refuses_to_sign) {
    uint8_t *signature = NULL;
    size_t size = 7;
    const TestKey junk = {.der = (unsigned char *)"\x30\x03\x02\x01\x01", .der_size = 5};

    ck_assert_int_eq(sign("eonay one", &keys[RSA_A], EONAY_MECH_RSA_PKCS1_SHA256, &right, &signature, &size),
                     EONAY_ERROR_PIN_REQUIRED);
    ck_assert_int_eq(login("eonay one", &right), 0);
    ck_assert_int_eq(sign("eonay two", &second, EONAY_MECH_ECDSA_SHA256, &right, &signature, &size),
                     EONAY_ERROR_PIN_REQUIRED);
    ck_assert_int_eq(sign("eonay one", &keys[NO_KEY], EONAY_MECH_RSA_PKCS1_SHA256, &right, &signature, &size),
                     EONAY_ERROR_NO_CERTIFICATE);
    ck_assert_int_eq(sign("eonay one", &second, EONAY_MECH_ECDSA_SHA256, &right, &signature, &size),
                     EONAY_ERROR_NO_CERTIFICATE);
    ck_assert_int_eq(sign("eonay one", &junk, EONAY_MECH_ECDSA_SHA256, &right, &signature, &size),
                     EONAY_ERROR_NO_CERTIFICATE);
    ck_assert_int_eq(sign("eonay one", &keys[NO_SIGN], EONAY_MECH_ECDSA_SHA256, &right, &signature, &size),
                     EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(sign("eonay one", &keys[P256], EONAY_MECH_RSA_PSS_SHA256, &right, &signature, &size),
                     EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(sign("eonay one", &keys[RSA_A], EONAY_MECH_ECDSA_SHA256, &right, &signature, &size),
                     EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(sign("eonay one", &keys[RSA_A], EONAY_MECH_RSA_PKCS1_SHA256 | EONAY_MECH_RSA_PSS_SHA256, &right,
                          &signature, &size),
                     EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(sign("eonay one", &keys[ALWAYS], EONAY_MECH_RSA_PKCS1_SHA256, NULL, &signature, &size),
                     EONAY_ERROR_PIN_REQUIRED);
    ck_assert_int_eq(sign("eonay one", &keys[ALWAYS], EONAY_MECH_RSA_PKCS1_SHA256, &wrong, &signature, &size),
                     EONAY_ERROR_PIN_INCORRECT);
    ck_assert_ptr_null(signature);
    ck_assert_uint_eq(size, 7);
    must_sign(&keys[RSA_A], EONAY_MECH_RSA_PKCS1_SHA256); /* none of this has hurt the login */
}
END_TEST

START_TEST(refuses_pins) {
    uint8_t large[256];
    memset(large, '1', sizeof(large));
    const EonaySecret shorter = {(const uint8_t *)"123", 3}, longer = {large, sizeof(large)},
                      with_nul = {(const uint8_t *)"12\0456", 6}, empty = {(const uint8_t *)"", 0};

    ck_assert_int_eq(login("eonay two", &shorter), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(login("eonay two", &longer), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(login("eonay two", &with_nul), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(login("eonay two", &empty), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(login("eonay two", NULL), EONAY_ERROR_PIN_REQUIRED);
    test_listing_clear(&listing);
    token_key("eonay two");
    for (size_t i = 0; i < listing.n_tokens; i++) /* no try was spent */
        ck_assert(strcmp(listing.tokens[i].label, "eonay two") != 0 || listing.tokens[i].flags == 0);

    ck_assert_int_eq(login("eonay two", &wrong), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_uint_eq(host.native_code, CKR_PIN_INCORRECT);
    ck_assert_int_eq(host.tries_left, 2);
    uint8_t *signature = NULL;
    size_t size;
    ck_assert_int_eq(sign("eonay two", &second, EONAY_MECH_ECDSA_SHA256, &wrong, &signature, &size),
                     EONAY_ERROR_PIN_REQUIRED);
    ck_assert_int_eq(login("eonay two", &right), 0);

    const EonayLogin nowhere = {.struct_size = sizeof(nowhere), .token = "a/b/c/d", .secret = &right};
    ck_assert_int_eq(ops->login(context, &nowhere), EONAY_ERROR_TOKEN_REMOVED);
    test_host_set(&host, "ForcePinPad", "yes");
    ck_assert_int_eq(login("eonay two", &right), EONAY_ERROR_PIN_PAD_REQUIRED);
}
END_TEST

START_TEST(changes_and_unblocks) {
    const EonaySecret next = {(const uint8_t *)"7654321", 7}, shorter = {(const uint8_t *)"12", 2},
                      puk = {(const uint8_t *)SOFT_SO_PIN, sizeof(SOFT_SO_PIN) - 1},
                      code = {(const uint8_t *)"123456789012345", 15},
                      grouped = {(const uint8_t *)"12345 67890-12345", 17};
    const char *two = token_key("eonay two");

    ck_assert_int_eq(ops->change_pin(context, two, &wrong, &next), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(ops->change_pin(context, two, &right, &shorter), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(ops->change_pin(context, two, &right, &next), 0);
    ck_assert_int_eq(login("eonay two", &right), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(login("eonay two", &next), 0);

    ck_assert_int_eq(ops->unblock_pin(context, two, &code, &right), EONAY_ERROR_PIN_FORMAT);
    ck_assert_str_eq(host.text, "the verification code is not a PUK");
    ck_assert_int_eq(ops->unblock_pin(context, two, &grouped, &right), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(ops->unblock_pin(context, two, &wrong, &right), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(ops->unblock_pin(context, two, &puk, &shorter), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(ops->unblock_pin(context, two, &puk, &right), 0);
    ck_assert_int_eq(login("eonay two", &right), 0);
}
END_TEST

/* Leaves a PIN of its own on a page of its own; everything else in this process may not hold it. */
START_TEST(leaves_no_pin_in_memory) {
    uint8_t *pin = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const EonaySecret secret = {pin, 16};
    const SoftObject object[] = {{&keys[RSA_A], "memory", 1, 0, SOFT_ALWAYS_AUTH}};
    uint8_t *signature = NULL;
    size_t size = 0;

    ck_assert(pin != MAP_FAILED);
    ck_assert_int_eq(getrandom(pin, 16, 0), 16);
    for (size_t i = 0; i < 16; i++)
        pin[i] = (uint8_t)('0' + pin[i] % 10);
    close_plugin();
    soft_token_make("memory", pin, 16, object, 1);
    open_plugin();
    ck_assert(!memory_holds(pin, 16));

    uint8_t *copy = malloc(16);
    memcpy(copy, pin, 16);
    ck_assert(memory_holds(pin, 16)); /* the search finds what there is */
    explicit_bzero(copy, 16);
    free(copy);

    ck_assert_int_eq(login("memory", &secret), 0);
    ck_assert_int_eq(sign("memory", &keys[RSA_A], EONAY_MECH_RSA_PKCS1_SHA256, &secret, &signature, &size), 0);
    ops->logout(context);
    free(signature);
    ck_assert(!memory_holds(pin, 16));
}
END_TEST

static int open_with(const char *module, const char *p11kit) {
    void *other = NULL;
    test_host_init(&host);
    if (module)
        test_host_set(&host, "Module", module);
    if (p11kit)
        test_host_set(&host, "P11Kit", p11kit);
    int r = test_plugin(PKCS11_PLUGIN)->token->open(&host.host, &other);
    if (r == 0)
        test_plugin(PKCS11_PLUGIN)->token->close(other);
    else
        ck_assert_ptr_null(other);
    return r;
}

START_TEST(finds_modules) {
    ck_assert_int_eq(open_with("/nonexistent/libakisp11.so", NULL), EONAY_ERROR_MODULE_MISSING);
    ck_assert_int_eq(open_with("libsofthsm2.so", NULL), EONAY_ERROR_MODULE_INVALID);
    ck_assert_int_eq(open_with("/etc/passwd", NULL), EONAY_ERROR_MODULE_INVALID);
    ck_assert_int_eq(open_with(PKCS12_PLUGIN, NULL), EONAY_ERROR_MODULE_INVALID);
    ck_assert_int_eq(open_with("/etc", NULL), EONAY_ERROR_MODULE_INVALID);
    ck_assert_int_eq(open_with(NULL, "no-such-module"), EONAY_ERROR_MODULE_MISSING);
    ck_assert_msg(open_with(NULL, "softhsm2") == 0, "%s", host.text);
    ck_assert_int_eq(open_with(soft_module(), NULL), 0);
}
END_TEST

/* One module a process: a second context would share sessions and login with the first. */
START_TEST(opens_once) {
    void *other = NULL;
    ck_assert_int_eq(ops->open(&host.host, &other), -EBUSY);
    ck_assert_int_eq(login("eonay one", &right), 0);
}
END_TEST

int main(void) {
    if (!soft_module())
        return 77;
    Suite *suite = suite_create("token-pkcs11");
    TCase *tcase = tcase_create("softhsm");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, make_tokens, remove_tokens);
    tcase_add_checked_fixture(tcase, open_plugin, close_plugin);
    tcase_add_test(tcase, lists_without_pin);
    tcase_add_test(tcase, describes_tokens);
    tcase_add_test(tcase, lists_again_and_again);
    tcase_add_test(tcase, filters_by_label_and_serial);
    tcase_add_loop_test(tcase, signs, 0, sizeof(signatures) / sizeof(signatures[0]));
    tcase_add_test(tcase, signs_many_in_one_login);
    tcase_add_test(tcase, refuses_to_sign);
    tcase_add_test(tcase, refuses_pins);
    tcase_add_test(tcase, changes_and_unblocks);
    if (MEMORY_CAN_BE_SEARCHED)
        tcase_add_test(tcase, leaves_no_pin_in_memory);
    tcase_add_test(tcase, opens_once);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("modules");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, finds_modules);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
