/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tutorial plugin through the real host, with a key made for each test: what it signs verifies, and what is wrong
 * with its files or passphrase gets its condition. Once more it is loaded into this process, whose memory is then
 * searched for the passphrase.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "util.h"

static HostUnderTest host;
static Outcome outcome;
static char folder[64], key_path[96], certificate_path[96];
static EVP_PKEY *key;

/* ----------------------------------------------------------------------------------------------------------- files --
 */

static void write_key(bool encrypted) {
    FILE *file = fopen(key_path, "we");
    ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, key, encrypted ? EVP_aes_256_cbc() : NULL, TEST_PIN,
                                               encrypted ? (int)strlen(TEST_PIN) : 0, NULL, NULL),
                     1);
    fclose(file);
}

static void write_certificate(EVP_PKEY *pair) {
    X509 *certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, pair);
    ck_assert_int_gt(X509_sign(certificate, pair, EVP_sha256()), 0);
    FILE *file = fopen(certificate_path, "we");
    ck_assert_int_eq(PEM_write_X509(file, certificate), 1);
    fclose(file);
    X509_free(certificate);
}

static void setup(void) {
    snprintf(folder, sizeof(folder), "/tmp/eonay-tutorial-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    snprintf(certificate_path, sizeof(certificate_path), "%s/certificate.pem", folder);
    key = EVP_RSA_gen(2048);
    write_key(true);
    write_certificate(key);
    host_start(&host);
}

static void teardown(void) {
    EVP_PKEY_free(key);
    unlink(key_path);
    unlink(certificate_path);
    rmdir(folder);
}

static int open_tutorial(void) {
    const OpenArguments a = {.kind = "token",
                             .plugin = "tutorial",
                             .library = test_path("TUTORIAL"),
                             .needs = STRINGS("files"),
                             .config = STRINGS("Certificate", certificate_path, "Key", key_path),
                             .read_paths = STRINGS(certificate_path, key_path)};
    return host_open(&host, &a, &outcome);
}

/* ------------------------------------------------------------------------------------------------------------ tests --
 */

static void verify(const uint8_t *digest, const void *signature, size_t size) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    ck_assert_int_gt(EVP_PKEY_verify_init(ctx), 0);
    ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 0);
    ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 0);
    ck_assert_int_eq(EVP_PKEY_verify(ctx, signature, size, digest, 32), 1);
    EVP_PKEY_CTX_free(ctx);
}

