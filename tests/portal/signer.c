/* SPDX-License-Identifier: Apache-2.0 */
#include "signer.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "cades.h"
#include "certificate-profile.h"

struct Signer {
    char *certificate;
    gsize size;
    EVP_PKEY *key;
    uint32_t mechanism;
};

int signer_new(const char *certificate, const char *key, Signer **ret) {
    CertificateProfile *profile = NULL;
    Signer *s = g_new0(Signer, 1);
    FILE *file = fopen(key, "re");

    if (!file || !g_file_get_contents(certificate, &s->certificate, &s->size, NULL))
        return -1;
    s->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    (void)fclose(file);
    if (!s->key || certificate_profile_new((const uint8_t *)s->certificate, s->size, &profile) != 0)
        return -1;
    /* RSA as PKCS #1 v1.5, or ECDSA: with SHA-256 in either case where the key takes it. */
    uint32_t wanted = EONAY_MECH_RSA_PKCS1_SHA256 | EONAY_MECH_ECDSA_SHA256;
    s->mechanism = profile->mechanisms & wanted;
    certificate_profile_free(profile);
    *ret = s;
    return s->mechanism ? 0 : -1;
}

void signer_free(Signer *s) {
    g_free(s->certificate);
    EVP_PKEY_free(s->key);
    g_free(s);
}

static int sign_digest(const Signer *s, const uint8_t *digest, size_t size, uint8_t *ret, size_t *ret_size) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->key, NULL);
    bool good = ctx && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_sign(ctx, ret, ret_size, digest, size) == 1;

    EVP_PKEY_CTX_free(ctx);
    return good ? 0 : -1;
}

int signer_sign(const Signer *s, const uint8_t *text, size_t size, int64_t when, uint8_t **ret, size_t *ret_size) {
    uint8_t value[1024];
    size_t value_size = sizeof value, digest_size = 0;
    const char *why = NULL;
    Cades *cades = NULL;
    int r = cades_new((const uint8_t *)s->certificate, s->size, text, size, when, s->mechanism, &cades);

    if (r != 0)
        return -1;
    const uint8_t *digest = cades_digest(cades, &digest_size);
    r = sign_digest(s, digest, digest_size, value, &value_size);
    if (r == 0)
        r = cades_finish(cades, value, value_size, ret, ret_size, &why) == 0 ? 0 : -1;
    cades_free(cades);
    return r;
}
