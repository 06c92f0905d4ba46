/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys are made once per kind and shared by all certificates of a test program: what is tested here are certificates,
 * and RSA keys take long to make.
 */
#include "pki.h"

#include <check.h>
#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cades.h"

#define YEAR ((int64_t)365 * 86400)

void bytes_free(Bytes *b) {
    free(b->bytes);
    *b = (Bytes){0};
}

static EVP_PKEY *shared_key(bool ec) {
    static EVP_PKEY *rsa_key, *ec_key;
    EVP_PKEY **key = ec ? &ec_key : &rsa_key;

    if (!*key)
        *key = ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
    ck_assert_ptr_nonnull(*key);
    EVP_PKEY_up_ref(*key);
    return *key;
}

static void add_extension(X509 *x, X509 *issuer, const char *name, const char *value) {
    static const char sections[] =
        "[person]\na=SEQUENCE:etsi\nb=SEQUENCE:turkish\n"
        "[etsi]\na=OID:0.4.0.1862.1.1\n[turkish]\na=OID:2.16.792.1.61.0.1.5070.1.1\n"
        "[seal]\na=SEQUENCE:etsi\nb=SEQUENCE:seal_statement\n[seal_statement]\na=OID:2.16.792.1.61.0.1.5070.1.3\n";
    BIO *bio = BIO_new_mem_buf(sections, -1);
    CONF *conf = NCONF_new(NULL);
    X509V3_CTX ctx;

    ck_assert_int_eq(NCONF_load_bio(conf, bio, NULL), 1);
    X509V3_set_ctx(&ctx, issuer ? issuer : x, x, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    X509_EXTENSION *extension = X509V3_EXT_nconf(conf, &ctx, name, value);
    ck_assert_msg(extension != NULL, "%s=%s", name, value);
    ck_assert_int_eq(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
    NCONF_free(conf);
    BIO_free(bio);
}

static X509 *blank_certificate(const char *name, EVP_PKEY *key) {
    static long serial = 1000;
    X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_NAME_add_entry_by_txt(subject, "C", MBSTRING_ASC, (const uint8_t *)"TR", -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
    X509_set_pubkey(x, key);
    X509_time_adj_ex(X509_getm_notBefore(x), 0, -3600, NULL);
    X509_time_adj_ex(X509_getm_notAfter(x), 0, YEAR, NULL);
    return x;
}

static void issue(X509 *x, const Signer *issuer, EVP_PKEY *own_key) {
    X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer->certificate : x));
    add_extension(x, issuer ? issuer->certificate : NULL, "subjectKeyIdentifier", "hash");
    if (issuer)
        add_extension(x, issuer->certificate, "authorityKeyIdentifier", "keyid");
    ck_assert_int_gt(X509_sign(x, issuer ? issuer->key : own_key, EVP_sha256()), 0);
}

Signer pki_authority(const Signer *issuer, const char *name) {
    Signer s = {.key = EVP_RSA_gen(2048)};

    ck_assert_ptr_nonnull(s.key);
    s.certificate = blank_certificate(name, s.key);
    add_extension(s.certificate, NULL, "basicConstraints", "critical,CA:TRUE");
    add_extension(s.certificate, NULL, "keyUsage", "critical,keyCertSign,cRLSign");
    issue(s.certificate, issuer, s.key);
    return s;
}

Signer pki_signer_under(const Signer *issuer, SignerSpec spec) {
    Signer s = {.key = shared_key(spec.ec), .ec = spec.ec};

    s.certificate = blank_certificate("Deneme Kişisi", s.key);
    if (spec.subject)
        X509_NAME_add_entry_by_txt(X509_get_subject_name(s.certificate), "serialNumber", MBSTRING_ASC,
                                   (const uint8_t *)spec.subject, -1, -1, 0);
    if (spec.not_before != 0 || spec.not_after != 0) {
        X509_time_adj_ex(X509_getm_notBefore(s.certificate), 0, (long)spec.not_before, NULL);
        X509_time_adj_ex(X509_getm_notAfter(s.certificate), 0, (long)spec.not_after, NULL);
    }
    add_extension(s.certificate, NULL, "basicConstraints", "critical,CA:FALSE");
    char key_usage[128];
    snprintf(key_usage, sizeof key_usage, "critical,%s", spec.key_usage ? spec.key_usage : "nonRepudiation");
    add_extension(s.certificate, NULL, "keyUsage", key_usage);
    if (!spec.not_qualified)
        add_extension(s.certificate, NULL, "1.3.6.1.5.5.7.1.3",
                      spec.seal ? "ASN1:SEQUENCE:seal" : "ASN1:SEQUENCE:person");
    issue(s.certificate, issuer, NULL);
    return s;
}

Signer pki_signer(const Pki *pki, SignerSpec spec) {
    return pki_signer_under(spec.strange ? &pki->stranger : &pki->root, spec);
}

void signer_free(Signer *s) {
    EVP_PKEY_free(s->key);
    X509_free(s->certificate);
    *s = (Signer){0};
}

Pki *pki_new(void) {
    Pki *pki = calloc(1, sizeof *pki);

    ck_assert_ptr_nonnull(pki);
    pki->root = pki_authority(NULL, "Deneme Kök Sertifikası");
    pki->stranger = pki_authority(NULL, "Yabancı Kök");
    return pki;
}

Pki *pki_free(Pki *pki) {
    if (!pki)
        return NULL;
    signer_free(&pki->root);
    signer_free(&pki->stranger);
    free(pki);
    return NULL;
}

static Bytes encode(const Signer *s, bool pem) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    Bytes b = {0};

    ck_assert_int_eq(pem ? PEM_write_bio_X509(bio, s->certificate) : i2d_X509_bio(bio, s->certificate), 1);
    b.size = (size_t)BIO_get_mem_data(bio, &data);
    b.bytes = malloc(b.size);
    ck_assert_ptr_nonnull(b.bytes);
    memcpy(b.bytes, data, b.size);
    BIO_free(bio);
    return b;
}

Bytes signer_pem(const Signer *s) {
    return encode(s, true);
}

Bytes pki_root_pem(const Pki *pki) {
    return encode(&pki->root, true);
}

Bytes pki_root_der(const Pki *pki) {
    return encode(&pki->root, false);
}

static Bytes sign_digest(EVP_PKEY *key, const uint8_t *digest, size_t size) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    Bytes b = {.bytes = malloc(1024), .size = 1024};

    ck_assert_int_eq(EVP_PKEY_sign_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
    ck_assert_int_eq(EVP_PKEY_sign(ctx, b.bytes, &b.size, digest, size), 1);
    EVP_PKEY_CTX_free(ctx);
    return b;
}

Bytes pki_sign(const Signer *s, const uint8_t *content, size_t size, int64_t signing_time) {
    const uint32_t mechanism = s->ec ? EONAY_MECH_ECDSA_SHA256 : EONAY_MECH_RSA_PKCS1_SHA256;
    Bytes certificate = encode(s, false), der = {0};
    const char *why = "";
    Cades *cades = NULL;
    size_t digest_size = 0;

    ck_assert_int_eq(cades_new(certificate.bytes, certificate.size, content, size, signing_time, mechanism, &cades), 0);
    const uint8_t *digest = cades_digest(cades, &digest_size);
    Bytes value = sign_digest(s->key, digest, digest_size);
    int r = cades_finish(cades, value.bytes, value.size, &der.bytes, &der.size, &why);
    ck_assert_msg(r == 0, "cades_finish: %d: %s", r, why);
    bytes_free(&value);
    bytes_free(&certificate);
    cades_free(cades);
    return der;
}
