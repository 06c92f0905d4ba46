/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An evidence container (ASiC-E, ETSI EN 319 162-1 section 4.4) as `eonayctl export` writes it, and no other: a ZIP
 * file whose entries are stored one after the other, and a manifest that says in its one form what the files are.
 * Whatever differs by a byte is refused, so that neither a decompressor nor an XML parser has to be here.
 */
#ifndef EONAY_CONTAINER_H
#define EONAY_CONTAINER_H

#include <glib.h>

#define EVIDENCE_CONTAINER_MAX   (8u << 20) /* bytes */
#define EVIDENCE_FILES_MAX       40u        /* of texts and signatures, and what belongs to them */
#define EVIDENCE_RECORD_SIZE_MAX (64u * 1024)
#define EVIDENCE_NAME_MAX        64u

typedef struct EvidenceFile {
    char *name;
    GBytes *bytes; /* keeps the container's bytes */
} EvidenceFile;

/* NULL and the files in their order (EvidenceFile*), or why it is none (static, English). */
const char *evidence_container_open(GBytes *container, GPtrArray **ret);
/* NULL when there is none of that name; borrowed. */
GBytes *evidence_file_find(const GPtrArray *files, const char *name);

GBytes *evidence_manifest(const GPtrArray *files);
GBytes *evidence_stamp(const GPtrArray *files);
GBytes *evidence_record(const GPtrArray *files);

#endif
