/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a consent, as GetTexts answers and ConfirmText brings them: checked, shown, named by their hashes. */
#ifndef EONAYCTL_TEXTS_H
#define EONAYCTL_TEXTS_H

#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

typedef struct ConsentText {
    char *title; /* harmless, one line */
    char *media_type;
    char *sha256;
    GBytes *bytes;
} ConsentText;

/*
 * Reads a(sssay) into ConsentText*. Returns 0, EONAY_ERROR_TEXT_MISMATCH when a hash is not that of its bytes or there
 * is no text, EONAY_ERROR_TEXT_UNSAFE, or a negative errno.
 */
int texts_read(sd_bus_message *m, GPtrArray **ret);
/* Appends their hashes as the option accept-text-sha256 to an open a{sv}. */
int texts_accept(sd_bus_message *m, const GPtrArray *texts);

/* Everything a signer must see: who asks, for what, until when, and every text in full. */
void texts_show(FILE *out, const GPtrArray *texts, const json_t *details);

#endif
