/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11 objects are found by templates and read one attribute at a time, since one bad attribute spoils a whole call.
 */
#include "object.h"

CK_RV object_find(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, size_t n_attributes,
                  CK_OBJECT_HANDLE *ret, size_t max, size_t *ret_n) {
    size_t n = 0;

    CK_RV rv = c->f->C_FindObjectsInit(session, attributes, n_attributes);
    if (rv != CKR_OK)
        return rv;
    while (n < max) {
        CK_ULONG found = 0;
        rv = c->f->C_FindObjects(session, ret + n, max - n, &found);
        if (rv != CKR_OK || found == 0 || found > max - n)
            break;
        n += found;
    }
    c->f->C_FindObjectsFinal(session);
    if (rv == CKR_OK)
        *ret_n = n;
    return rv;
}

CK_RV object_find_by_id(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const uint8_t *id,
                        size_t id_size, CK_OBJECT_HANDLE *ret, size_t max, size_t *ret_n) {
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_ID, (void *)(uintptr_t)id, id_size},
    };
    return object_find(c, session, attributes, id ? 2 : 1, ret, max, ret_n);
}

bool object_read(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 uint8_t **ret, size_t *ret_size) {
    CK_ATTRIBUTE attribute = {type, NULL, 0};

    if (c->f->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || attribute.ulValueLen == 0 ||
        attribute.ulValueLen > ATTRIBUTE_MAX)
        return false;
    size_t room = attribute.ulValueLen;
    _cleanup_free_ uint8_t *value = malloc(room);
    if (!value)
        return false;
    attribute.pValue = value;
    if (c->f->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || attribute.ulValueLen == 0 ||
        attribute.ulValueLen > room)
        return false;
    *ret = value;
    *ret_size = attribute.ulValueLen;
    value = NULL;
    return true;
}

bool object_is(const Pkcs11 *c, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
               bool otherwise) {
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};

    if (c->f->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || attribute.ulValueLen != sizeof(value))
        return otherwise;
    return value != CK_FALSE;
}
