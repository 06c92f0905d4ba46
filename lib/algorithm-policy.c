/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row is one permission with its last moment. When the list is extended again only POLICY_END changes; when a size
 * is raised, the old row keeps its end and a new row is added. What is in no row was never, or is no longer, allowed:
 * SHA-1 and RSA below 2048 bits, which older editions of the list permitted, are refused for signatures of any time.
 */
#include "algorithm-policy.h"

#include <stddef.h>
#include <string.h>

#define USEC 1000000LL
/* 2027-12-31, the whole day in Turkey (UTC+3): the last microsecond before 21:00 UTC. */
#define POLICY_END (1830286800LL * USEC - 1)

typedef struct KeyRow {
    const char *type;
    unsigned bits_min;
    int64_t until; /* microseconds UTC, the moment itself included */
} KeyRow;

typedef struct HashRow {
    const char *hash;
    int64_t until;
} HashRow;

static const KeyRow key_rows[] = {
    {"rsa", 2048, POLICY_END},
    {"ec", 256, POLICY_END},
};

static const HashRow hash_rows[] = {
    {"sha256", POLICY_END},   {"sha384", POLICY_END},   {"sha512", POLICY_END},
    {"sha3-256", POLICY_END}, {"sha3-384", POLICY_END}, {"sha3-512", POLICY_END},
};

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

bool algorithm_policy_key(const char *type, unsigned bits, int64_t usec) {
    for (size_t i = 0; type && i < N_ROWS(key_rows); i++)
        if (strcmp(key_rows[i].type, type) == 0 && bits >= key_rows[i].bits_min && usec <= key_rows[i].until)
            return true;
    return false;
}

bool algorithm_policy_hash(const char *hash, int64_t usec) {
    for (size_t i = 0; hash && i < N_ROWS(hash_rows); i++)
        if (strcmp(hash_rows[i].hash, hash) == 0 && usec <= hash_rows[i].until)
            return true;
    return false;
}

int64_t algorithm_policy_valid_until(void) {
    int64_t until = 0;
    for (size_t i = 0; i < N_ROWS(key_rows); i++)
        until = key_rows[i].until > until ? key_rows[i].until : until;
    for (size_t i = 0; i < N_ROWS(hash_rows); i++)
        until = hash_rows[i].until > until ? hash_rows[i].until : until;
    return until;
}
