/* SPDX-License-Identifier: Apache-2.0 */
#include "chain-memo.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "openssl-cleanup.h"

#define MEMO_SIZE 64u

typedef struct Entry {
    ChainKey key;
    int64_t from, until; /* seconds UTC, both inclusive; from > until: empty */
} Entry;

static pthread_mutex_t memo_lock = PTHREAD_MUTEX_INITIALIZER;
static Entry memo[MEMO_SIZE];
static unsigned memo_next, memo_used;

/* The length goes before the bytes, so that no two different lists give the same stream. */
static bool digest_bytes(EVP_MD_CTX *ctx, const void *bytes, size_t size) {
    uint64_t length = size;
    return EVP_DigestUpdate(ctx, &length, sizeof(length)) == 1 && EVP_DigestUpdate(ctx, bytes, size) == 1;
}

static bool digest_blobs(EVP_MD_CTX *ctx, const CadesBlob *blobs, size_t n) {
    bool ok = digest_bytes(ctx, &n, sizeof(n));
    for (size_t i = 0; ok && i < n; i++)
        ok = digest_bytes(ctx, blobs[i].bytes, blobs[i].size);
    return ok;
}

bool chain_key_make(X509 *certificate, DerBytes contained, const CadesExpectation *expect, int purpose, ChainKey *ret) {
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = size > 0 && ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              digest_bytes(ctx, &purpose, sizeof(purpose)) && digest_bytes(ctx, der, (size_t)size) &&
              digest_bytes(ctx, contained.p, contained.n) && digest_blobs(ctx, expect->anchors, expect->n_anchors) &&
              digest_blobs(ctx, expect->intermediates, expect->n_intermediates) &&
              EVP_DigestFinal_ex(ctx, ret->hash, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    return ok;
}

static bool seconds_of(const ASN1_TIME *t, int64_t *ret) {
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *ret = (int64_t)timegm(&tm);
    return true;
}

bool chain_memo_knows(const ChainKey *key, int64_t at) {
    bool known = false;
    pthread_mutex_lock(&memo_lock);
    for (unsigned i = 0; i < memo_used && !known; i++)
        known = memcmp(&memo[i].key, key, sizeof(*key)) == 0 && memo[i].from <= at && at <= memo[i].until;
    pthread_mutex_unlock(&memo_lock);
    return known;
}

void chain_memo_add(const ChainKey *key, STACK_OF(X509) * chain) {
    Entry entry = {.key = *key, .from = INT64_MIN, .until = INT64_MAX};
    for (int i = 0; i < sk_X509_num(chain); i++) {
        int64_t from, until;
        if (!seconds_of(X509_get0_notBefore(sk_X509_value(chain, i)), &from) ||
            !seconds_of(X509_get0_notAfter(sk_X509_value(chain, i)), &until))
            return;
        entry.from = from > entry.from ? from : entry.from;
        entry.until = until < entry.until ? until : entry.until;
    }
    pthread_mutex_lock(&memo_lock);
    memo[memo_next] = entry;
    memo_next = (memo_next + 1) % MEMO_SIZE;
    memo_used = memo_used < MEMO_SIZE ? memo_used + 1 : memo_used;
    pthread_mutex_unlock(&memo_lock);
}
