/* SPDX-License-Identifier: Apache-2.0 */
#include "label.h"

#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>

#include "fault.h"

static int no_randomness(const EonayHost *host) {
    return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "the random number generator failed");
}

int label_make(const EonayHost *host, char kind, char ret[LABEL_SIZE]) {
    return consent_label(kind, ret) ? 0 : no_randomness(host);
}

int transaction_make(const EonayHost *host, char ret[TRANSACTION_SIZE]) {
    uint8_t random[16];

    if (RAND_bytes(random, sizeof random) != 1)
        return no_randomness(host);
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", random[i]);
    return 0;
}
