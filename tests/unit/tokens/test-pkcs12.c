/* SPDX-License-Identifier: Apache-2.0 */
/* token-pkcs12 on files made by OpenSSL: new and old encryption, one key and several, whole and damaged. */
#include <check.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin-host.h"
#include "test-keys.h"

#define PASSPHRASE "gizli parola"
#define TURKISH    "şifre-ığüöç-İ"

static TestKey rsa, other_rsa, p256, p384;
static char *folder, path[512], beside[512];
static TestHost host;
static const EonayTokenOps *ops;
static void *context;
static TestListing listing;

static const EonaySecret right = {(const uint8_t *)PASSPHRASE, sizeof(PASSPHRASE) - 1};
static const EonaySecret wrong = {(const uint8_t *)"yanlış", 8};

static void make_keys(void) {
    test_key_make(&rsa, "RSA:2048", "Ayşe Işık");
    test_key_make(&other_rsa, "RSA:3072", "Ali Veli");
    test_key_make(&p256, "EC:P-256", "Can Er");
    test_key_make(&p384, "EC:P-384", "Su Naz");
    folder = test_folder();
    snprintf(path, sizeof(path), "%s/imza.p12", folder);
    snprintf(beside, sizeof(beside), "%s/imza.pem", folder);
    ops = test_plugin(PKCS12_PLUGIN)->token;
}

static void remove_keys(void) {
    test_key_clear(&rsa);
    test_key_clear(&other_rsa);
    test_key_clear(&p256);
    test_key_clear(&p384);
    test_folder_remove(folder);
    free(folder);
}

static void prepare(void) {
    test_host_init(&host);
    test_host_set(&host, "File", path);
    test_listing_init(&listing);
    context = NULL;
}

static void finish(void) {
    test_listing_clear(&listing);
    ops->close(context);
}

