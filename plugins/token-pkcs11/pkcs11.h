/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this plugin share: one module, opened once, and the one login that may be under way.
 *
 * Functions return 0, a positive EonayError that fault() has recorded, or a negative errno.
 */
#ifndef EONAY_TOKEN_PKCS11_H
#define EONAY_TOKEN_PKCS11_H

#include <errno.h>
#include <libp11.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdlib.h>

#include "eonay/plugin.h"

#define TOKENS_MAX       64u
#define CERTIFICATES_MAX 64u
#define KEYS_MAX         256u
#define ATTRIBUTE_MAX    65536u
#define TOKEN_KEY_SIZE   160u

typedef struct PublicKey PublicKey;

typedef struct Pkcs11 {
    const EonayHost *host;
    CK_FUNCTION_LIST *f; /* the module's own */
    bool initialized;    /* by us, so that we finalise it */
    PKCS11_CTX *libp11;  /* the same module, seen through the fence */

    /* Where the last token asked for was found, so that a login need not walk over all slots again. */
    char known_key[TOKEN_KEY_SIZE];
    CK_SLOT_ID known_slot;
    /* The certificate last signed with, its public key taken apart, and the CKA_ID its private key had (key.c). */
    uint8_t *known_certificate;
    size_t known_certificate_size;
    PublicKey *known_public;
    uint8_t known_id[256];
    size_t known_id_size;

    /* From login() to logout(). */
    bool logged_in;
    CK_SESSION_HANDLE session;
    CK_SLOT_ID session_slot;
    char session_token[TOKEN_KEY_SIZE];
    bool session_pinpad;
} Pkcs11;

static inline void freep(void *p) {
    free(*(void **)p);
}
#define _cleanup_free_ __attribute__((cleanup(freep)))

/* Records what a PKCS#11 function answered and returns the condition it means (never 0). `what` names the function. */
int fault_ckr(const Pkcs11 *c, const char *what, CK_RV rv, int tries_left);
int fault_text(const Pkcs11 *c, EonayError code, const char *text);

#endif
