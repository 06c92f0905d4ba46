/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consent text of E-Onay, as authorities hand it out: the sentence of the signing screen of the E-Onay guide
 * (figure 10) with the line breaks of its display taken out, or another one, and under it what belongs to one citizen's
 * copy.
 *
 * Bytes are bytes: nothing is normalised, neither the dotted and dotless i nor the composition of characters.
 */
#ifndef EONAY_CONSENT_TEXT_H
#define EONAY_CONSENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSENT_TEXT_TITLE      "İmzalanacak Metin 1"
#define CONSENT_TEXT_MEDIA_TYPE "text/plain;charset=utf-8"
#define CONSENT_TEXT_VERSION    "e-onay-nes-1"
#define CONSENT_TEXT_MAX        65536u /* bytes of a body */

/* "R-XXXX-XXXX-XXXX-XXXX", and "27.08.2019 11:10:21" */
#define CONSENT_LABEL_SIZE         sizeof "R-XXXX-XXXX-XXXX-XXXX"
#define CONSENT_MOMENT_SIZE        sizeof "dd.MM.yyyy HH:mm:ss"
#define CONSENT_TEXT_VERSION_BYTES sizeof "sha256:0011223344556677"

extern const char consent_text_built_in[]; /* ends with a line feed */

/* The version of a text that was given none: changes when the text does. False when SHA-256 fails. */
bool consent_text_version(const void *body, size_t size, char ret[CONSENT_TEXT_VERSION_BYTES]);
/*
 * The exact bytes that one consent signs: the body, which ends with a line feed, an empty line, and the lines of
 * reference and creation time (microseconds UTC), so that a signature over it belongs to one consent and cannot be
 * presented for another. Released with free(). -ENOMEM.
 */
int consent_text_copy(const char *body, size_t size, const char *reference, int64_t created_at, uint8_t **ret_bytes,
                      size_t *ret_size);

/* As citizens read it: Europe/Istanbul, +03:00 all the year since 2016. */
void consent_moment(int64_t usec, char ret[CONSENT_MOMENT_SIZE]);

/*
 * A name with 80 random bits, of kind 'R' (receipt) or 'E' (reference). It is read out on the telephone: capital
 * letters and digits without I, L, O and U, in groups of four. No counter tells how many citizens consented. False
 * without randomness.
 */
bool consent_label(char kind, char ret[CONSENT_LABEL_SIZE]);

#endif