START_TEST(two_digests_two_signatures_that_verify) {
    static const uint8_t digests[2][32] = {{1, 2, 3}, {4, 5, 6}};
    ck_assert_int_eq(open_tutorial(), 0);
    ck_assert_int_eq(host_login(&host, 1, "pem", TEST_PIN, 0, &outcome), 0);
    sd_bus_message *m = host_message(&host, HOST_METHOD_SIGN), *reply;
    ck_assert_int_ge(sd_bus_message_append(m, "ts", (uint64_t)1, "pem"), 0);
    ck_assert_int_ge(sd_bus_message_append_array(m, 'y', "c", 1), 0);
    ck_assert_int_ge(sd_bus_message_append(m, "u", EONAY_MECH_RSA_PKCS1_SHA256), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "ay"), 0);
    ck_assert_int_ge(sd_bus_message_append_array(m, 'y', digests[0], 32), 0);
    ck_assert_int_ge(sd_bus_message_append_array(m, 'y', digests[1], 32), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    ck_assert_int_eq(host_call(&host, m, &outcome, &reply), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "ay"), 0);
    for (int i = 0; i < 2; i++) {
        const void *signature;
        size_t size;
        ck_assert_int_gt(sd_bus_message_read_array(reply, 'y', &signature, &size), 0);
        verify(digests[i], signature, size);
    }
    sd_bus_message_unref(reply);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_wrong_passphrase) {
    unsigned n;
    ck_assert_int_eq(open_tutorial(), 0);
    ck_assert_int_eq(host_login(&host, 1, "pem", "not this one", 0, &outcome), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(host_login(&host, 2, "pem", NULL, 0, &outcome), EONAY_ERROR_PIN_REQUIRED);
    ck_assert_int_eq(host_login(&host, 3, "pem", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 3, "pem", &outcome, &n), 0);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_key_without_a_passphrase) {
    write_key(false);
    ck_assert_int_eq(open_tutorial(), 0);
    ck_assert_int_eq(host_login(&host, 1, "pem", TEST_PIN, 0, &outcome), EONAY_ERROR_FILE_INVALID);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_key_of_another_certificate) {
    unsigned n;
    EVP_PKEY *other = EVP_RSA_gen(2048);
    write_certificate(other);
    EVP_PKEY_free(other);
    ck_assert_int_eq(open_tutorial(), 0);
    ck_assert_int_eq(host_login(&host, 1, "pem", TEST_PIN, 0, &outcome), 0);
    ck_assert_int_eq(host_sign(&host, 1, "pem", &outcome, &n), EONAY_ERROR_NO_CERTIFICATE);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

START_TEST(a_damaged_file) {
    ck_assert_int_eq(truncate(_i == 0 ? certificate_path : key_path, 100), 0);
    int r = open_tutorial();
    if (_i == 1)
        r = host_login(&host, 1, "pem", TEST_PIN, 0, &outcome);
    ck_assert_int_eq(r, EONAY_ERROR_FILE_INVALID);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- memory --
 */

static void *plain_alloc(const EonayHost *h, size_t size) {
    (void)h;
    return calloc(1, size);
}

static int plain_fault(const EonayHost *h, EonayError code, int tries_left, uint64_t native_code, const char *text) {
    (void)h, (void)tries_left, (void)native_code, (void)text;
    return (int)code;
}

static int plain_open_file(const EonayHost *h, const char *name) {
    (void)h;
    return open(strcmp(name, "Key") == 0 ? key_path : certificate_path, O_RDONLY | O_CLOEXEC);
}

#define REGION_MAX (256ul << 20) /* the shadow of a sanitizer is larger and holds no passphrase */

/* The passphrase, inverted: so the search does not find what it searches for. */
__attribute__((no_sanitize("address"))) static unsigned count_in_memory(const uint8_t *inverted, size_t n) {
    char line[512], mode[8];
    unsigned long from, to;
    unsigned found = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || strcmp(mode, "rw-p") != 0 || to - from > REGION_MAX)
            continue;
        for (const uint8_t *at = (const uint8_t *)from; at + n <= (const uint8_t *)to; at++) {
            size_t i = 0;
            while (i < n && (at[i] ^ inverted[i]) == 0xFF)
                i++;
            found += i == n;
        }
    }
    fclose(maps);
    return found;
}

START_TEST(no_copy_of_the_passphrase_is_kept) {
    static uint8_t inverted[] = TEST_PIN, pin[sizeof(inverted) - 1];
    const size_t n = sizeof(pin);
    const EonayHost plain = {
        .struct_size = sizeof(plain), .alloc = plain_alloc, .fault = plain_fault, .open_file = plain_open_file};
    for (size_t i = 0; i < n; i++)
        inverted[i] ^= 0xFF;
    const EonayPlugin *plugin = dlsym(dlopen(test_path("TUTORIAL"), RTLD_NOW | RTLD_LOCAL), "eonay_plugin");
    void *context = NULL;
    ck_assert_int_eq(plugin->token->open(&plain, &context), 0);
    for (size_t i = 0; i < n; i++)
        pin[i] = inverted[i] ^ 0xFF;
    ck_assert_uint_eq(count_in_memory(inverted, n), 1);
    const EonaySecret secret = {pin, n};
    const EonayLogin login = {.struct_size = sizeof(login), .token = "pem", .secret = &secret};
    ck_assert_int_eq(plugin->token->login(context, &login), 0);
    ck_assert_uint_eq(count_in_memory(inverted, n), 1);
    explicit_bzero(pin, n);
    plugin->token->logout(context);
    ck_assert_uint_eq(count_in_memory(inverted, n), 0);
    plugin->token->close(context);
    ck_assert_int_eq(host_stop(&host), 0);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("host-tutorial");
    TCase *t = tcase_create("tutorial");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, two_digests_two_signatures_that_verify);
    tcase_add_test(t, a_wrong_passphrase);
    tcase_add_test(t, a_key_without_a_passphrase);
    tcase_add_test(t, a_key_of_another_certificate);
    tcase_add_loop_test(t, a_damaged_file, 0, 2);
    tcase_add_test(t, no_copy_of_the_passphrase_is_kept);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
