/* SPDX-License-Identifier: Apache-2.0 */
/* The private key that belongs to a certificate. */
#ifndef EONAY_TOKEN_PKCS11_KEY_H
#define EONAY_TOKEN_PKCS11_KEY_H

#include "pkcs11.h"

typedef struct Key {
    CK_OBJECT_HANDLE object;
    CK_KEY_TYPE type;         /* CKK_RSA or CKK_EC */
    size_t size;              /* bytes of the RSA modulus or of the curve's order */
    bool always_authenticate; /* wants the PIN again for each signature */
} Key;

/*
 * Finds the key of a certificate (DER) in a session that is logged in. Errors: NO_CERTIFICATE when there is no such
 * key, MECHANISM_UNSUPPORTED when it is neither RSA nor EC or may not sign, TOKEN_REMOVED, PLUGIN_FAILED.
 */
int key_find(Pkcs11 *c, CK_SESSION_HANDLE session, const uint8_t *der, size_t der_size, Key *ret);

/* EONAY_CERT_* flags of a certificate with this CKA_ID, as far as a session without login shows. */
uint32_t key_flags_by_id(const Pkcs11 *c, CK_SESSION_HANDLE session, const CK_TOKEN_INFO *token, const uint8_t *id,
                         size_t id_size);

/* Forgets what key_find() remembered. */
void key_close(Pkcs11 *c);

#endif
