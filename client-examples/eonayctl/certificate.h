/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as ListCertificates gives them: found by fingerprint or path, and their reasons in words. */
#ifndef EONAYCTL_CERTIFICATE_H
#define EONAYCTL_CERTIFICATE_H

#include <jansson.h>

#include "ctl.h"

#define FINGERPRINT_SHORT 16u /* hex digits shown */
#define FINGERPRINT_LEAST 8u  /* hex digits that may name a certificate */

/* What ListCertificates is asked for; all NULL or false: everything. */
typedef struct CertificateFilter {
    bool usable;
    const char *token;
    const char *purpose;
} CertificateFilter;

/* An array of objects, each with its object path under "Path". Returns 0 or a CtlExit after saying why. */
int certificate_list(Ctl *ctl, const CertificateFilter *filter, json_t **ret);
/* The same without saying anything: 0, or a negative errno with *error set. */
int certificate_list_quietly(Ctl *ctl, const CertificateFilter *filter, json_t **ret, sd_bus_error *error);

/* A reason's name in the user's words; an unknown one as it is. */
const char *certificate_reason(const char *name);
/* All reasons of a certificate, separated by commas; "" when it is usable. Release with g_free(). */
char *certificate_reasons(const json_t *certificate);

/* Whether the name (an object path, or the beginning of a fingerprint, colons allowed) means this certificate. */
bool certificate_is_named(const json_t *certificate, const char *name);

#endif
