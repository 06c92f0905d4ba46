/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority's register of the certificates it issued, as their owner sees it. A certificate is good, suspended
 * (and can be made good again) or revoked for ever; what the server accepts signatures from follows it at once.
 */
#ifndef EONAY_PORTAL_REGISTER_H
#define EONAY_PORTAL_REGISTER_H

#include <stdbool.h>

#include "../store.h"

#define REGISTER_LIST_MAX         100
#define REGISTER_FINGERPRINT_SIZE 32
#define REGISTER_SERIAL_MAX       64

/* As in the records. */
typedef enum RegisterState {
    REGISTER_GOOD = 0,
    REGISTER_SUSPENDED = 1,
    REGISTER_REVOKED = 2,
} RegisterState;

typedef struct RegisterEntry {
    uint8_t fingerprint[REGISTER_FINGERPRINT_SIZE];
    char serial[REGISTER_SERIAL_MAX + 1];
    int64_t not_before;
    int64_t not_after;
    RegisterState state;
    int64_t changed_at;
    uint8_t *der;
    size_t der_size;
} RegisterEntry;

typedef struct RegisterList {
    RegisterEntry at[REGISTER_LIST_MAX];
    size_t n;
} RegisterList;
/* NULL-tolerant, returns NULL. */
RegisterList *register_list_free(RegisterList *list);
void register_list_freep(RegisterList **list);

/* A person's certificates, the one that ends last first. */
int register_list(Store *store, const char *account, RegisterList **ret);
/* Moves a certificate of that person from one state to another. Error: NOT_FOUND, when there is none in that state. */
int register_move(Store *store, const char *account, const uint8_t *fingerprint, RegisterState from, RegisterState to,
                  int64_t now);
/*
 * Takes a certificate (DER or PEM) into the register. *ret_new: it was not there yet. Errors: FILE_INVALID,
 * SUBJECT_INVALID (names no person), STORAGE_FAILED.
 */
int register_import(Store *store, const uint8_t *bytes, size_t size, int64_t now, bool *ret_new);

#endif
