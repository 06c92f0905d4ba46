/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ASiC-E with a time assertion (ETSI EN 319 162-1 section 4.4): any files, META-INF/ASiCManifest001.xml with the
 * SHA-256 of each of them, and a time-stamp token (RFC 3161) over that manifest. The citizen's signatures are among the
 * files, as they are.
 */
#ifndef EONAYCTL_ASICE_H
#define EONAYCTL_ASICE_H

#include <stdint.h>

#include "container.h"

#define ASICE_MIMETYPE "application/vnd.etsi.asic-e+zip"
#define ASICE_MANIFEST "META-INF/ASiCManifest001.xml"
#define ASICE_STAMP    "META-INF/timestamp001.tst"

/* SHA-256 of the bytes, into 32 bytes. */
void asice_digest(GBytes *bytes, uint8_t ret[32]);

/* The manifest of these files. */
int asice_manifest(const GPtrArray *files, GBytes **ret);
/* The container with a token over that manifest. -EIO when libzip fails. */
int asice_make(const GPtrArray *files, GBytes *manifest, GBytes *token, GBytes **ret);

/*
 * Opens a container and holds it against its manifest: NULL when each file is named there once, has that digest, and
 * nothing else is in it; or why not (English, translated when shown), *ret_name (g_free()): which file, or NULL. The
 * token is not judged. ret_files holds all files, ASICE_MANIFEST and ASICE_STAMP among them.
 */
const char *asice_open(GBytes *zip, size_t max, GPtrArray **ret_files, char **ret_name);

#endif
