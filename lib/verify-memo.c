/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of the newest chains, of bounded size: the chains of time-stamp authorities come again and again. */
#include "verify-memo.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>

#define MEMO_CHAINS   32u
#define MEMO_SIZE_MAX 16384u /* of one chain; longer ones are not remembered */

typedef struct Entry {
    VerifyChain chain;
    int purpose;
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Entry memo[MEMO_CHAINS];
static unsigned next;

static bool equal(const CadesBlob *a, const CadesBlob *b) {
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static bool chain_copy(const VerifyChain *chain, VerifyChain *ret) {
    *ret = (VerifyChain){0};
    for (size_t i = 0; i < chain->n; i++) {
        uint8_t *bytes = OPENSSL_memdup(chain->certificate[i].bytes, chain->certificate[i].size);
        if (!bytes) {
            verify_chain_clear(ret);
            return false;
        }
        ret->certificate[ret->n++] = (CadesBlob){bytes, chain->certificate[i].size};
        ret->from[i] = chain->from[i];
        ret->until[i] = chain->until[i];
    }
    return true;
}

static bool anchored(const VerifyRequest *request, const VerifyChain *chain) {
    for (size_t i = 0; i < request->n_anchors; i++)
        if (equal(&request->anchors[i], &chain->certificate[chain->n - 1]))
            return true;
    return false;
}

/* The anchor too: a chain is built with it valid. */
static bool all_valid(const VerifyChain *c, int64_t at) {
    return verify_chain_valid(c, at) && at >= c->from[c->n - 1] && at <= c->until[c->n - 1];
}

bool verify_memo_find(const VerifyRequest *request, const CadesBlob *leaf, int purpose, int64_t at, VerifyChain *ret) {
    bool found = false;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < MEMO_CHAINS && !found; i++) {
        const VerifyChain *c = &memo[i].chain;
        if (c->n > 0 && memo[i].purpose == purpose && equal(&c->certificate[0], leaf) && all_valid(c, at) &&
            anchored(request, c))
            found = chain_copy(c, ret);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void verify_memo_add(const VerifyChain *chain, int purpose) {
    VerifyChain copy;
    size_t size = 0;
    for (size_t i = 0; i < chain->n; i++)
        size += chain->certificate[i].size;
    if (size > MEMO_SIZE_MAX || !chain_copy(chain, &copy))
        return;
    pthread_mutex_lock(&lock);
    verify_chain_clear(&memo[next].chain);
    memo[next] = (Entry){copy, purpose};
    next = (next + 1) % MEMO_CHAINS;
    pthread_mutex_unlock(&lock);
}
