/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row is one permission with two last moments: that of the Turkish list, which has one date for all, and that of
 * the European catalogue behind it, which has one for each. The earlier one counts. When the list is extended again
 * only NATIONAL_END changes, and the European ends begin to bite by themselves; when a size is raised, the old row
 * keeps its ends and a new row is added. What is in no row was never, or is no longer, allowed: SHA-1 and RSA below
 * 2048 bits, which older editions of the list permitted, are refused for signatures of any time.
 */
#include "algorithm-policy.h"

#include <stddef.h>
#include <string.h>

#define USEC 1000000LL
/* Tebliğ, article 6, as extended by RG 04.10.2025/33345: 2027-12-31, the whole day in Turkey (UTC+3): the last
 * microsecond before 21:00 UTC. */
#define NATIONAL_END (1830286800LL * USEC - 1)
/* ETSI TS 119 312 v1.5.1 as data (its machine-readable catalogue of 2024-10-13, in the form of TS 119 322): mechanisms
 * marked as legacy end with 2028, recommended ones have no end yet. */
#define EUROPEAN_LEGACY (1861920000LL * USEC - 1)
#define EUROPEAN_OPEN   INT64_MAX

/* Ends in microseconds UTC, the moment itself included. */
typedef struct KeyRow {
    const char *type;
    unsigned bits_min;
    int64_t national, european;
} KeyRow;

typedef struct HashRow {
    const char *hash;
    int64_t national, european;
} HashRow;

static const KeyRow key_rows[] = {
    {"rsa", 2048, NATIONAL_END, EUROPEAN_LEGACY}, /* from 1900 bits on: legacy */
    {"rsa", 3000, NATIONAL_END, EUROPEAN_OPEN},   /* as RSASSA-PSS; see the paddings */
    {"ec", 256, NATIONAL_END, EUROPEAN_OPEN},     /* from 256 bits on: recommended */
};

static const HashRow hash_rows[] = {
    {"sha256", NATIONAL_END, EUROPEAN_OPEN},   {"sha384", NATIONAL_END, EUROPEAN_OPEN},
    {"sha512", NATIONAL_END, EUROPEAN_OPEN},   {"sha3-256", NATIONAL_END, EUROPEAN_OPEN},
    {"sha3-384", NATIONAL_END, EUROPEAN_OPEN}, {"sha3-512", NATIONAL_END, EUROPEAN_OPEN},
};

/* PKCS #1 v1.5 is legacy with keys of any size. */
static const HashRow padding_rows[] = {
    {"rsa-pkcs1", NATIONAL_END, EUROPEAN_LEGACY},
    {"rsa-pss", NATIONAL_END, EUROPEAN_OPEN},
};

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

bool algorithm_policy_key(const char *type, unsigned bits, int64_t usec) {
    for (size_t i = 0; type && i < N_ROWS(key_rows); i++)
        if (strcmp(key_rows[i].type, type) == 0 && bits >= key_rows[i].bits_min &&
            usec <= earlier(key_rows[i].national, key_rows[i].european))
            return true;
    return false;
}

bool algorithm_policy_hash(const char *hash, int64_t usec) {
    for (size_t i = 0; hash && i < N_ROWS(hash_rows); i++)
        if (strcmp(hash_rows[i].hash, hash) == 0 && usec <= earlier(hash_rows[i].national, hash_rows[i].european))
            return true;
    return false;
}

int64_t algorithm_policy_until(const char *type, unsigned bits, const char *algorithm, int64_t *ret_european) {
    int64_t national = 0, european = 0;
    for (size_t i = 0; type && i < N_ROWS(key_rows); i++)
        if (strcmp(key_rows[i].type, type) == 0 && bits >= key_rows[i].bits_min) {
            national = later(national, key_rows[i].national);
            european = later(european, key_rows[i].european);
        }
    for (size_t i = 0; i < N_ROWS(padding_rows); i++)
        if (strncmp(padding_rows[i].hash, algorithm, strlen(padding_rows[i].hash)) == 0) {
            national = earlier(national, padding_rows[i].national);
            european = earlier(european, padding_rows[i].european);
        }
    if (ret_european)
        *ret_european = european;
    return earlier(national, european);
}

int64_t algorithm_policy_valid_until(void) {
    int64_t until = 0;
    for (size_t i = 0; i < N_ROWS(key_rows); i++)
        until = later(until, earlier(key_rows[i].national, key_rows[i].european));
    return until;
}
