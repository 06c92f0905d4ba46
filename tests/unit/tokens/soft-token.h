/* SPDX-License-Identifier: Apache-2.0 */
/* SoftHSM tokens in a folder of the test's own. */
#ifndef EONAY_TEST_SOFT_TOKEN_H
#define EONAY_TEST_SOFT_TOKEN_H

#include "test-keys.h"

#define SOFT_SO_PIN "00998877"

#define SOFT_NO_PRIVATE     (1u << 0) /* the certificate alone */
#define SOFT_ALWAYS_AUTH    (1u << 1) /* CKA_ALWAYS_AUTHENTICATE */
#define SOFT_NO_PUBLIC      (1u << 2) /* no public key object */
#define SOFT_NO_SIGN        (1u << 3) /* CKA_SIGN false */
#define SOFT_VISIBLE_KEY    (1u << 4) /* CKA_PRIVATE false */
#define SOFT_NO_CERTIFICATE (1u << 5)

typedef struct SoftObject {
    const TestKey *key;
    const char *label;
    uint8_t id;     /* CKA_ID of the certificate, 0: none */
    uint8_t key_id; /* CKA_ID of the key objects, 0: as the certificate */
    unsigned flags;
} SoftObject;

/* Path of the module, NULL when SoftHSM is not installed. */
const char *soft_module(void);
/* Writes the configuration and sets SOFTHSM2_CONF. */
void soft_folder(const char *folder);
/*
 * Makes a token with these objects, in a process of its own, so that neither PIN nor key passes through this one's
 * memory by way of SoftHSM.
 */
void soft_token_make(const char *label, const uint8_t *pin, size_t pin_size, const SoftObject *objects, size_t n);

#endif
