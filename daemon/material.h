/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The validation material of one certificate: its path to a trust anchor (issuers that are not at hand are fetched from
 * where the certificates say), and for each step of it what tells whether it was revoked. All of it is verified.
 */
#ifndef EONAY_MATERIAL_H
#define EONAY_MATERIAL_H

#include "cades-level.h"
#include "cades-path.h"
#include "fetch.h"
#include "revocation.h"

typedef struct MaterialStep {
    GBytes *certificate;
    GBytes *crl, *ocsp; /* one of them, none for the anchor */
    RevocationAnswer answer;
} MaterialStep;

typedef struct Material {
    MaterialStep step[CADES_PATH_MAX]; /* the certificate first, the anchor last */
    size_t n;
} Material;

typedef struct Collection Collection;

/*
 * fault: 0 when every step stands. CERTIFICATE_REVOKED, CERTIFICATE_SUSPENDED; REVOCATION_UNKNOWN when something does
 * not answer; CERTIFICATE_NOT_SUITABLE when there is no path. material is borrowed, NULL with a fault.
 */
typedef void (*MaterialHandler)(const Fault *fault, const Material *material, void *userdata);

typedef struct MaterialWish {
    GBytes *certificate;
    CadesBlob contained; /* certificates that may help, one behind the other; used before this returns and kept */
    CadesRevocation revocation;
    bool time_stamping; /* it is a time-stamp authority's */
    int64_t not_before; /* seconds UTC: the certificate's own answer must not be older; waits until there is one */
    uint64_t deadline;  /* CLOCK_BOOTTIME, microseconds: not longer */
} MaterialWish;

/* Positive: LEVEL_UNREACHABLE, there is no trust anchor. The handler is called later than this returns. */
int material_collect(Manager *m, const MaterialWish *wish, MaterialHandler handler, void *userdata, Collection **ret);
/* Gives up; the handler is not called. NULL is fine. Returns NULL. */
Collection *collection_cancel(Collection *c);

Material *material_copy(const Material *m);
void material_free(Material *m);
/* Lets go of what is in it. */
void material_clear(Material *m);

#endif
