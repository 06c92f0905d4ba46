/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: ECDSA signature values, as tokens return them (r||s or DER) and as CMS wants them (DER). */
#ifndef EONAY_LIB_ECDSA_VALUE_H
#define EONAY_LIB_ECDSA_VALUE_H

#include "der.h"

/* Whether it is a DER Ecdsa-Sig-Value (RFC 3279 section 2.2.3) of two positive numbers of at most so many bits. */
bool ecdsa_value_is_der(DerBytes value, unsigned bits);
/* Whether it can be r||s, each as long as the curve's order. */
bool ecdsa_value_is_raw(DerBytes value, unsigned bits);
/* Appends the DER form of r||s. */
void ecdsa_value_append(DerBuffer *b, DerBytes raw);

#endif
