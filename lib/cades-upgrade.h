/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a finished B-B message to the higher levels: what is added goes into the unsigned attributes and into the two
 * fields of SignedData, and changes nothing that was signed or stamped before. Each function reads a message in DER and
 * gives a new one, malloc()ed.
 *
 * Return values: 0, -ENOMEM, or EONAY_ERROR_SIGNATURE_INVALID when the message, or what is to be added, cannot be read.
 * Nothing is verified here: callers verify stamps (timestamp.h) and revocation material (ocsp.h, crl.h) before.
 */
#ifndef EONAY_CADES_UPGRADE_H
#define EONAY_CADES_UPGRADE_H

#include "cades-level.h"
#include "cades.h"

/* What shows that a chain stood: certificates, CRLs and OCSPResponses (RFC 6960), each whole in DER. */
typedef struct CadesEvidence {
    const CadesBlob *certificates;
    size_t n_certificates;
    const CadesBlob *crls;
    size_t n_crls;
    const CadesBlob *ocsps;
    size_t n_ocsps;
} CadesEvidence;

/* The same signature without the content in it, and the content (points into der). */
int cades_detach(const uint8_t *der, size_t size, CadesBlob *ret_content, uint8_t **ret, size_t *ret_size);

/* The bytes whose hash a signature time stamp stamps: the signature value. Points into der. */
int cades_signature_value(const uint8_t *der, size_t size, CadesBlob *ret);
/* Adds a signature-time-stamp (EN 319 122-1 section 5.3). token: the TimeStampToken. */
int cades_add_signature_stamp(const uint8_t *der, size_t size, const CadesBlob *token, uint8_t **ret, size_t *ret_size);
/* B-LT: into SignedData.certificates and .crls, OCSP responses as RFC 5940 wants them. What is there is kept, once. */
int cades_add_fields(const uint8_t *der, size_t size, const CadesEvidence *evidence, uint8_t **ret, size_t *ret_size);

/*
 * One certificate of the signer's path and what tells of its revocation, for ES-X Long: the signer's first, then its
 * issuer and so on to the anchor. Of crl and ocsp either or none is given (the anchor has none).
 */
typedef struct CadesPathStep {
    CadesBlob certificate;
    CadesBlob crl;
    CadesBlob ocsp;
} CadesPathStep;

/*
 * P3, P4: complete-certificate-references, complete-revocation-references, certificate-values and revocation-values
 * (TS 101 733 sections 6.2 and 6.3; EN 319 122-1 annex A.1). `also` holds the material of the time stamp's own path,
 * which goes into the values alone; it may be NULL.
 */
int cades_add_values(const uint8_t *der, size_t size, const CadesPathStep *path, size_t n_path,
                     const CadesEvidence *also, uint8_t **ret, size_t *ret_size);

/*
 * archive-time-stamp-v3 (EN 319 122-1 section 5.5). First the index of everything there is, and the imprint to be
 * stamped (SHA-256): then the token for that imprint is added together with the same index, before anything else is.
 */
typedef struct CadesArchive {
    uint8_t *index; /* ATSHashIndexV3, DER, malloc()ed */
    size_t index_size;
    uint8_t imprint[32];
} CadesArchive;

int cades_archive_begin(const uint8_t *der, size_t size, CadesArchive *ret);
int cades_archive_finish(const uint8_t *der, size_t size, const CadesArchive *archive, const CadesBlob *token,
                         uint8_t **ret, size_t *ret_size);
void cades_archive_clear(CadesArchive *archive);

/* The level that the message's structure claims; whether it is true is for verification to say. -1: none of them. */
int cades_level_claimed(const uint8_t *der, size_t size);

#endif
