/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and revocation lists from files of people: PEM with any number of them. */
#ifndef EONAYCTL_PEM_H
#define EONAYCTL_PEM_H

#include <glib.h>

#include "cades.h"

#define PEM_OBJECTS_MAX 256u

typedef struct PemObjects {
    CadesBlob *blobs; /* DER */
    size_t n;
    GPtrArray *bytes; /* owns them */
} PemObjects;

typedef enum PemKind {
    PEM_CERTIFICATES,
    PEM_LISTS,
} PemKind;

/* Reads a file of this kind; -ENODATA when there is none of it in it, else an errno. */
int pem_read(const char *path, PemKind kind, PemObjects *ret);
void pem_clear(PemObjects *o);

#endif
