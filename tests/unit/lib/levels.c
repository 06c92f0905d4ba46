/* SPDX-License-Identifier: Apache-2.0 */
#include "levels.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "timestamp.h"
#include "token-sign.h"

static void demand(bool good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "levels: %s\n", what);
    abort();
}

CadesBlob bytes_blob(Bytes b) {
    return (CadesBlob){b.p, b.n};
}

static Bytes bytes_take(uint8_t *openssl, size_t n, const char *what) {
    demand(openssl != NULL, what);
    Bytes b = {malloc(n), n};
    demand(b.p != NULL, "memory");
    memcpy(b.p, openssl, n);
    OPENSSL_free(openssl);
    return b;
}

static Bytes certificate_bytes(X509 *certificate) {
    size_t n;
    uint8_t *der = pki_der(certificate, &n);
    return bytes_take(der, n, "a certificate");
}

static int64_t scene_time(const LevelScene *s) {
    return s->at != 0 ? s->at : (int64_t)time(NULL);
}

void level_scene_init(LevelScene *s, const char *key, uint32_t mechanism) {
    *s = (LevelScene){.mechanism = mechanism, .content = "Onaylıyorum.\n"};
    demand(pki_new(&s->pki) == 0 && pki_issue(s->pki, &(PkiRequest){.key = key}, &s->signer) == 0 &&
               pki_issue(s->pki, &(PkiRequest){.profile = "tsa", .name = "Test TSA"}, &s->tsa) == 0 &&
               pki_issue(s->pki, &(PkiRequest){.profile = "ocsp", .name = "Test OCSP"}, &s->responder) == 0,
           "the infrastructure");
}

void level_scene_clear(LevelScene *s) {
    pki_leaf_free(s->signer);
    pki_leaf_free(s->tsa);
    pki_leaf_free(s->responder);
    pki_free(s->pki);
    *s = (LevelScene){0};
}

Bytes level_sign(const LevelScene *s, uint8_t policy) {
    Cades *c = NULL;
    Bytes b = {0};
    uint8_t value[1024];
    size_t n;
    const char *why = "";
    demand(cades_new_with_policy(s->signer->der, s->signer->der_size, (const uint8_t *)s->content, strlen(s->content),
                                 scene_time(s), s->mechanism, policy, &c) == 0,
           "cades_new");
    const uint8_t *digest = cades_digest(c, &n);
    size_t size = token_sign(s->signer->key, s->mechanism, digest, n, false, value);
    demand(cades_finish(c, value, size, &b.p, &b.n, &why) == 0, why);
    cades_free(c);
    return b;
}

Bytes level_stamp_hash(const LevelScene *s, const uint8_t hash[32]) {
    uint8_t nonce[TIMESTAMP_NONCE_SIZE], *request = NULL;
    size_t request_size, size;
    CadesBlob token;
    Timestamp stamp;
    RAND_bytes(nonce, sizeof(nonce));
    demand(timestamp_request(hash, 32, nonce, PKI_TSA_POLICY, &request, &request_size) == 0, "the request");
    uint8_t *response = pki_stamp(s->pki, s->tsa, request, request_size, s->at, &size);
    demand(response && !timestamp_response_open(&(CadesBlob){response, size}, &token), "the response");
    const char *why =
        timestamp_verify(&token, &(TimestampExpectation){.imprint = hash, .imprint_size = 32, .nonce = nonce}, &stamp);
    demand(!why, why);
    Bytes b = {malloc(token.size), token.size};
    memcpy(b.p, token.bytes, token.size);
    OPENSSL_free(response);
    free(request);
    return b;
}

Bytes level_add_stamp(const LevelScene *s, Bytes message) {
    CadesBlob value;
    uint8_t hash[32];
    Bytes b = {0};
    demand(cades_signature_value(message.p, message.n, &value) == 0, "the signature value");
    SHA256(value.bytes, value.size, hash);
    Bytes token = level_stamp_hash(s, hash);
    CadesBlob blob = bytes_blob(token);
    demand(cades_add_signature_stamp(message.p, message.n, &blob, &b.p, &b.n) == 0, "the stamp");
    free(token.p);
    free(message.p);
    return b;
}

