/* SPDX-License-Identifier: Apache-2.0 */
/*
 * level-samples DIR: a signature of every level with every kind of key as DIR/<key>-<level>.p7s (and one LTA stamped
 * again as <key>-B-LTA-renewed.p7s), the content as DIR/content, and for each key its own trust anchor and authority as
 * DIR/<key>/root.pem, ca.pem: for verifiers that share no code with us.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "eonay/plugin.h"
#include "levels.h"
#include "signature.h"

static const struct {
    const char *name, *key;
    uint32_t mechanism;
} keys[] = {
    {"rsa2048-pkcs1", "rsa2048", EONAY_MECH_RSA_PKCS1_SHA256},
    {"rsa2048-pss", "rsa2048", EONAY_MECH_RSA_PSS_SHA256},
    {"rsa3072-pkcs1", "rsa3072", EONAY_MECH_RSA_PKCS1_SHA384},
    {"rsa3072-pss", "rsa3072", EONAY_MECH_RSA_PSS_SHA256},
    {"rsa4096-pkcs1", "rsa4096", EONAY_MECH_RSA_PKCS1_SHA512},
    {"rsa4096-pss", "rsa4096", EONAY_MECH_RSA_PSS_SHA256},
    {"p256", "p256", EONAY_MECH_ECDSA_SHA256},
    {"p384", "p384", EONAY_MECH_ECDSA_SHA384},
    {"p521", "p521", EONAY_MECH_ECDSA_SHA512},
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

static int levels_write(const LevelScene *s, const char *dir, const char *key) {
    char name[128];
    int r = 0;
    for (int level = 0; level < CADES_N_LEVELS && r == 0; level++) {
        Bytes b = level_make(s, (CadesLevel)level);
        snprintf(name, sizeof(name), "%s-%s.p7s", key, cades_level_traits((CadesLevel)level)->name);
        r = file_write(dir, name, b.p, b.n);
        free(b.p);
    }
    Bytes renewed = level_add_archive(s, level_make(s, CADES_LEVEL_B_LTA));
    snprintf(name, sizeof(name), "%s-B-LTA-renewed.p7s", key);
    r = r == 0 ? file_write(dir, name, renewed.p, renewed.n) : r;
    free(renewed.p);
    return r;
}

int main(int argc, char **argv) {
    int r = argc == 2 ? 0 : 2;
    signature_init();
    for (size_t i = 0; r == 0 && i < sizeof(keys) / sizeof(keys[0]); i++) {
        char folder[4096];
        LevelScene s;
        level_scene_init(&s, keys[i].key, keys[i].mechanism);
        snprintf(folder, sizeof(folder), "%s/%s", argv[1], keys[i].name);
        r = mkdir(folder, 0700) != 0 || pki_save(s.pki, folder) != 0 || levels_write(&s, argv[1], keys[i].name) != 0;
        r = r == 0 ? file_write(argv[1], "content", s.content, strlen(s.content)) : r;
        level_scene_clear(&s);
    }
    return r;
}
