/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate on a token: what lib/certificate-profile.h knows of it, and what the token adds. */
#ifndef EONAY_CERTIFICATE_H
#define EONAY_CERTIFICATE_H

#include "certificate-profile.h"
#include "client.h"

typedef struct Certificate {
    Manager *manager;
    struct Token *token;
    char *path; /* object path */
    char *label;
    uint32_t flags; /* EONAY_CERT_* */
    CertificateProfile *profile;
    bool seen; /* in the listing being read */
    bool announced;
} Certificate;

int certificate_new(struct Token *token, const void *der, size_t size, const char *label, uint32_t flags,
                    Certificate **ret);
void certificate_free(Certificate *c);

/* NULL when there is none, or it is on another user's file. */
Certificate *certificate_find(Manager *m, const char *path, const User *user);

/* Why it cannot be used now: CertificateReason bits; 0: usable. subject: the consent's T.C. identity number, or NULL.
 */
uint32_t certificate_reasons(const Certificate *c, const char *subject);
/* The EonayMechanism to sign with: by the key, the policy and the token; 0 when there is none. */
uint32_t certificate_mechanism(const Certificate *c);

/* Appends an a{sv}, as in ListCertificates; more: with key usage, policies and statements. */
int certificate_append(const Certificate *c, sd_bus_message *m, bool more);

/* The D-Bus face (certificate-bus.c). */
int certificates_export(Manager *m);

#endif
