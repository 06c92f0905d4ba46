/* SPDX-License-Identifier: Apache-2.0 */
#include "der-set.h"

#include <stdlib.h>

void der_set_add(DerSet *s, DerBytes element) {
    if (s->n == DER_SET_MAX) {
        s->failed = true;
        return;
    }
    s->element[s->n++] = element;
}

void der_set_add_all(DerSet *s, DerBytes contents) {
    DerElement element;
    while (contents.n > 0 && !s->failed) {
        if (der_read(&contents, &element))
            der_set_add(s, element.whole);
        else
            s->failed = true;
    }
}

static int element_compare(const void *a, const void *b) {
    return der_compare(*(const DerBytes *)a, *(const DerBytes *)b);
}

void der_set_append(DerSet *s, DerBuffer *b) {
    b->failed |= s->failed;
    qsort(s->element, s->n, sizeof(s->element[0]), element_compare);
    for (size_t i = 0; i < s->n; i++)
        if (i == 0 || !der_equal(s->element[i - 1], s->element[i]))
            der_append(b, s->element[i]);
}
