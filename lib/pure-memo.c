/* SPDX-License-Identifier: Apache-2.0 */
/* Two rings of bounded size: the same authorities, responders and lists come again with every signature. */
#include "pure-memo.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#define MEMO_SIZE 128u

typedef struct Signed {
    PureKey key;
    bool used;
} Signed;

typedef struct Answer {
    PureKey key;
    bool used;
    RevocationAnswer answer;
    const char *why; /* static */
} Answer;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Signed signatures[MEMO_SIZE];
static Answer answers[MEMO_SIZE];
static unsigned signatures_next, answers_next;

/* Each part after its length, so that no two lists of parts give the same stream. */
static bool key_of(const CadesBlob *parts, size_t n, PureKey *ret) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; ok && i < n; i++) {
        uint64_t size = parts[i].size;
        ok = EVP_DigestUpdate(ctx, &size, sizeof(size)) == 1 &&
             EVP_DigestUpdate(ctx, parts[i].bytes, parts[i].size) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(ctx, ret->hash, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool same(const PureKey *a, const PureKey *b) {
    return memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

static bool signed_key(X509 *certificate, X509 *issuer, PureKey *ret) {
    unsigned char *a = NULL, *b = NULL;
    int n = i2d_X509(certificate, &a), m = i2d_X509(issuer, &b);
    CadesBlob parts[] = {{a, (size_t)(n > 0 ? n : 0)}, {b, (size_t)(m > 0 ? m : 0)}};
    bool made = n > 0 && m > 0 && key_of(parts, 2, ret);
    OPENSSL_free(a);
    OPENSSL_free(b);
    return made;
}

static bool signed_known(const PureKey *key) {
    bool known = false;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < MEMO_SIZE && !known; i++)
        known = signatures[i].used && same(&signatures[i].key, key);
    pthread_mutex_unlock(&lock);
    return known;
}

bool certificate_signed_by(X509 *certificate, X509 *issuer) {
    PureKey key;
    bool keyed = signed_key(certificate, issuer, &key);
    if (keyed && signed_known(&key))
        return true;
    EVP_PKEY *public = X509_get0_pubkey(issuer);
    if (!public || X509_verify(certificate, public) != 1)
        return false;
    if (keyed) {
        pthread_mutex_lock(&lock);
        signatures[signatures_next] = (Signed){key, true};
        signatures_next = (signatures_next + 1) % MEMO_SIZE;
        pthread_mutex_unlock(&lock);
    }
    return true;
}

bool pure_key_make(bool ocsp, const CadesBlob *value, const CadesBlob *certificate, const CadesBlob *issuer,
                   PureKey *ret) {
    const uint8_t kind = ocsp;
    const CadesBlob parts[] = {{&kind, 1}, *value, *certificate, *issuer};
    return key_of(parts, 4, ret);
}

bool pure_answer_find(const PureKey *key, RevocationAnswer *ret, const char **ret_why) {
    bool found = false;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < MEMO_SIZE && !found; i++) {
        if (!answers[i].used || !same(&answers[i].key, key))
            continue;
        *ret = answers[i].answer;
        *ret_why = answers[i].why;
        found = true;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void pure_answer_add(const PureKey *key, const RevocationAnswer *answer, const char *why) {
    pthread_mutex_lock(&lock);
    answers[answers_next] = (Answer){*key, true, *answer, why};
    answers_next = (answers_next + 1) % MEMO_SIZE;
    pthread_mutex_unlock(&lock);
}
