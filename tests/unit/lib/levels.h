/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a signature of every level, made with lib/ around the answers of tests/fixtures/pki-services.h. */
#ifndef EONAY_TEST_LEVELS_H
#define EONAY_TEST_LEVELS_H

#include "cades-level.h"
#include "cades-upgrade.h"
#include "pki-services.h"

typedef struct Bytes {
    uint8_t *p; /* malloc() */
    size_t n;
} Bytes;

typedef struct LevelScene {
    Pki *pki;
    PkiLeaf *signer, *tsa, *responder;
    uint32_t mechanism;
    const char *content;
    int64_t at; /* signing and stamping time; 0: now */
} LevelScene;

CadesBlob bytes_blob(Bytes b);
/* Each aborts when it does not work. */
void level_scene_init(LevelScene *s, const char *key, uint32_t mechanism);
void level_scene_clear(LevelScene *s);
Bytes level_sign(const LevelScene *s, uint8_t policy);
/* A verified token for the hash of these bytes, or for the hash itself. */
Bytes level_stamp_hash(const LevelScene *s, const uint8_t hash[32]);
Bytes level_add_stamp(const LevelScene *s, Bytes message);
Bytes level_add_archive(const LevelScene *s, Bytes message);
Bytes level_ocsp(const LevelScene *s, X509 *about);
Bytes level_crl(const LevelScene *s, X509 *about);
/* The whole way to this level. */
Bytes level_make(const LevelScene *s, CadesLevel level);

#endif
