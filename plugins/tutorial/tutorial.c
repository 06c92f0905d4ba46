/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest complete token plugin: one RSA key in an encrypted PEM file, and its certificate in another. It signs
 * for real. The passphrase of the key is the PIN, and the key is in memory only from login() to logout().
 * docs/write-a-plugin.md walks through it.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "eonay/plugin.h"

#define TOKEN_KEY "pem" /* there is one token, so one name will do */

typedef struct Tutorial {
    const EonayHost *host;
    X509 *certificate;
    EVP_PKEY *key; /* between login() and logout() */
} Tutorial;

/* PEM_read_bio_PrivateKey() wants the passphrase. It never asks for that of a key which has none. */
static int give_passphrase(char *buffer, int size, int writing, void *userdata) {
    const EonaySecret **secret = userdata;
    if (!*secret || writing || (*secret)->size > (size_t)size)
        return -1;
    size = (int)(*secret)->size;
    memcpy(buffer, (*secret)->bytes, (*secret)->size);
    *secret = NULL; /* it was asked for */
    return size;
}

/* A BIO over the file that a configuration key names, or that the daemon passed under it. */
static BIO *open_pem(const EonayHost *host, const char *key) {
    int fd = host->open_file(host, key);
    return fd < 0 ? NULL : BIO_new_fd(fd, BIO_CLOSE);
}

static int token_open(const EonayHost *host, void **ret_context) {
    BIO *bio = open_pem(host, "Certificate");
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (!certificate)
        return host->fault(host, EONAY_ERROR_FILE_INVALID, -1, ERR_get_error(), "Certificate= is no PEM certificate");
    Tutorial *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM; /* fatal: the process ends, and its memory with it */
    t->host = host;
    t->certificate = certificate;
    *ret_context = t;
    return 0;
}

static void token_logout(void *context) {
    Tutorial *t = context;
    EVP_PKEY_free(t->key); /* OpenSSL erases the private numbers */
    t->key = NULL;
}

static void token_close(void *context) {
    Tutorial *t = context;
    token_logout(t);
    X509_free(t->certificate);
    free(t);
}

static int visit_token(const EonayTokenVisitor *visitor) {
    const EonayTokenInfo info = {.struct_size = sizeof(info),
                                 .key = TOKEN_KEY,
                                 .label = "PEM key",
                                 .serial = "1",
                                 .flags = EONAY_TOKEN_LOCAL_KEY | EONAY_TOKEN_PIN_UNKNOWN,
                                 .mechanisms = EONAY_MECH_RSA_PKCS1_SHA256};
    return visitor->token(visitor, &info);
}

static int token_list(void *context, const EonaySecret *secret, const EonayTokenVisitor *visitor) {
    Tutorial *t = context;
    uint8_t *der = NULL;
    (void)secret; /* a certificate is no secret */
    int size = i2d_X509(t->certificate, &der), r = size <= 0 ? -ENOMEM : visit_token(visitor);
    const EonayCertificateInfo info = {.struct_size = sizeof(info),
                                       .flags = EONAY_CERT_KEY_UNKNOWN,
                                       .label = "PEM certificate",
                                       .der = der,
                                       .der_size = (size_t)size};
    if (r == 0)
        r = visitor->certificate(visitor, &info);
    OPENSSL_free(der);
    return r;
}

static int token_inspect(void *context, const char *token, const EonayTokenVisitor *visitor) {
    const EonayHost *host = ((Tutorial *)context)->host;
    return strcmp(token, TOKEN_KEY) == 0 ? visit_token(visitor)
                                         : host->fault(host, EONAY_ERROR_TOKEN_REMOVED, -1, 0, NULL);
}

static int token_login(void *context, const EonayLogin *login) {
    Tutorial *t = context;
    const EonaySecret *secret = login->secret;
    if (!secret)
        return t->host->fault(t->host, EONAY_ERROR_PIN_REQUIRED, -1, 0, NULL);
    BIO *bio = open_pem(t->host, "Key");
    t->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &secret) : NULL;
    BIO_free(bio);
    if (secret)
        return t->host->fault(t->host, EONAY_ERROR_FILE_INVALID, -1, 0, "Key= is no encrypted PEM key");
    if (!t->key)
        return t->host->fault(t->host, EONAY_ERROR_PIN_INCORRECT, -1, ERR_get_error(), NULL);
    return 0;
}

static int token_sign(void *context, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size) {
    Tutorial *t = context;
    if (!t->key || X509_check_private_key(t->certificate, t->key) != 1)
        return t->host->fault(t->host, EONAY_ERROR_NO_CERTIFICATE, -1, 0, "Key= and Certificate= are no pair");
    if (request->mechanism != EONAY_MECH_RSA_PKCS1_SHA256)
        return t->host->fault(t->host, EONAY_ERROR_MECHANISM_UNSUPPORTED, -1, 0, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(t->key, NULL);
    size_t size = (size_t)EVP_PKEY_get_size(t->key);
    uint8_t *signature = t->host->alloc(t->host, size);
    int r = EVP_PKEY_sign_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
            EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
            EVP_PKEY_sign(ctx, signature, &size, request->digest, request->digest_size) > 0;
    EVP_PKEY_CTX_free(ctx);
    *ret_signature = signature; /* the host releases it, whatever is returned */
    *ret_size = size;
    return r ? 0 : t->host->fault(t->host, EONAY_ERROR_PLUGIN_FAILED, -1, ERR_get_error(), "OpenSSL cannot sign");
}

static const EonayTokenOps token = {.struct_size = sizeof(token),
                                    .open = token_open,
                                    .close = token_close,
                                    .list = token_list,
                                    .inspect = token_inspect,
                                    .login = token_login,
                                    .sign = token_sign,
                                    .logout = token_logout};

const EonayPlugin eonay_plugin = {.abi_major = EONAY_PLUGIN_ABI_MAJOR,
                                  .abi_minor = EONAY_PLUGIN_ABI_MINOR,
                                  .struct_size = sizeof(eonay_plugin),
                                  .kind = EONAY_PLUGIN_TOKEN,
                                  .name = "tutorial",
                                  .version = "1",
                                  .token = &token};
