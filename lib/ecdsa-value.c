/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 says r||s (v2.40 section 2.3.1), some modules return DER all the same. The structure decides; the length
 * alone does not, for a P-256 value in DER can have 64 bytes too, and r may begin with what looks like a SEQUENCE.
 */
#include "ecdsa-value.h"

static size_t half_size(unsigned bits) {
    return (bits + 7) / 8;
}

static bool number_read(DerBytes *in, unsigned bits) {
    DerBytes number;
    if (!der_read_value(in, DER_INTEGER, &number) || number.n == 0 || number.p[0] >= 0x80)
        return false;
    bool padded = number.p[0] == 0;
    if (padded && (number.n == 1 || number.p[1] < 0x80))
        return false;
    return number.n - padded <= half_size(bits);
}

bool ecdsa_value_is_der(DerBytes value, unsigned bits) {
    DerBytes sequence;
    return der_read_value(&value, DER_SEQUENCE, &sequence) && value.n == 0 && number_read(&sequence, bits) &&
           number_read(&sequence, bits) && sequence.n == 0;
}

bool ecdsa_value_is_raw(DerBytes value, unsigned bits) {
    return value.n == 2 * half_size(bits);
}

static void number_append(DerBuffer *b, DerBytes number) {
    size_t from = b->size;
    while (number.n > 1 && number.p[0] == 0) {
        number.p++;
        number.n--;
    }
    if (number.p[0] >= 0x80)
        der_append(b, DER_BYTES(0));
    der_append(b, number);
    der_wrap(b, from, DER_INTEGER);
}

void ecdsa_value_append(DerBuffer *b, DerBytes raw) {
    size_t from = b->size, half = raw.n / 2;
    number_append(b, (DerBytes){raw.p, half});
    number_append(b, (DerBytes){raw.p + half, half});
    der_wrap(b, from, DER_SEQUENCE);
}
