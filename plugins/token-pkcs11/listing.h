/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and certificates, read without a PIN. */
#ifndef EONAY_TOKEN_PKCS11_LISTING_H
#define EONAY_TOKEN_PKCS11_LISTING_H

#include "pkcs11.h"

/* Visits every token with its certificates. Errors: PLUGIN_FAILED, or what the visitor returns. */
int listing_visit(Pkcs11 *c, const EonayTokenVisitor *visitor);

#endif
