/* SPDX-License-Identifier: Apache-2.0 */
/* What an OpenID Connect provider publishes about itself: its addresses (Discovery 1.0) and its keys (RFC 7517). */
#ifndef EONAY_PORTAL_OIDC_PROVIDER_H
#define EONAY_PORTAL_OIDC_PROVIDER_H

#include "login-internal.h"

/* The discovery document, asked for again after ten minutes. A reference for the caller, or NULL with a fault. Its
 * issuer is the one configured, or there is none. */
json_t *oidc_metadata(const LoginProvider *p, FetchFault *fault);
/* What the header of a token says about the key that signed it. */
typedef struct OidcKeyWanted {
    const char *kid;       /* NULL: the only one that fits */
    const char *type;      /* "RSA", "EC" */
    const char *algorithm; /* a key that names one is good for no other */
} OidcKeyWanted;

/* The key for signatures that is wanted. A key set without it is asked for again, at most once in thirty seconds. */
json_t *oidc_key(const LoginProvider *p, const OidcKeyWanted *wanted, FetchFault *fault);

#endif
