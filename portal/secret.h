/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The portal's key, 32 random bytes in a file of its own, the same for all instances of one database. A code has 50
 * bits: its plain hash could be reversed within hours. The records hold keyed hashes instead, so that a stray copy of
 * the database opens nothing.
 */
#ifndef PORTAL_SECRET_H
#define PORTAL_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "store.h"

#define SECRET_SIZE       32
#define SECRET_HASH_SIZE  32
#define SECRET_LABEL_SIZE 65 /* 32 bytes in hex */

typedef struct Secret {
    uint8_t bytes[SECRET_SIZE];
} Secret;

/* Reads the file, or makes it when it is missing, with mode 0600. Logs the reason of STORAGE_FAILED. */
int secret_open(const char *path, Secret *ret);
/* Whether this is the key of the database; remembers it in a new one. */
int secret_check(const Secret *s, Store *store);
void secret_erase(Secret *s);

/* HMAC-SHA256 of domain, NUL and value: the same value in two domains has two hashes. */
void secret_hash(const Secret *s, const char *domain, const char *value, uint8_t ret[SECRET_HASH_SIZE]);
/* The same over bytes, for values that hold NUL or are made of parts. */
void secret_hash_bytes(const Secret *s, const char *domain, const void *value, size_t size,
                       uint8_t ret[SECRET_HASH_SIZE]);
/* Fills with random bytes, or ends the process: nothing can go on without. */
void secret_random(void *ret, size_t size);
/* 32 random bytes as 64 hex digits: a transaction, a session, a CSRF token. */
void secret_label(char ret[SECRET_LABEL_SIZE]);
void secret_hex(const uint8_t *bytes, size_t size, char *ret); /* 2 * size + 1 */

#endif
