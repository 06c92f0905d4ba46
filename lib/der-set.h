/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: a SET OF being put together (X.690 section 11.6): elements in DER's order, each once. */
#ifndef EONAY_LIB_DER_SET_H
#define EONAY_LIB_DER_SET_H

#include "der.h"

#define DER_SET_MAX 512

typedef struct DerSet {
    DerBytes element[DER_SET_MAX]; /* whole elements, not owned */
    size_t n;
    bool failed; /* there were more than fit, or something that is no element */
} DerSet;

void der_set_add(DerSet *s, DerBytes element);
/* Every element of a SET's or SEQUENCE's contents. */
void der_set_add_all(DerSet *s, DerBytes contents);
/* Sorts, leaves doubles out, and appends all. */
void der_set_append(DerSet *s, DerBuffer *b);

#endif