static void file_put(const char *to, const void *bytes, size_t size) {
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

static unsigned char *file_get(size_t *ret_size) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert(fd >= 0 && fstat(fd, &st) == 0);
    unsigned char *bytes = malloc((size_t)st.st_size);
    ck_assert_int_eq(read(fd, bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    *ret_size = (size_t)st.st_size;
    return bytes;
}

static void store(PKCS12 *file) {
    unsigned char *der = NULL;
    ck_assert_ptr_nonnull(file);
    int size = i2d_PKCS12(file, &der);
    ck_assert_int_gt(size, 0);
    file_put(path, der, (size_t)size);
    OPENSSL_free(der);
    PKCS12_free(file);
}

/* NIDs as in PKCS12_create(): 0 is OpenSSL's default, -1 no encryption. */
static void make_file(const char *passphrase, const TestKey *k, bool with_key, int key_nid, int certificate_nid,
                      int mac_rounds, OSSL_LIB_CTX *library) {
    store(PKCS12_create_ex(passphrase, "imza", with_key ? k->key : NULL, k->certificate, NULL, key_nid, certificate_nid,
                           1000, mac_rounds, 0, library, NULL));
}

static void make_usual(const TestKey *k) {
    make_file(PASSPHRASE, k, true, 0, 0, 1000, NULL);
}

static void make_double(void) {
    STACK_OF(PKCS12_SAFEBAG) *certificates = NULL, *keys = NULL;
    STACK_OF(PKCS7) *parts = NULL;
    unsigned char id[] = {1};

    for (int i = 0; i < 2; i++) {
        const TestKey *k = i == 0 ? &rsa : &p256;
        ck_assert_ptr_nonnull(PKCS12_add_cert(&certificates, k->certificate));
        ck_assert_ptr_nonnull(PKCS12_add_key(&keys, k->key, 0, 1000, NID_aes_256_cbc, PASSPHRASE));
    }
    PKCS12_SAFEBAG *last = PKCS12_add_cert(&certificates, p384.certificate); /* without its key */
    PKCS12_add_friendlyname_utf8(last, "Diğer\x01", -1);
    PKCS12_add_localkeyid(last, id, 1);
    PKCS12_add_safe(&parts, certificates, NID_aes_256_cbc, 1000, PASSPHRASE);
    PKCS12_add_safe(&parts, keys, -1, 0, NULL);
    PKCS12 *file = PKCS12_add_safes(parts, 0);
    ck_assert_int_eq(PKCS12_set_mac(file, PASSPHRASE, -1, NULL, 8, 1000, NULL), 1);
    store(file);
    sk_PKCS12_SAFEBAG_pop_free(certificates, PKCS12_SAFEBAG_free);
    sk_PKCS12_SAFEBAG_pop_free(keys, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(parts, PKCS7_free);
}

static int open_file(void) {
    return ops->open(&host.host, &context);
}

static const char *token_key(void) {
    static TestListing own;
    test_listing_init(&own);
    ck_assert_int_eq(ops->inspect(context, "p12:0", &own.visitor), EONAY_ERROR_TOKEN_REMOVED);
    ck_assert_int_eq(ops->list(context, NULL, &own.visitor), 0);
    ck_assert_uint_eq(own.n_tokens, 1);
    test_listing_clear(&own);
    return own.tokens[0].key;
}

static int login(const EonaySecret *secret) {
    const EonayLogin request = {.struct_size = sizeof(request), .token = token_key(), .secret = secret};
    return ops->login(context, &request);
}

static int sign(const TestKey *k, uint32_t mechanism, const EonaySecret *secret, uint8_t **ret, size_t *ret_size) {
    uint8_t digest[64];
    const EonaySignRequest request = {.struct_size = sizeof(request),
                                      .mechanism = mechanism,
                                      .token = token_key(),
                                      .certificate = k->der,
                                      .certificate_size = k->der_size,
                                      .digest = digest,
                                      .digest_size = test_digest(mechanism, digest),
                                      .secret = secret};
    return ops->sign(context, &request, ret, ret_size);
}

static void must_sign(const TestKey *k, uint32_t mechanism, const EonaySecret *secret) {
    uint8_t *signature = NULL;
    size_t size = 0;
    ck_assert_msg(sign(k, mechanism, secret, &signature, &size) == 0, "%s", host.text);
    ck_assert(test_verify(k, mechanism, signature, size));
    signature[size / 2] ^= 1;
    ck_assert(!test_verify(k, mechanism, signature, size));
    free(signature);
}

START_TEST(lists_without_passphrase) {
    make_usual(&rsa);
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    ck_assert_uint_eq(listing.n_tokens, 1);
    ck_assert_uint_eq(listing.n_certificates, 0);
    const TestToken *token = &listing.tokens[0];
    ck_assert_uint_eq(token->flags, EONAY_TOKEN_NEEDS_SECRET_TO_LIST | EONAY_TOKEN_LOCAL_KEY | EONAY_TOKEN_PIN_UNKNOWN);
    ck_assert_str_eq(token->label, "imza.p12");
    ck_assert_uint_eq(strlen(token->key), 36);
    ck_assert_int_eq(ops->inspect(context, token->key, &listing.visitor), 0);
}
END_TEST

START_TEST(lists_certificates_in_the_clear) {
    make_file(PASSPHRASE, &rsa, true, 0, -1, 1000, NULL);
    FILE *file = fopen(beside, "we");
    ck_assert(file && PEM_write_X509(file, p256.certificate) && PEM_write_X509(file, p384.certificate));
    fclose(file);
    test_host_set(&host, "Certificate", beside);
    test_host_set(&host, "Label", "Mühür");
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    ck_assert_str_eq(listing.tokens[0].label, "Mühür");
    ck_assert_uint_eq(listing.n_certificates, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(listing.certificates[i].flags, EONAY_CERT_KEY_UNKNOWN);
    ck_assert_ptr_nonnull(test_listing_find(&listing, rsa.der, rsa.der_size));
    ck_assert_ptr_nonnull(test_listing_find(&listing, p384.der, p384.der_size));
    ops->close(context);
    context = NULL;

    file_put(beside, p256.der, p256.der_size);
    test_listing_clear(&listing);
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(ops->list(context, NULL, &listing.visitor), 0);
    ck_assert_ptr_nonnull(test_listing_find(&listing, p256.der, p256.der_size));
    ops->close(context);
    context = NULL;

    file_put(beside, "no certificate\n", 15);
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    test_host_set(&host, "Certificate", "/nonexistent.pem");
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
}
END_TEST

START_TEST(lists_with_passphrase) {
    make_double();
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(ops->list(context, &wrong, &listing.visitor), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_uint_eq(listing.n_tokens, 0);
    ck_assert_int_eq(ops->list(context, &right, &listing.visitor), 0);
    ck_assert_uint_eq(listing.n_certificates, 3);
    ck_assert_uint_eq(test_listing_find(&listing, rsa.der, rsa.der_size)->flags, EONAY_CERT_HAS_KEY);
    ck_assert_uint_eq(test_listing_find(&listing, p256.der, p256.der_size)->flags, EONAY_CERT_HAS_KEY);
    const TestCertificate *last = test_listing_find(&listing, p384.der, p384.der_size);
    ck_assert_uint_eq(last->flags, 0);
    ck_assert_str_eq(last->label, "Diğer?");
    ck_assert(last->id_size == 1 && last->id[0] == 1);
}
END_TEST

START_TEST(signs) {
    static const uint32_t rsa_mechanisms[] = {EONAY_MECH_RSA_PKCS1_SHA256, EONAY_MECH_RSA_PKCS1_SHA384,
                                              EONAY_MECH_RSA_PKCS1_SHA512, EONAY_MECH_RSA_PSS_SHA256,
                                              EONAY_MECH_RSA_PSS_SHA384,   EONAY_MECH_RSA_PSS_SHA512};
    static const uint32_t ec_mechanisms[] = {EONAY_MECH_ECDSA_SHA256, EONAY_MECH_ECDSA_SHA384, EONAY_MECH_ECDSA_SHA512};
    make_double();
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(login(&right), 0);
    for (size_t i = 0; i < 6; i++)
        must_sign(&rsa, rsa_mechanisms[i], &right);
    for (size_t i = 0; i < 3; i++)
        must_sign(&p256, ec_mechanisms[i], &right);
    ops->logout(context);
}
END_TEST

START_TEST(refuses_to_sign) {
    uint8_t *signature = NULL;
    size_t size = 7;
    const TestKey junk = {.der = (unsigned char *)"\x30\x03\x02\x01\x01", .der_size = 5};

    make_double();
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(sign(&rsa, EONAY_MECH_RSA_PKCS1_SHA256, &right, &signature, &size), EONAY_ERROR_PIN_REQUIRED);
    ck_assert_int_eq(login(&right), 0);
    ck_assert_int_eq(sign(&rsa, EONAY_MECH_RSA_PKCS1_SHA256, NULL, &signature, &size), EONAY_ERROR_PIN_REQUIRED);
    ck_assert_int_eq(sign(&rsa, EONAY_MECH_RSA_PKCS1_SHA256, &wrong, &signature, &size), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(sign(&p384, EONAY_MECH_ECDSA_SHA384, &right, &signature, &size), EONAY_ERROR_NO_CERTIFICATE);
    ck_assert_int_eq(sign(&other_rsa, EONAY_MECH_RSA_PSS_SHA256, &right, &signature, &size),
                     EONAY_ERROR_NO_CERTIFICATE);
    ck_assert_int_eq(sign(&junk, EONAY_MECH_RSA_PSS_SHA256, &right, &signature, &size), EONAY_ERROR_NO_CERTIFICATE);
    ck_assert_int_eq(sign(&rsa, EONAY_MECH_ECDSA_SHA256, &right, &signature, &size), EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(sign(&p256, EONAY_MECH_RSA_PSS_SHA256, &right, &signature, &size),
                     EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ck_assert_int_eq(sign(&rsa, 1u << 20, &right, &signature, &size), EONAY_ERROR_MECHANISM_UNSUPPORTED);
    ops->logout(context);
    ck_assert_int_eq(sign(&rsa, EONAY_MECH_RSA_PKCS1_SHA256, &right, &signature, &size), EONAY_ERROR_PIN_REQUIRED);
    ck_assert_ptr_null(signature);
    ck_assert_uint_eq(size, 7);
}
END_TEST

START_TEST(refuses_passphrases) {
    const EonaySecret empty = {(const uint8_t *)"", 0}, with_nul = {(const uint8_t *)"gizli\0", 6},
                      shorter = {right.bytes, right.size - 1};
    make_usual(&rsa);
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(login(&wrong), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(host.tries_left, -1);
    ck_assert_int_eq(login(&shorter), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(login(&empty), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(login(&with_nul), EONAY_ERROR_PIN_FORMAT);
    ck_assert_int_eq(login(NULL), EONAY_ERROR_PIN_REQUIRED);
    const EonayLogin nowhere = {.struct_size = sizeof(nowhere), .token = "p12:00", .secret = &right};
    ck_assert_int_eq(ops->login(context, &nowhere), EONAY_ERROR_TOKEN_REMOVED);
    ck_assert_int_eq(login(&right), 0);
}
END_TEST

START_TEST(takes_turkish_passphrases) {
    const EonaySecret turkish = {(const uint8_t *)TURKISH, sizeof(TURKISH) - 1};
    make_file(TURKISH, &p384, true, 0, 0, 1000, NULL);
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(login(&wrong), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(login(&turkish), 0);
    must_sign(&p384, EONAY_MECH_ECDSA_SHA384, &turkish);
}
END_TEST

START_TEST(takes_files_without_mac) {
    make_file(PASSPHRASE, &rsa, true, 0, 0, -1, NULL);
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(login(&wrong), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(login(&right), 0);
    must_sign(&rsa, EONAY_MECH_RSA_PKCS1_SHA256, &right);
}
END_TEST

/* RC2 and 3DES, as Windows and Java wrote them for decades. False when this machine cannot write such a file. */
static bool make_old(void) {
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(library, "default"), *legacy = OSSL_PROVIDER_load(library, "legacy");

    ck_assert_ptr_nonnull(standard);
    if (legacy)
        make_file(PASSPHRASE, &rsa, true, NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And40BitRC2_CBC, 2048,
                  library);
    if (legacy)
        OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(library);
    return legacy != NULL;
}

START_TEST(takes_old_files) {
    if (!make_old())
        return;
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(login(&wrong), EONAY_ERROR_PIN_INCORRECT);
    ck_assert_int_eq(login(&right), 0);
    must_sign(&rsa, EONAY_MECH_RSA_PSS_SHA256, &right);
    ck_assert_int_eq(ops->list(context, &right, &listing.visitor), 0);
    ck_assert_uint_eq(listing.certificates[0].flags, EONAY_CERT_HAS_KEY);
    ck_assert_str_eq(listing.certificates[0].label, "imza");
}
END_TEST

START_TEST(says_when_legacy_is_missing) {
    if (!make_old())
        return;
    setenv("OPENSSL_MODULES", folder, 1);
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(ops->list(context, &right, &listing.visitor), EONAY_ERROR_FILE_INVALID);
    ck_assert_ptr_nonnull(strstr(host.text, "legacy provider"));
}
END_TEST

START_TEST(takes_a_file_without_key) {
    uint8_t *signature = NULL;
    size_t size;
    make_file(PASSPHRASE, &rsa, false, 0, 0, 1000, NULL);
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(ops->list(context, &right, &listing.visitor), 0);
    ck_assert_uint_eq(listing.n_certificates, 1);
    ck_assert_uint_eq(listing.certificates[0].flags, 0);
    ck_assert_int_eq(login(&right), 0);
    ck_assert_int_eq(sign(&rsa, EONAY_MECH_RSA_PSS_SHA256, &right, &signature, &size), EONAY_ERROR_NO_CERTIFICATE);
}
END_TEST

START_TEST(takes_an_unencrypted_key) {
    make_file(PASSPHRASE, &p256, true, -1, -1, 1000, NULL);
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(login(&right), 0);
    must_sign(&p256, EONAY_MECH_ECDSA_SHA256, &right);
}
END_TEST

START_TEST(refuses_files) {
    static const uint8_t zeros[64];
    file_put(path, "", 0);
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    file_put(path, zeros, sizeof(zeros));
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    file_put(path, rsa.der, rsa.der_size);
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    ck_assert_int_eq(truncate(path, (1 << 20) + 1), 0);
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    test_host_set(&host, "File", folder);
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    test_host_set(&host, "File", "/dev/zero");
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    test_host_set(&host, "File", "/nonexistent.p12");
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    ck_assert_ptr_null(context);

    test_host_set(&host, "File", path);
    make_usual(&p256);
    size_t size;
    unsigned char *bytes = file_get(&size);
    FILE *file = fopen(path, "ae");
    fputs("\n", file);
    fclose(file);
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    for (size_t i = 0; i < size; i++) {
        file_put(path, bytes, i);
        ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
    }
    free(bytes);
}
END_TEST

/* A file that asks for 2^31-1 rounds would keep the host busy until its deadline. */
START_TEST(refuses_absurd_rounds) {
    unsigned char *salt = OPENSSL_zalloc(8);
    STACK_OF(PKCS7) *parts = NULL;
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

    ck_assert_ptr_nonnull(PKCS12_add_cert(&bags, rsa.certificate));
    PKCS12_add_safe(&parts, bags, -1, 0, NULL);
    PKCS12 *file = PKCS12_add_safes(parts, 0);
    ck_assert_int_eq(PKCS12_setup_mac(file, 0x7fffffff, salt, 8, EVP_sha256()), 1);
    store(file);
    OPENSSL_free(salt);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(parts, PKCS7_free);
    ck_assert_int_eq(open_file(), EONAY_ERROR_FILE_INVALID);
}
END_TEST

/* Whatever bit is flipped: a documented answer, never a signature that does not verify, never a crash. */
START_TEST(survives_flipped_bits) {
    size_t size, opened = 0, signed_anyway = 0;
    make_file(PASSPHRASE, &p256, true, 0, -1, 1, NULL);
    unsigned char *bytes = file_get(&size);
    for (size_t i = 0; i < size; i++) {
        unsigned char flip = (unsigned char)(1u << ((i + (size_t)_i) % 8));
        uint8_t *signature = NULL;
        size_t signature_size = 0;
        bytes[i] ^= flip;
        file_put(path, bytes, size);
        bytes[i] ^= flip;
        int r = open_file();
        if (r != 0) {
            ck_assert_int_eq(r, EONAY_ERROR_FILE_INVALID);
            continue;
        }
        opened++;
        test_listing_clear(&listing);
        r = ops->list(context, &right, &listing.visitor);
        ck_assert(r == 0 || r == EONAY_ERROR_PIN_INCORRECT || r == EONAY_ERROR_FILE_INVALID);
        r = login(&right);
        ck_assert(r == 0 || r == EONAY_ERROR_PIN_INCORRECT || r == EONAY_ERROR_FILE_INVALID);
        if (r == 0 && sign(&p256, EONAY_MECH_ECDSA_SHA256, &right, &signature, &signature_size) == 0) {
            ck_assert(test_verify(&p256, EONAY_MECH_ECDSA_SHA256, signature, signature_size));
            signed_anyway++;
            free(signature);
        }
        ops->close(context);
        context = NULL;
    }
    ck_assert_uint_gt(opened, 0);
    ck_assert_uint_lt(signed_anyway, 8);
    free(bytes);
}
END_TEST

/* What the child, which makes the file, tells the parent, which has never seen the key. */
typedef struct Traces {
    uint8_t certificate[4096], big[2][32], little[2][32];
    size_t certificate_size;
} Traces;

static void trace(Traces *traces, int which, const EVP_PKEY *key, const char *name) {
    uint8_t bytes[512];
    BIGNUM *number = NULL;
    ck_assert_int_eq(EVP_PKEY_get_bn_param(key, name, &number), 1);
    int size = BN_bn2bin(number, bytes);
    int at = size >= 96 ? 40 : 0; /* the middle survives what free() writes */
    memcpy(traces->big[which], bytes + at, 32);
    for (size_t i = 0; i < 32; i++)
        traces->little[which][i] = traces->big[which][31 - i];
    BN_clear_free(number);
}

START_TEST(leaves_no_key_in_memory) {
    bool ec = _i == 1;
    uint8_t *signature = NULL;
    size_t size = 0;
    int status = -1;
    Traces *traces = mmap(NULL, sizeof(*traces), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint8_t *passphrase = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert(traces != MAP_FAILED && passphrase != MAP_FAILED);
    for (size_t i = 0; i < 24; i++)
        passphrase[i] = (uint8_t)('A' + (i * 7 + (size_t)getpid()) % 26);
    const EonaySecret secret = {passphrase, 24};
    pid_t child = fork();
    if (child == 0) {
        TestKey fresh;
        test_key_make(&fresh, ec ? "EC:P-256" : "RSA:2048", "Gül Taş");
        memcpy(traces->certificate, fresh.der, fresh.der_size);
        traces->certificate_size = fresh.der_size;
        trace(traces, 0, fresh.key, ec ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_RSA_D);
        if (!ec)
            trace(traces, 1, fresh.key, OSSL_PKEY_PARAM_RSA_FACTOR1);
        make_file((const char *)passphrase, &fresh, true, 0, 0, 1000, NULL);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);

    TestKey known = {.der = traces->certificate, .der_size = traces->certificate_size};
    ck_assert_int_eq(open_file(), 0);
    ck_assert_int_eq(login(&secret), 0);
    uint32_t mechanism = ec ? EONAY_MECH_ECDSA_SHA256 : EONAY_MECH_RSA_PKCS1_SHA256;
    ck_assert_int_eq(sign(&known, mechanism, &secret, &signature, &size), 0);
    ck_assert_int_eq(ops->list(context, &secret, &listing.visitor), 0);
    ops->logout(context);
    free(signature);
    for (int i = 0; i < (ec ? 1 : 2); i++) {
        ck_assert_msg(!memory_holds(traces->big[i], 32), "number %d, as bytes", i);
        ck_assert_msg(!memory_holds(traces->little[i], 32), "number %d, as a number", i);
    }
    ck_assert(!memory_holds(passphrase, 24));
    munmap(traces, sizeof(*traces));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("token-pkcs12");
    TCase *tcase = tcase_create("files");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, make_keys, remove_keys);
    tcase_add_checked_fixture(tcase, prepare, finish);
    tcase_add_test(tcase, lists_without_passphrase);
    tcase_add_test(tcase, lists_certificates_in_the_clear);
    tcase_add_test(tcase, lists_with_passphrase);
    tcase_add_test(tcase, signs);
    tcase_add_test(tcase, refuses_to_sign);
    tcase_add_test(tcase, refuses_passphrases);
    tcase_add_test(tcase, takes_turkish_passphrases);
    tcase_add_test(tcase, takes_files_without_mac);
    tcase_add_test(tcase, takes_old_files);
    tcase_add_test(tcase, says_when_legacy_is_missing);
    tcase_add_test(tcase, takes_a_file_without_key);
    tcase_add_test(tcase, takes_an_unencrypted_key);
    tcase_add_test(tcase, refuses_files);
    tcase_add_test(tcase, refuses_absurd_rounds);
    tcase_add_loop_test(tcase, survives_flipped_bits, 0, 2);
    if (MEMORY_CAN_BE_SEARCHED)
        tcase_add_loop_test(tcase, leaves_no_key_in_memory, 0, 2);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
