/* SPDX-License-Identifier: Apache-2.0 */
/* Objects are written with the module's own functions, as a card's maker would: with any attributes, wrong ones
 * included. */
#include "soft-token.h"

#include <check.h>
#include <dlfcn.h>
#include <openssl/core_names.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        CK_RV must_rv_ = (call);                                                                                       \
        if (must_rv_ != CKR_OK) {                                                                                      \
            fprintf(stderr, "%s: 0x%lx\n", #call, must_rv_);                                                           \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

typedef struct Attributes {
    CK_ATTRIBUTE list[24];
    size_t n;
    uint8_t store[8192];
    size_t used;
} Attributes;

static void add(Attributes *a, CK_ATTRIBUTE_TYPE type, const void *value, size_t size) {
    uint8_t *at = a->store + a->used;
    memcpy(at, value, size);
    a->used += (size + 7) & ~(size_t)7;
    a->list[a->n++] = (CK_ATTRIBUTE){type, at, size};
}

static void add_ulong(Attributes *a, CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    add(a, type, &value, sizeof(value));
}

static void add_bool(Attributes *a, CK_ATTRIBUTE_TYPE type, CK_BBOOL value) {
    add(a, type, &value, sizeof(value));
}

static void add_number(Attributes *a, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *key, const char *name) {
    BIGNUM *number = NULL;
    uint8_t bytes[1024];
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
        _exit(1);
    add(a, type, bytes, (size_t)BN_bn2bin(number, bytes));
    BN_clear_free(number);
}

static void add_curve(Attributes *a, const EVP_PKEY *key) {
    char name[64];
    size_t length = 0;
    unsigned char *der = NULL;
    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), &length) != 1)
        _exit(1);
    int size = i2d_ASN1_OBJECT(OBJ_txt2obj(name, 0), &der);
    add(a, CKA_EC_PARAMS, der, (size_t)size);
}

static void add_point(Attributes *a, const EVP_PKEY *key) {
    uint8_t point[200], der[210];
    size_t size = 0;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &size) != 1)
        _exit(1);
    size_t head = size < 128 ? 2 : 3;
    der[0] = 0x04;
    der[1] = size < 128 ? (uint8_t)size : 0x81;
    der[2] = (uint8_t)size;
    memcpy(der + head, point, size);
    add(a, CKA_EC_POINT, der, head + size);
}

static void create(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, Attributes *a, const SoftObject *o, uint8_t id) {
    CK_OBJECT_HANDLE object;
    add(a, CKA_LABEL, o->label, strlen(o->label));
    if (id != 0)
        add(a, CKA_ID, &id, 1);
    CK_RV rv = f->C_CreateObject(session, a->list, a->n, &object);
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "C_CreateObject of '%s': 0x%lx\n", o->label, rv);
    _exit(1);
}

static void create_certificate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const SoftObject *o) {
    Attributes a = {0};
    unsigned char *subject = NULL;
    add_ulong(&a, CKA_CLASS, CKO_CERTIFICATE);
    add_ulong(&a, CKA_CERTIFICATE_TYPE, CKC_X_509);
    add_bool(&a, CKA_TOKEN, CK_TRUE);
    add_bool(&a, CKA_PRIVATE, CK_FALSE);
    add(&a, CKA_VALUE, o->key->der, o->key->der_size);
    int size = i2d_X509_NAME(X509_get_subject_name(o->key->certificate), &subject);
    add(&a, CKA_SUBJECT, subject, (size_t)size);
    create(f, session, &a, o, o->id);
}

static void create_public(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const SoftObject *o, bool rsa) {
    Attributes a = {0};
    add_ulong(&a, CKA_CLASS, CKO_PUBLIC_KEY);
    add_ulong(&a, CKA_KEY_TYPE, rsa ? CKK_RSA : CKK_EC);
    add_bool(&a, CKA_TOKEN, CK_TRUE);
    add_bool(&a, CKA_PRIVATE, CK_FALSE);
    if (rsa) {
        add_number(&a, CKA_MODULUS, o->key->key, OSSL_PKEY_PARAM_RSA_N);
        add_number(&a, CKA_PUBLIC_EXPONENT, o->key->key, OSSL_PKEY_PARAM_RSA_E);
    } else {
        add_curve(&a, o->key->key);
        add_point(&a, o->key->key);
    }
    create(f, session, &a, o, o->key_id ? o->key_id : o->id);
}

