/* SPDX-License-Identifier: Apache-2.0 */
/*
 * d1..d9 are given, d10 = 7 * (d1+d3+d5+d7+d9) - (d2+d4+d6+d8) mod 10, d11 = d1+..+d10 mod 10. Only ASCII digits count:
 * isdigit() would ask the locale.
 */
#include "tckn.h"

#include <string.h>

#define PREFIX "PNOTR-"

static int digit_value(char c) {
    return c >= '0' && c <= '9' ? c - '0' : -1;
}

bool tckn_valid(const char *s) {
    if (!s || s[0] == '0' || strnlen(s, TCKN_LENGTH + 1) != TCKN_LENGTH)
        return false;
    int odd = 0, even = 0;
    for (int i = 0; i < TCKN_LENGTH; i++)
        if (digit_value(s[i]) < 0)
            return false;
    for (int i = 0; i < 9; i++)
        *(i % 2 == 0 ? &odd : &even) += digit_value(s[i]);
    int tenth = ((7 * odd - even) % 10 + 10) % 10;
    return digit_value(s[9]) == tenth && digit_value(s[10]) == (odd + even + tenth) % 10;
}

bool tckn_from_serial_number(const char *s, char ret[TCKN_LENGTH + 1]) {
    if (!s)
        return false;
    if (strncmp(s, PREFIX, strlen(PREFIX)) == 0)
        s += strlen(PREFIX);
    if (!tckn_valid(s))
        return false;
    memcpy(ret, s, TCKN_LENGTH + 1);
    return true;
}

void tckn_mask(const char *tckn, char ret[TCKN_LENGTH + 1]) {
    memset(ret, '*', TCKN_LENGTH);
    ret[TCKN_LENGTH] = '\0';
    if (!tckn || strnlen(tckn, TCKN_LENGTH + 1) != TCKN_LENGTH)
        return;
    memcpy(ret + TCKN_LENGTH - 2, tckn + TCKN_LENGTH - 2, 2);
}
