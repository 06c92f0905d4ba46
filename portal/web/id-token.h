/* SPDX-License-Identifier: Apache-2.0 */
/* The ID token of OpenID Connect Core 1.0, section 3.1.3.7: signed by the provider, for us, now, for this attempt. */
#ifndef EONAY_PORTAL_ID_TOKEN_H
#define EONAY_PORTAL_ID_TOKEN_H

#include "login-internal.h"

/* How far the provider's clock may be from ours. */
#define ID_TOKEN_SKEW_SECONDS 60

/* The claims, or NULL with *ret_result and the fault set. Algorithms: RS256, PS256, ES256; never none, never a shared
 * secret. */
json_t *id_token_verify(const LoginProvider *p, const char *token, const char *nonce, LoginResult *ret_result,
                        LoginFault *fault);

#endif
