/* SPDX-License-Identifier: Apache-2.0 */
/* The content is not among what is signed, its digest is: a message without it is the same signature, detached. */
#include "cades-build.h"
#include "eonay/plugin.h"

int cades_detach(const uint8_t *der, size_t size, CadesBlob *ret_content, uint8_t **ret, size_t *ret_size) {
    Message m;
    MessageGrowth g;
    if (message_parse((DerBytes){der, size}, &m) || m.n_signers != 1 || !m.has_content)
        return EONAY_ERROR_SIGNATURE_INVALID;
    *ret_content = (CadesBlob){m.content.p, m.content.n};
    m.has_content = false;
    message_growth_init(&g, &m);
    int r = message_write(&m, &g, ret, ret_size);
    message_growth_clear(&g);
    return r;
}
