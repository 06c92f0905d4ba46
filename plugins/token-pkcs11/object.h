/* SPDX-License-Identifier: Apache-2.0 */
/* Objects on a token: searching for them and reading their attributes, with bounds on all that the module answers. */
#ifndef EONAY_TOKEN_PKCS11_OBJECT_H
#define EONAY_TOKEN_PKCS11_OBJECT_H

#include "pkcs11.h"

/* Searches; *ret_n is at most `max`. */
CK_RV object_find(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, size_t n_attributes,
                  CK_OBJECT_HANDLE *ret, size_t max, size_t *ret_n);
/* Objects of a class, with this CKA_ID where `id` is not NULL. */
CK_RV object_find_by_id(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const uint8_t *id,
                        size_t id_size, CK_OBJECT_HANDLE *ret, size_t max, size_t *ret_n);
/* One attribute's value, malloc()ed; false when it is absent, empty, hidden or larger than ATTRIBUTE_MAX. */
bool object_read(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 uint8_t **ret, size_t *ret_size);
/* A CK_BBOOL attribute, `otherwise` when it cannot be read. */
bool object_is(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
               bool otherwise);

#endif
