/* SPDX-License-Identifier: Apache-2.0 */
/* ASiCManifest, the XML of EN 319 162-1 annex A.4, as far as a container with one time stamp needs it. */
#ifndef EONAYCTL_ASICE_MANIFEST_H
#define EONAYCTL_ASICE_MANIFEST_H

#include <glib.h>
#include <stdint.h>

#define ASICE_STAMP_TYPE "application/vnd.etsi.timestamp-token"

typedef struct AsiceReference {
    char *name;
    uint8_t digest[32]; /* SHA-256 */
} AsiceReference;

typedef struct AsiceManifest {
    char *stamp;           /* the file with the token */
    GPtrArray *references; /* AsiceReference* */
} AsiceManifest;

AsiceManifest *asice_manifest_new(void);
void asice_manifest_free(AsiceManifest *m);
void asice_manifest_add(AsiceManifest *m, const char *name, const uint8_t digest[32]);

/* -ENOMEM */
int asice_manifest_write(const AsiceManifest *m, GBytes **ret);
/* NULL when it is anything else than such a manifest: other elements, another hash, a document type, no XML. */
AsiceManifest *asice_manifest_read(GBytes *xml);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AsiceManifest, asice_manifest_free)

#endif
