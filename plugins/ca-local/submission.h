/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures delivered: verified completely, then recorded together with the approval and a receipt. */
#ifndef CA_LOCAL_SUBMISSION_H
#define CA_LOCAL_SUBMISSION_H

#include "ca.h"

/* EonayCaOps.submit. */
int submission_take(Ca *ca, const EonaySubmission *submission, EonayReceipt *ret);

#endif
