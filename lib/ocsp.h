/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSP (RFC 6960): the request about one certificate, and the answer judged. An answer counts when it was signed by the
 * certificate's issuer, or by a responder whose certificate that same issuer signed for OCSP signing and that was valid
 * when the answer was made; when it speaks of this certificate; and when its times fit. Whether the responder's own
 * certificate was revoked is for the caller to ask where the answer says so (delegate_revocable).
 */
#ifndef EONAY_OCSP_H
#define EONAY_OCSP_H

#include "revocation.h"

#define OCSP_NONCE_SIZE 16

/* certificate, issuer: DER. 0, -EINVAL when one cannot be read, -ENOMEM. */
int ocsp_request(const CadesBlob *certificate, const CadesBlob *issuer, const uint8_t *nonce, size_t nonce_size,
                 uint8_t **ret, size_t *ret_size);
/* The certificate that an answer was signed with, where it is not the issuer's own: malloc()ed DER. 0, -ENOENT,
 * -ENOMEM. */
int ocsp_responder(const CadesBlob *response, const CadesBlob *issuer, uint8_t **ret, size_t *ret_size);
/* response: an OCSPResponse or a BasicOCSPResponse. NULL, or why it does not count (static); then *ret's status is
 * REVOCATION_UNKNOWN. */
const char *ocsp_verify(const CadesBlob *response, const CadesBlob *certificate, const CadesBlob *issuer,
                        const RevocationExpectation *e, RevocationAnswer *ret);

#endif
