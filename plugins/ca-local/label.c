/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt is read out on the telephone: capital letters and digits without I, L, O and U, which look or sound like
 * others, in groups of four. Eighty random bits never meet twice, so no counter tells how many citizens consented.
 */
#include "label.h"

#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>

#include "fault.h"

static int no_randomness(const EonayHost *host) {
    return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "the random number generator failed");
}

int label_make(const EonayHost *host, char kind, char ret[LABEL_SIZE]) {
    static const char alphabet[32] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t random[16];
    char *p = ret;

    if (RAND_bytes(random, sizeof random) != 1)
        return no_randomness(host);
    *p++ = kind;
    for (size_t i = 0; i < sizeof random; i++) {
        if (i % 4 == 0)
            *p++ = '-';
        *p++ = alphabet[random[i] & 31u];
    }
    *p = '\0';
    return 0;
}

int transaction_make(const EonayHost *host, char ret[TRANSACTION_SIZE]) {
    uint8_t random[16];

    if (RAND_bytes(random, sizeof random) != 1)
        return no_randomness(host);
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", random[i]);
    return 0;
}
