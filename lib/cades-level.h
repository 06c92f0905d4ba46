/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The levels a signature can have: ETSI EN 319 122-1's baseline levels, and the profiles P1-P4 of the Turkish guide to
 * the use of electronic signatures (BTK, 2012), which stand on TS 101 733. A B-LT carries its material in SignedData's
 * own fields, P3 and P4 in unsigned attributes (ES-X Long): neither is the other.
 */
#ifndef EONAY_CADES_LEVEL_H
#define EONAY_CADES_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum CadesMaterial {
    CADES_MATERIAL_NONE,
    CADES_MATERIAL_FIELDS, /* SignedData.certificates and .crls (EN 319 122-1 section 6.3) */
    CADES_MATERIAL_VALUES, /* references and values as unsigned attributes (TS 101 733 ES-X Long) */
} CadesMaterial;

/* What tells whether the certificates stood. */
typedef enum CadesRevocation {
    CADES_REVOCATION_NONE,
    CADES_REVOCATION_ANY,  /* OCSP, else CRL */
    CADES_REVOCATION_CRL,  /* a CRL issued after the signature (the grace period) */
    CADES_REVOCATION_OCSP, /* OCSP only */
} CadesRevocation;

/* X(ID, "name", POLICY arc below 2.16.792.1.61.0.1.5070.3 or 0, STAMP, MATERIAL, ARCHIVE, REVOCATION) */
#define CADES_LEVEL_TABLE(X)                                                                                           \
    X(B_B, "B-B", 0, false, NONE, false, NONE)                                                                         \
    X(B_T, "B-T", 0, true, NONE, false, ANY)                                                                           \
    X(B_LT, "B-LT", 0, true, FIELDS, false, ANY)                                                                       \
    X(B_LTA, "B-LTA", 0, true, FIELDS, true, ANY)                                                                      \
    X(P1, "P1", 0, false, NONE, false, ANY)                                                                            \
    X(P2, "P2", 1, true, NONE, false, CRL)                                                                             \
    X(P3, "P3", 2, true, VALUES, false, CRL)                                                                           \
    X(P4, "P4", 3, true, VALUES, false, OCSP)

typedef enum CadesLevel {
#define CADES_LEVEL_ENUM_(id, name, policy, stamp, material, archive, revocation) CADES_LEVEL_##id,
    CADES_LEVEL_TABLE(CADES_LEVEL_ENUM_)
#undef CADES_LEVEL_ENUM_
        CADES_N_LEVELS,
} CadesLevel;

typedef struct CadesLevelTraits {
    const char *name;
    uint8_t policy; /* 0: none; 1, 2, 3: the policy of P2, P3, P4 */
    bool stamp;     /* a signature time stamp */
    CadesMaterial material;
    bool archive; /* an archive time stamp over all of it */
    CadesRevocation revocation;
} CadesLevelTraits;

const CadesLevelTraits *cades_level_traits(CadesLevel level);
/* By its exact name. */
bool cades_level_find(const char *name, CadesLevel *ret);

/*
 * The signature policies of the guide: one document for all of them, known by its SHA-256 hash. `policy` is 1, 2 or 3.
 * The identifier as OID contents; 0.
 */
#define CADES_POLICY_URI       "http://www.eimza.gov.tr/EimzaPolitikalari/216792161015070321.pdf"
#define CADES_POLICY_HASH_SIZE 32
extern const uint8_t cades_policy_hash[CADES_POLICY_HASH_SIZE];

#endif
