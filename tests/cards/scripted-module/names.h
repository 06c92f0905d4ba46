/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the script for numbers of PKCS#11. */
#ifndef SCRIPTED_NAMES_H
#define SCRIPTED_NAMES_H

#include <stdbool.h>

typedef struct Name {
    const char *name;
    unsigned long value;
} Name;

extern const Name return_values[];
extern const Name token_flags[];
extern const Name mechanism_names[];

/* A name of the table, or a number (0x… or decimal). */
bool name_value(const Name *table, const char *name, unsigned long *ret);

#endif
