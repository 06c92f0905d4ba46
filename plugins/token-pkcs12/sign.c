/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One signature: the file is decrypted with the passphrase of this call, the key whose public half is in the
 * certificate signs once, and is freed (OpenSSL clears private numbers when it frees them). login() only tells whether
 * the passphrase is right; nothing of it is kept.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "key.h"

typedef struct Method {
    EonayMechanism mechanism;
    const char *hash;
    size_t digest_size;
    int padding; /* 0 for ECDSA */
} Method;

static const Method methods[] = {
    {EONAY_MECH_RSA_PKCS1_SHA256, "SHA256", 32, RSA_PKCS1_PADDING},
    {EONAY_MECH_RSA_PKCS1_SHA384, "SHA384", 48, RSA_PKCS1_PADDING},
    {EONAY_MECH_RSA_PKCS1_SHA512, "SHA512", 64, RSA_PKCS1_PADDING},
    {EONAY_MECH_RSA_PSS_SHA256, "SHA256", 32, RSA_PKCS1_PSS_PADDING},
    {EONAY_MECH_RSA_PSS_SHA384, "SHA384", 48, RSA_PKCS1_PSS_PADDING},
    {EONAY_MECH_RSA_PSS_SHA512, "SHA512", 64, RSA_PKCS1_PSS_PADDING},
    {EONAY_MECH_ECDSA_SHA256, "SHA256", 32, 0},
    {EONAY_MECH_ECDSA_SHA384, "SHA384", 48, 0},
    {EONAY_MECH_ECDSA_SHA512, "SHA512", 64, 0},
};

/* The search for one key. */
typedef struct Search {
    EVP_PKEY *wanted; /* public, borrowed */
    EVP_PKEY *found;
    size_t n_seen;
} Search;

static const Method *method_of(uint32_t mechanism, size_t digest_size) {
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if ((uint32_t)methods[i].mechanism == mechanism && methods[i].digest_size == digest_size)
            return &methods[i];
    return NULL;
}

/* By the certificate: a key for PSS alone (RFC 4055) may sign in no other way. */
static bool method_fits(const Method *method, const EVP_PKEY *public_key) {
    if (method->padding == 0)
        return EVP_PKEY_is_a(public_key, "EC");
    return EVP_PKEY_is_a(public_key, "RSA") ||
           (EVP_PKEY_is_a(public_key, "RSA-PSS") && method->padding == RSA_PKCS1_PSS_PADDING);
}

static int key_search(const Contents *contents, const PKCS12_SAFEBAG *bag, void *data) {
    const PKCS8_PRIV_KEY_INFO *info = NULL;
    PKCS8_PRIV_KEY_INFO *own = NULL;
    Search *search = data;

    if (search->found || !bag_is_key(bag) || search->n_seen++ >= KEYS_MAX)
        return 0;
    int r = contents_key(contents, bag, &info, &own);
    if (r != 0)
        return r;
    if (search->wanted)
        key_make(contents->p12, info, search->wanted, &search->found);
    PKCS8_PRIV_KEY_INFO_free(own);
    return 0;
}

/* Decrypts every key once: how a passphrase is tried on a file without MAC. */
static int passphrase_try(const Contents *contents) {
    Search search = {0};
    return contents_walk(contents, key_search, &search);
}

int p12_login(P12 *p, const EonayLogin *login) {
    Contents contents;

    p->logged_in = false;
    if (strcmp(login->token, p->key) != 0)
        return fault_text(p, EONAY_ERROR_TOKEN_REMOVED, "this is another file");
    if (!login->secret)
        return fault_text(p, EONAY_ERROR_PIN_REQUIRED, "the file wants its passphrase");
    int r = contents_open(p, login->secret, &contents);
    if (r != 0)
        return r;
    if (!PKCS12_mac_present(contents.file))
        r = passphrase_try(&contents);
    contents_close(&contents);
    p->logged_in = r == 0;
    return r;
}

static bool context_prepare(const P12 *p, EVP_PKEY_CTX *context, const Method *method) {
    if (EVP_PKEY_sign_init(context) <= 0)
        return false;
    if (method->padding != 0 && EVP_PKEY_CTX_set_rsa_padding(context, method->padding) <= 0)
        return false;
    EVP_MD *hash = EVP_MD_fetch(p->library, method->hash, NULL);
    bool ok = hash && EVP_PKEY_CTX_set_signature_md(context, hash) > 0;
    if (ok && method->padding == RSA_PKCS1_PSS_PADDING)
        ok = EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
    EVP_MD_free(hash);
    return ok;
}

static int key_sign(const P12 *p, EVP_PKEY *key, const Method *method, const uint8_t *digest, uint8_t **ret,
                    size_t *ret_size) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(p->library, key, NULL);
    int capacity = EVP_PKEY_get_size(key);
    size_t size = capacity > 0 ? (size_t)capacity : 0;
    uint8_t *signature = NULL;

    bool ok = context && size > 0 && context_prepare(p, context, method);
    if (ok) {
        signature = p->host->alloc(p->host, size);
        ok = EVP_PKEY_sign(context, signature, &size, digest, method->digest_size) > 0;
    }
    EVP_PKEY_CTX_free(context);
    if (!ok) {
        p->host->release(p->host, signature);
        return fault_text(p, EONAY_ERROR_MECHANISM_UNSUPPORTED, "the key in the file cannot sign this way");
    }
    *ret = signature;
    *ret_size = size;
    return 0;
}

/* Opens the file and finds the key; it is the caller's to free. */
static int key_take(const P12 *p, const EonaySecret *secret, EVP_PKEY *public_key, EVP_PKEY **ret) {
    Search search = {.wanted = public_key};
    Contents contents;

    int r = contents_open(p, secret, &contents);
    if (r != 0)
        return r;
    r = contents_walk(&contents, key_search, &search);
    contents_close(&contents);
    if (r == 0 && !search.found)
        r = fault_text(p, EONAY_ERROR_NO_CERTIFICATE, "the file has no private key for this certificate");
    if (r == 0)
        *ret = search.found;
    else
        EVP_PKEY_free(search.found);
    return r;
}

static int certificate_sign(const P12 *p, const EonaySignRequest *request, const X509 *certificate, uint8_t **ret,
                            size_t *ret_size) {
    const Method *method = method_of(request->mechanism, request->digest_size);
    EVP_PKEY *public_key = certificate ? X509_get0_pubkey(certificate) : NULL, *key = NULL;

    if (!public_key)
        return fault_text(p, EONAY_ERROR_NO_CERTIFICATE, "the certificate asked for cannot be read");
    if (!method)
        return fault_text(p, EONAY_ERROR_MECHANISM_UNSUPPORTED, "no such mechanism, or a digest of another size");
    if (!method_fits(method, public_key))
        return fault_text(p, EONAY_ERROR_MECHANISM_UNSUPPORTED, "the mechanism is not one of this key's type");
    int r = key_take(p, request->secret, public_key, &key);
    if (r != 0)
        return r;
    r = key_sign(p, key, method, request->digest, ret, ret_size);
    EVP_PKEY_free(key);
    return r;
}

int p12_sign(const P12 *p, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size) {
    if (!p->logged_in || !request->secret || strcmp(request->token, p->key) != 0)
        return fault_text(p, EONAY_ERROR_PIN_REQUIRED, "no login to this file is under way");
    X509 *certificate = request->certificate_size <= DER_MAX
                            ? p12_certificate(p, request->certificate, request->certificate_size)
                            : NULL;
    int r = certificate_sign(p, request, certificate, ret_signature, ret_size);
    X509_free(certificate);
    ERR_clear_error();
    return r;
}
