/* SPDX-License-Identifier: Apache-2.0 */
/* The verification code as people paste it. */
#ifndef EONAY_CODE_DIGITS_H
#define EONAY_CODE_DIGITS_H

#include <stdbool.h>

#define CODE_DIGITS 15

/* Drops Unicode white space and hyphens, then wants exactly 15 ASCII digits. ret is untouched on failure. */
bool code_normalise(const char *pasted, char ret[CODE_DIGITS + 1]);

#endif
