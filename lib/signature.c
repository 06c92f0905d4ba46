/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcrypto reads openssl.cnf at its first use and may load modules from it. The first initialisation decides for the
 * life of the process, so it is made here, with the one option that says no. The built-in default provider remains.
 */
#include "signature.h"

#include <openssl/crypto.h>

void signature_init(void) {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}
