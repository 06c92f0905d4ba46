/* SPDX-License-Identifier: Apache-2.0 */
#include "word.h"

#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "../secret.h"

#define SALT_SIZE 16
#define HASH_SIZE 32
/* 8 MiB for a few hundredths of a second: a copied table is dear to try words on, a portal process stays small. */
#define SCRYPT_N   8192
#define SCRYPT_R   8
#define SCRYPT_P   1
#define SCRYPT_MEM (9 * 1024 * 1024)

typedef struct WordWork {
    const char *account;
    uint8_t salt[SALT_SIZE];
    uint8_t hash[HASH_SIZE];
    int64_t changed_at;
    bool found;
} WordWork;

bool word_good(const char *word) {
    glong n = g_utf8_strlen(word, -1);

    for (const char *p = word; *p; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return false;
    return n >= WORD_LEAST_CHARACTERS && n <= WORD_MOST_CHARACTERS;
}

static void word_hash(const char *word, const uint8_t salt[SALT_SIZE], uint8_t ret[HASH_SIZE]) {
    /* The same word typed on another keyboard may be composed differently. */
    g_autofree char *normal = g_utf8_normalize(word, -1, G_NORMALIZE_NFKC);

    if (!normal || EVP_PBE_scrypt(normal, strlen(normal), salt, SALT_SIZE, SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEM,
                                  ret, HASH_SIZE) != 1)
        g_error("scrypt is not to be had");
    explicit_bzero(normal, strlen(normal));
}

static int put_work(Store *store, void *data) {
    const WordWork *w = data;

    return store_change(store, STATEMENT_WORD_PUT, NULL, "tbbi", w->account, w->salt, sizeof w->salt, w->hash,
                        sizeof w->hash, w->changed_at);
}

int word_set(Store *store, const char *account, const char *word, int64_t now) {
    WordWork work = {.account = account, .changed_at = now};

    secret_random(work.salt, sizeof work.salt);
    word_hash(word, work.salt, work.hash);
    return store_write(store, put_work, &work);
}

static int find_work(Store *store, void *data) {
    WordWork *w = data;
    _rows_ StoreRows *rows = NULL;
    const void *salt = NULL;
    const void *hash = NULL;
    size_t salt_size = 0;
    size_t hash_size = 0;
    int r = store_row(store, STATEMENT_WORD_FIND, &rows, "t", w->account);

    w->found = false;
    if (r != 0 || !rows)
        return r;
    salt = store_rows_bytes(rows, 0, &salt_size);
    hash = store_rows_bytes(rows, 1, &hash_size);
    w->found = salt_size == SALT_SIZE && hash_size == HASH_SIZE;
    if (w->found) {
        memcpy(w->salt, salt, SALT_SIZE);
        memcpy(w->hash, hash, HASH_SIZE);
        w->changed_at = store_rows_int(rows, 2);
    }
    return 0;
}

int word_check(Store *store, const char *account, const char *word, bool *ret_set, bool *ret_right,
               int64_t *ret_changed_at) {
    WordWork work = {.account = account};
    uint8_t hash[HASH_SIZE];
    int r = store_read(store, find_work, &work);

    if (r != 0)
        return r;
    *ret_set = work.found;
    *ret_right = false;
    *ret_changed_at = work.changed_at;
    if (work.found && word) {
        word_hash(word, work.salt, hash);
        *ret_right = CRYPTO_memcmp(hash, work.hash, HASH_SIZE) == 0;
    }
    return 0;
}
