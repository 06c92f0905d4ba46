/* SPDX-License-Identifier: Apache-2.0 */
#include "list-signer.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

#define CRL_VERSION_2 1

struct ListSigner {
    X509 *issuer;
    EVP_PKEY *key; /* NULL: it is elsewhere */
};

struct RevocationList {
    const ListSigner *signer;
    X509_CRL *crl;
    int n;
    bool broken;
};

/* Without it OpenSSL would ask on a terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *userdata) {
    (void)buffer, (void)size, (void)writing, (void)userdata;
    return -1;
}

static int complain(const char *key, const char *why) {
    ERR_clear_error();
    log_error("%s=: %s", key, why);
    return -EINVAL;
}

/* A name without a slash is a systemd credential. */
static char *key_path(const char *name) {
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    return strchr(name, '/') ? g_strdup(name) : g_build_filename(folder ? folder : "/etc/eonay-portal", name, NULL);
}

static int read_issuer(ListSigner *s, const char *path) {
    BIO *bio = BIO_new_file(path, "r");

    s->issuer = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (!s->issuer)
        return complain("CrlIssuer", "no certificate in PEM can be read there");
    if (X509_check_ca(s->issuer) != 1 || (X509_get_key_usage(s->issuer) & KU_CRL_SIGN) == 0)
        return complain("CrlIssuer", "this certificate may not sign revocation lists");
    return 0;
}

static int read_key(ListSigner *s, const char *name) {
    g_autofree char *path = key_path(name);
    BIO *bio = BIO_new_file(path, "r");

    s->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (!s->key)
        return complain("CrlKey", "no private key in PEM can be read there");
    if (!EVP_PKEY_is_a(s->key, "RSA") && !EVP_PKEY_is_a(s->key, "EC"))
        return complain("CrlKey", "the key must be an RSA or EC one");
    return X509_check_private_key(s->issuer, s->key) == 1 ? 0 : complain("CrlKey", "is not the key of CrlIssuer=");
}

int list_signer_new(const char *issuer, const char *key, ListSigner **ret) {
    ListSigner *s = g_new0(ListSigner, 1);
    int r = read_issuer(s, issuer);

    if (r == 0 && key)
        r = read_key(s, key);
    if (r != 0)
        return list_signer_free(s), r;
    *ret = s;
    return 0;
}

ListSigner *list_signer_free(ListSigner *s) {
    if (!s)
        return NULL;
    X509_free(s->issuer);
    EVP_PKEY_free(s->key);
    g_free(s);
    return NULL;
}

bool list_signer_can_sign(const ListSigner *s) {
    return s->key != NULL;
}

static bool set_time(X509_CRL *crl, int64_t at, int (*set)(X509_CRL *, const ASN1_TIME *)) {
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)(at / SECOND_USEC));
    bool good = time && set(crl, time) == 1;

    ASN1_TIME_free(time);
    return good;
}

static bool add_number(X509_CRL *crl, int64_t number) {
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    bool good = n && ASN1_INTEGER_set_int64(n, number) == 1 && X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1;

    ASN1_INTEGER_free(n);
    return good;
}

/* Both extensions are required of a list (section 5.2). */
static bool add_issuer_key(X509_CRL *crl, X509 *issuer) {
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);
    AUTHORITY_KEYID *aki = id ? AUTHORITY_KEYID_new() : NULL;

    if (!id)
        return true; /* there is none to be named */
    bool good = aki && (aki->keyid = ASN1_OCTET_STRING_dup(id)) &&
                X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0, 0) == 1;
    AUTHORITY_KEYID_free(aki);
    return good;
}

RevocationList *revocation_list_new(const ListSigner *s, int64_t number, int64_t now, int64_t next) {
    RevocationList *list = g_new0(RevocationList, 1);

    list->signer = s;
    list->crl = X509_CRL_new();
    list->broken = !list->crl || X509_CRL_set_version(list->crl, CRL_VERSION_2) != 1 ||
                   X509_CRL_set_issuer_name(list->crl, X509_get_subject_name(s->issuer)) != 1 ||
                   !set_time(list->crl, now, X509_CRL_set1_lastUpdate) ||
                   !set_time(list->crl, next, X509_CRL_set1_nextUpdate) || !add_issuer_key(list->crl, s->issuer) ||
                   !add_number(list->crl, number);
    return list;
}

RevocationList *revocation_list_free(RevocationList *list) {
    if (!list)
        return NULL;
    X509_CRL_free(list->crl);
    g_free(list);
    return NULL;
}

static bool add_hold(X509_REVOKED *entry) {
    ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
    bool good = reason && ASN1_ENUMERATED_set(reason, CRL_REASON_CERTIFICATE_HOLD) == 1 &&
                X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0) == 1;

    ASN1_ENUMERATED_free(reason);
    return good;
}

static X509_REVOKED *entry_new(const X509 *certificate, int64_t revoked_at, bool suspended) {
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)(revoked_at / SECOND_USEC));
    bool good =
        entry && time &&
        X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(certificate)) == 1 &&
        X509_REVOKED_set_revocationDate(entry, time) == 1 && (!suspended || add_hold(entry));

    ASN1_TIME_free(time);
    if (good)
        return entry;
    X509_REVOKED_free(entry);
    return NULL;
}

bool revocation_list_add(RevocationList *list, const uint8_t *certificate, size_t size, int64_t revoked_at,
                         bool suspended) {
    const uint8_t *p = certificate;
    X509 *x = d2i_X509(NULL, &p, (long)size);

    /* What is in the register was read as a certificate when it came in. */
    if (x && !list->broken &&
        X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(list->signer->issuer)) == 0) {
        X509_REVOKED *entry = entry_new(x, revoked_at, suspended);
        list->broken = list->n >= LIST_ENTRIES_MAX || !entry || X509_CRL_add0_revoked(list->crl, entry) != 1;
        if (list->broken)
            X509_REVOKED_free(entry);
        list->n++;
    }
    X509_free(x);
    return !list->broken;
}

/* The hash goes with the curve; RSA signs with PSS, as Turkey's criteria want it of an authority. */
static bool sign(const ListSigner *s, X509_CRL *crl) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    const bool rsa = EVP_PKEY_is_a(s->key, "RSA");
    const EVP_MD *md = rsa || EVP_PKEY_get_bits(s->key) <= 256 ? EVP_sha256()
                       : EVP_PKEY_get_bits(s->key) <= 384      ? EVP_sha384()
                                                               : EVP_sha512();
    bool good = ctx && EVP_DigestSignInit(ctx, &options, md, NULL, s->key) == 1 &&
                (!rsa || (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                          EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
                X509_CRL_sign_ctx(crl, ctx) > 0;

    EVP_MD_CTX_free(ctx);
    return good;
}

GBytes *revocation_list_sign(RevocationList *list) {
    uint8_t *der = NULL;

    if (list->broken || X509_CRL_sort(list->crl) != 1 || !sign(list->signer, list->crl)) {
        ERR_clear_error();
        return NULL;
    }
    int size = i2d_X509_CRL(list->crl, &der);
    GBytes *bytes = size > 0 ? g_bytes_new(der, (gsize)size) : NULL;
    OPENSSL_free(der);
    return bytes;
}