static void create_private(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const SoftObject *o, bool rsa) {
    const EVP_PKEY *key = o->key->key;
    Attributes a = {0};
    add_ulong(&a, CKA_CLASS, CKO_PRIVATE_KEY);
    add_ulong(&a, CKA_KEY_TYPE, rsa ? CKK_RSA : CKK_EC);
    add_bool(&a, CKA_TOKEN, CK_TRUE);
    add_bool(&a, CKA_PRIVATE, o->flags & SOFT_VISIBLE_KEY ? CK_FALSE : CK_TRUE);
    add_bool(&a, CKA_SENSITIVE, CK_TRUE);
    add_bool(&a, CKA_SIGN, o->flags & SOFT_NO_SIGN ? CK_FALSE : CK_TRUE);
    add_bool(&a, CKA_ALWAYS_AUTHENTICATE, o->flags & SOFT_ALWAYS_AUTH ? CK_TRUE : CK_FALSE);
    if (rsa) {
        add_number(&a, CKA_MODULUS, key, OSSL_PKEY_PARAM_RSA_N);
        add_number(&a, CKA_PUBLIC_EXPONENT, key, OSSL_PKEY_PARAM_RSA_E);
        add_number(&a, CKA_PRIVATE_EXPONENT, key, OSSL_PKEY_PARAM_RSA_D);
        add_number(&a, CKA_PRIME_1, key, OSSL_PKEY_PARAM_RSA_FACTOR1);
        add_number(&a, CKA_PRIME_2, key, OSSL_PKEY_PARAM_RSA_FACTOR2);
        add_number(&a, CKA_EXPONENT_1, key, OSSL_PKEY_PARAM_RSA_EXPONENT1);
        add_number(&a, CKA_EXPONENT_2, key, OSSL_PKEY_PARAM_RSA_EXPONENT2);
        add_number(&a, CKA_COEFFICIENT, key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
    } else {
        add_curve(&a, key);
        add_number(&a, CKA_VALUE, key, OSSL_PKEY_PARAM_PRIV_KEY);
    }
    create(f, session, &a, o, o->key_id ? o->key_id : o->id);
}

/* The slot whose token is not initialised yet; with a label, the one that has it. */
static CK_SLOT_ID slot_find(CK_FUNCTION_LIST *f, const char *label) {
    CK_SLOT_ID slots[64];
    CK_ULONG n = 64;
    MUST(f->C_GetSlotList(CK_TRUE, slots, &n));
    for (CK_ULONG i = 0; i < n; i++) {
        CK_TOKEN_INFO info;
        MUST(f->C_GetTokenInfo(slots[i], &info));
        bool ready = (info.flags & CKF_TOKEN_INITIALIZED) != 0;
        if (label ? ready && memcmp(info.label, label, strlen(label)) == 0 : !ready)
            return slots[i];
    }
    _exit(1);
}

static void token_write(const char *label, const uint8_t *pin, size_t pin_size, const SoftObject *objects, size_t n) {
    void *object = dlopen(soft_module(), RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = object ? (CK_C_GetFunctionList)dlsym(object, "C_GetFunctionList") : NULL;
    CK_FUNCTION_LIST *f = NULL;
    CK_SESSION_HANDLE session;
    unsigned char padded[32], so_pin[] = SOFT_SO_PIN;

    if (!get)
        _exit(1);
    MUST(get(&f));
    MUST(f->C_Initialize(NULL));
    for (size_t i = 0; i < sizeof(padded); i++)
        padded[i] = i < strlen(label) ? (unsigned char)label[i] : ' ';
    MUST(f->C_InitToken(slot_find(f, NULL), so_pin, sizeof(so_pin) - 1, padded));
    MUST(f->C_OpenSession(slot_find(f, label), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    MUST(f->C_Login(session, CKU_SO, so_pin, sizeof(so_pin) - 1));
    MUST(f->C_InitPIN(session, (unsigned char *)(uintptr_t)pin, pin_size));
    MUST(f->C_Logout(session));
    MUST(f->C_Login(session, CKU_USER, (unsigned char *)(uintptr_t)pin, pin_size));
    for (size_t i = 0; i < n; i++) {
        bool rsa = EVP_PKEY_is_a(objects[i].key->key, "RSA");
        if (!(objects[i].flags & SOFT_NO_CERTIFICATE))
            create_certificate(f, session, &objects[i]);
        if (!(objects[i].flags & (SOFT_NO_PRIVATE | SOFT_NO_PUBLIC)))
            create_public(f, session, &objects[i], rsa);
        if (!(objects[i].flags & SOFT_NO_PRIVATE))
            create_private(f, session, &objects[i], rsa);
    }
    MUST(f->C_Finalize(NULL));
}

void soft_token_make(const char *label, const uint8_t *pin, size_t pin_size, const SoftObject *objects, size_t n) {
    int status = -1;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        token_write(label, pin, pin_size, objects, n);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the token cannot be made");
}

const char *soft_module(void) {
    static const char *const places[] = {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
                                         "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib/libsofthsm2.so"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

void soft_folder(const char *folder) {
    char tokens[512], conf[512];
    snprintf(tokens, sizeof(tokens), "%s/tokens", folder);
    snprintf(conf, sizeof(conf), "%s/softhsm2.conf", folder);
    ck_assert_int_eq(mkdir(tokens, 0700), 0);
    FILE *file = fopen(conf, "we");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", tokens);
    fclose(file);
    setenv("SOFTHSM2_CONF", conf, 1);
}