Bytes level_add_archive(const LevelScene *s, Bytes message) {
    CadesArchive archive;
    Bytes b = {0};
    demand(cades_archive_begin(message.p, message.n, &archive) == 0, "the index");
    Bytes token = level_stamp_hash(s, archive.imprint);
    CadesBlob blob = bytes_blob(token);
    demand(cades_archive_finish(message.p, message.n, &archive, &blob, &b.p, &b.n) == 0, "the archive stamp");
    cades_archive_clear(&archive);
    free(token.p);
    free(message.p);
    return b;
}

Bytes level_ocsp(const LevelScene *s, X509 *about) {
    size_t n;
    int64_t at = scene_time(s);
    bool authority = X509_cmp(about, pki_ca(s->pki)) == 0;
    PkiAnswer a = {.about = about,
                   .reason = -1,
                   .this_update = at,
                   .next_update = at + 3600,
                   .signer = authority ? NULL : s->responder};
    uint8_t *der = pki_ocsp(s->pki, &a, &n);
    return bytes_take(der, n, "OCSP");
}

Bytes level_crl(const LevelScene *s, X509 *about) {
    size_t n;
    int64_t at = scene_time(s);
    PkiAnswer a = {.about = about, .reason = -1, .this_update = at, .next_update = at + 86400};
    uint8_t *der = pki_crl(s->pki, &a, &n);
    return bytes_take(der, n, "CRL");
}

static Bytes add_fields(const LevelScene *s, Bytes message) {
    Bytes certificates[] = {certificate_bytes(pki_ca(s->pki)), certificate_bytes(pki_root(s->pki)),
                            certificate_bytes(s->tsa->certificate)};
    Bytes ocsps[] = {level_ocsp(s, s->signer->certificate), level_ocsp(s, s->tsa->certificate)};
    Bytes crl = level_crl(s, pki_ca(s->pki)), b = {0};
    CadesBlob certificate_blobs[3], ocsp_blobs[2], crl_blob = bytes_blob(crl);
    for (int i = 0; i < 3; i++)
        certificate_blobs[i] = bytes_blob(certificates[i]);
    for (int i = 0; i < 2; i++)
        ocsp_blobs[i] = bytes_blob(ocsps[i]);
    CadesEvidence e = {certificate_blobs, 3, &crl_blob, 1, ocsp_blobs, 2};
    demand(cades_add_fields(message.p, message.n, &e, &b.p, &b.n) == 0, "the material");
    for (int i = 0; i < 3; i++)
        free(certificates[i].p);
    for (int i = 0; i < 2; i++)
        free(ocsps[i].p);
    free(crl.p);
    free(message.p);
    return b;
}

static Bytes add_values(const LevelScene *s, Bytes message, bool ocsp) {
    X509 *path[] = {s->signer->certificate, pki_ca(s->pki), pki_root(s->pki)};
    Bytes certificates[3], answers[2], b = {0};
    CadesPathStep steps[3] = {0};
    for (int i = 0; i < 3; i++) {
        certificates[i] = certificate_bytes(path[i]);
        steps[i].certificate = bytes_blob(certificates[i]);
    }
    for (int i = 0; i < 2; i++) {
        answers[i] = ocsp ? level_ocsp(s, path[i]) : level_crl(s, path[i]);
        *(ocsp ? &steps[i].ocsp : &steps[i].crl) = bytes_blob(answers[i]);
    }
    Bytes also = level_ocsp(s, s->tsa->certificate);
    CadesBlob also_blob = bytes_blob(also);
    CadesEvidence e = {.ocsps = &also_blob, .n_ocsps = ocsp ? 1 : 0};
    demand(cades_add_values(message.p, message.n, steps, 3, &e, &b.p, &b.n) == 0, "the values");
    for (int i = 0; i < 3; i++)
        free(certificates[i].p);
    free(answers[0].p);
    free(answers[1].p);
    free(also.p);
    free(message.p);
    return b;
}

Bytes level_make(const LevelScene *s, CadesLevel level) {
    const CadesLevelTraits *t = cades_level_traits(level);
    Bytes message = level_sign(s, t->policy);
    if (t->stamp)
        message = level_add_stamp(s, message);
    if (t->material == CADES_MATERIAL_FIELDS)
        message = add_fields(s, message);
    if (t->material == CADES_MATERIAL_VALUES)
        message = add_values(s, message, t->revocation == CADES_REVOCATION_OCSP);
    if (t->archive)
        message = level_add_archive(s, message);
    return message;
}
