/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside lib/ only: chains found good, remembered whole. That their signatures are right does not change; whether all
 * of them are valid at a moment and whether the anchor is trusted is asked each time. Nothing about revocation is
 * remembered.
 */
#ifndef EONAY_LIB_VERIFY_MEMO_H
#define EONAY_LIB_VERIFY_MEMO_H

#include "verify-internal.h"

/* A copy of the chain of this very leaf to one of the request's anchors, all of it valid then. */
bool verify_memo_find(const VerifyRequest *request, const CadesBlob *leaf, int purpose, int64_t at, VerifyChain *ret);
void verify_memo_add(const VerifyChain *chain, int purpose);

#endif
