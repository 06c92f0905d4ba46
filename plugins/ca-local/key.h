/* SPDX-License-Identifier: Apache-2.0 */
/* The secret key beside the database, and the keyed hashes that stand for codes and transactions in it. */
#ifndef CA_LOCAL_KEY_H
#define CA_LOCAL_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "eonay/plugin.h"

#define KEY_SIZE        32u
#define KEYED_HASH_SIZE 32u

typedef struct Key {
    uint8_t bytes[KEY_SIZE];
} Key;

/* Reads the key in <database>.key. With create, makes it first where there is none: only under the database's write
 * lock. Error: STORAGE_FAILED. */
int key_open(const EonayHost *host, const char *database, bool create, Key *ret);
void key_erase(Key *key);

/* HMAC-SHA256 of a value under the key; the domain ("code", "transaction") keeps the uses apart. */
int key_hash(const EonayHost *host, const Key *key, const char *domain, const char *value,
             uint8_t ret[KEYED_HASH_SIZE]);

#endif
