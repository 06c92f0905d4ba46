/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ASiC-S with CAdES (ETSI EN 319 162-1 section 4.3): one text and the citizen's signature over it in one ZIP file that
 * other programs verify: mimetype first and stored, the text, META-INF/signature.p7s without the text in it. Beside
 * them META-INF/record.json, the daemon's record of the consent, which nobody signed.
 *
 * asice.h makes the other form, in which a time stamp is over all that is kept.
 */
#ifndef EONAYCTL_ASIC_H
#define EONAYCTL_ASIC_H

#include <glib.h>
#include <stdbool.h>

#define ASIC_TEXT      "consent.txt"
#define ASIC_SIGNATURE "META-INF/signature.p7s"
#define ASIC_RECORD    "META-INF/record.json"

/* signature: attached, over the text, DER. -EBADMSG when it is none, -EIO when libzip fails. */
int asic_make(GBytes *signature, GBytes *record, GBytes **ret);
/* Whether these bytes begin like a ZIP file. */
bool asic_is(const void *bytes, size_t size);
/* The text and the detached signature. -EBADMSG when it is no ASiC-S, -EFBIG when a part is above max. */
int asic_open(GBytes *container, size_t max, GBytes **ret_text, GBytes **ret_signature);

#endif
