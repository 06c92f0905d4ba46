/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cades-samples DIR: writes a signature of every kind as DIR/<kind>.p7s, the bytes signed as DIR/content, the trust
 * anchor as DIR/root.pem and the issuing authority as DIR/ca.pem, for verifiers that share no code with us.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cades.h"
#include "pki.h"
#include "signature.h"
#include "token-sign.h"

static const char content[] = "Nitelikli elektronik sertifika başvurumu onaylıyorum.\r\nİkinci satır: ığüşöç\n";

static const struct {
    const char *name, *key;
    uint32_t mechanism;
    bool raw;
} samples[] = {
    {"rsa2048-pkcs1-sha256", "rsa2048", EONAY_MECH_RSA_PKCS1_SHA256, false},
    {"rsa2048-pkcs1-sha384", "rsa2048", EONAY_MECH_RSA_PKCS1_SHA384, false},
    {"rsa2048-pkcs1-sha512", "rsa2048", EONAY_MECH_RSA_PKCS1_SHA512, false},
    {"rsa2048-pss-sha256", "rsa2048", EONAY_MECH_RSA_PSS_SHA256, false},
    {"rsa2048-pss-sha384", "rsa2048", EONAY_MECH_RSA_PSS_SHA384, false},
    {"rsa2048-pss-sha512", "rsa2048", EONAY_MECH_RSA_PSS_SHA512, false},
    {"rsa3072-pkcs1-sha256", "rsa3072", EONAY_MECH_RSA_PKCS1_SHA256, false},
    {"rsa4096-pkcs1-sha256", "rsa4096", EONAY_MECH_RSA_PKCS1_SHA256, false},
    {"p256-raw", "p256", EONAY_MECH_ECDSA_SHA256, true},
    {"p256-der", "p256", EONAY_MECH_ECDSA_SHA256, false},
    {"p384-raw", "p384", EONAY_MECH_ECDSA_SHA384, true},
    {"p521-raw", "p521", EONAY_MECH_ECDSA_SHA512, true},
};

static int file_write(const char *dir, const char *name, const void *bytes, size_t size) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "we");
    if (!file)
        return 1;
    size_t written = fwrite(bytes, 1, size, file);
    return fclose(file) != 0 || written != size;
}

static int sample_sign(const PkiLeaf *leaf, size_t i, uint8_t **ret_der, size_t *ret_size) {
    Cades *c = NULL;
    uint8_t value[1024];
    size_t n;
    const char *why = "";
    int r = cades_new(leaf->der, leaf->der_size, (const uint8_t *)content, strlen(content), time(NULL),
                      samples[i].mechanism, &c);
    if (r != 0)
        return r;
    const uint8_t *digest = cades_digest(c, &n);
    size_t size = token_sign(leaf->key, samples[i].mechanism, digest, n, samples[i].raw, value);
    r = cades_finish(c, value, size, ret_der, ret_size, &why);
    if (r != 0)
        fprintf(stderr, "%s: %d %s\n", samples[i].name, r, why);
    cades_free(c);
    return r;
}

static int sample_write(const Pki *pki, const char *dir, size_t i) {
    char name[64];
    uint8_t *der = NULL;
    size_t size = 0;
    PkiLeaf *leaf = NULL;
    int r = pki_issue(pki, &(PkiRequest){.key = samples[i].key}, &leaf);
    r = r == 0 ? sample_sign(leaf, i, &der, &size) : r;
    snprintf(name, sizeof(name), "%s.p7s", samples[i].name);
    r = r == 0 ? file_write(dir, name, der, size) : r;
    free(der);
    pki_leaf_free(leaf);
    return r;
}

int main(int argc, char **argv) {
    Pki *pki = NULL;
    signature_init();
    if (argc != 2 || pki_new(&pki) != 0)
        return 2;
    int r = pki_save(pki, argv[1]);
    r = r == 0 ? file_write(argv[1], "content", content, strlen(content)) : r;
    for (size_t i = 0; r == 0 && i < sizeof(samples) / sizeof(samples[0]); i++)
        r = sample_write(pki, argv[1], i);
    pki_free(pki);
    return r != 0;
}
