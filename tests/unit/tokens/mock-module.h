/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#11 module that does what SoftHSM never does: lock PINs, lose cards, lie. The test scripts it through `mock`.
 */
#ifndef EONAY_TEST_MOCK_MODULE_H
#define EONAY_TEST_MOCK_MODULE_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>

#define MOCK_SLOTS 5

typedef struct MockSlot {
    bool present;
    CK_RV slot_info, token_info, open_session; /* what these functions answer */
    CK_FLAGS flags;
    unsigned char label[33], serial[17]; /* put into the token's info as they are */
    CK_ULONG pin_min, pin_max;
} MockSlot;

typedef struct Mock {
    /* The script. */
    bool any_arguments; /* else C_Initialize takes NULL only, whether initialised or not */
    bool gap;           /* C_Sign is missing */
    CK_RV function_list, sign, leftover_login;
    CK_ULONG absurd_slots, absurd_mechanisms, absurd_attribute, absurd_signature;
    MockSlot slots[MOCK_SLOTS];
    char pin[32];
    int tries; /* 3, then 2 … 0: locked */
    const unsigned char *certificate, *modulus;
    size_t certificate_size, modulus_size;
    bool key_visible, always_authenticate, bad_certificates, endless_objects;

    /* What happened. */
    int initialized, finalized, logins, logouts, sessions, null_pins, context_logins;
    bool logged_in, sign_active;
} Mock;

#endif
