/* SPDX-License-Identifier: Apache-2.0 */
/* One signature of a consent, judged by the authority. */
#ifndef CA_LOCAL_JUDGEMENT_H
#define CA_LOCAL_JUDGEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "consent.h"

/*
 * Verifies the signature over the consent's text at that position: the bytes, the chain to the trust anchors, the
 * signing time, the suitability of the certificate now. The signer's T.C. identity number goes to ret_subject.
 * Error: BACKEND_REJECTED, with the reason.
 */
int judgement_make(Ca *ca, const Consent *c, size_t position, const uint8_t *der, size_t size, int64_t now,
                   char ret_subject[CA_SUBJECT_SIZE]);

#endif
