/* SPDX-License-Identifier: Apache-2.0 */
/* T.C. kimlik no: eleven digits with two check digits. The checksum does not prove that the person exists. */
#ifndef EONAY_TCKN_H
#define EONAY_TCKN_H

#include <stdbool.h>

#define TCKN_LENGTH 11

/* Exactly eleven ASCII digits, the first not 0, both check digits right. NULL is false. */
bool tckn_valid(const char *s);
/* Finds the number in an X.520 serialNumber value: the digits alone or behind the ETSI EN 319 412-1 prefix "PNOTR-".
 * Returns false, and leaves ret alone, when there is none or its checksum is wrong. */
bool tckn_from_serial_number(const char *s, char ret[TCKN_LENGTH + 1]);
/* "*********46": at most the last two digits, since relatives' numbers can be derived from the others. */
void tckn_mask(const char *tckn, char ret[TCKN_LENGTH + 1]);

#endif
