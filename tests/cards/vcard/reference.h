/* SPDX-License-Identifier: Apache-2.0 */
/* Reference data: the PIN and the PUK, each with a counter that locks, kept in a file as a card keeps them in EEPROM.
 */
#ifndef VCARD_REFERENCE_H
#define VCARD_REFERENCE_H

#include "buffer.h"

enum {
    REFERENCE_PIN,
    REFERENCE_PUK,
    REFERENCE_COUNT,
};
enum {
    REFERENCE_LENGTH = 8, /* shorter codes are padded with 0xFF on the wire */
    PIN_MINIMUM = 6,
    TRIES_DEFAULT = 3,
    TRIES_MAXIMUM = 15,
};

typedef struct Reference {
    char value[REFERENCE_LENGTH + 1];
    unsigned tries;
    unsigned tries_maximum;
} Reference;

typedef struct References {
    Reference entry[REFERENCE_COUNT];
    char *path; /* NULL: nothing is kept */
} References;

void references_init(References *references);
void references_free(References *references);

/* Reads the file if it exists and writes it at every change from now on. 0, or a negative errno (-EBADMSG: not a state
 * file). */
int references_open(References *references, const char *path);
int references_save(const References *references);

/* A code of the right length: six to eight digits for the PIN, exactly eight printable characters for the PUK. */
bool reference_set(References *references, int which, const char *value);

/* The eight bytes on the wire against the code. Returns SW_OK, SW_VERIFY_FAILED with the tries left (0 for the
 * one that locks), SW_BLOCKED from then on, SW_WRONG_DATA for a badly padded value (no try is lost) or
 * SW_MEMORY_FAILURE when the counter cannot be kept. */
uint16_t reference_verify(References *references, int which, Bytes padded);
/* Takes a new code off the wire and gives it all its tries back. SW_OK, SW_WRONG_DATA or SW_MEMORY_FAILURE. */
uint16_t reference_replace(References *references, int which, Bytes padded);
/* The status that asks without trying: tries left, or blocked. */
uint16_t reference_status(const References *references, int which);

#endif
