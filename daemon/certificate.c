/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <string.h>

#include "bus-util.h"
#include "names.h"
#include "revocation-cache.h"
#include "token.h"
#include "util.h"

/* What we like best first: the hash that fits the key, PKCS#1 v1.5 before PSS because every verifier knows it. */
static const uint32_t preferred_mechanisms[] = {
    EONAY_MECH_ECDSA_SHA256,     EONAY_MECH_ECDSA_SHA384,     EONAY_MECH_ECDSA_SHA512,
    EONAY_MECH_RSA_PKCS1_SHA256, EONAY_MECH_RSA_PSS_SHA256,   EONAY_MECH_RSA_PKCS1_SHA384,
    EONAY_MECH_RSA_PSS_SHA384,   EONAY_MECH_RSA_PKCS1_SHA512, EONAY_MECH_RSA_PSS_SHA512,
};

int certificate_new(Token *token, const void *der, size_t size, const char *label, uint32_t flags, Certificate **ret) {
    CertificateProfile *profile;
    int r = certificate_profile_new(der, size, &profile);
    if (r < 0)
        return r;
    Certificate *c = g_new0(Certificate, 1);
    g_autofree char *name = g_strdup_printf("%s/%s", token->path, profile->fingerprint);
    g_autofree char *id = manager_keyed_id(token->manager, "certificate", name);
    c->manager = token->manager;
    c->token = token;
    c->path = g_strdup_printf("%s/%s", EONAY_PATH_CERTIFICATE, id);
    c->label = g_strdup(label);
    c->flags = flags;
    c->profile = profile;
    *ret = c;
    return 0;
}

void certificate_free(Certificate *c) {
    if (!c)
        return;
    certificate_profile_free(c->profile);
    g_free(c->path);
    g_free(c->label);
    g_free(c);
}

Certificate *certificate_find(Manager *m, const char *path, const User *user) {
    Certificate *c = g_hash_table_lookup(m->certificates, path);
    return c && token_visible(c->token, user) ? c : NULL;
}

uint32_t certificate_mechanism(const Certificate *c) {
    uint32_t both = c->profile->mechanisms & c->token->mechanisms;
    for (size_t i = 0; i < G_N_ELEMENTS(preferred_mechanisms); i++)
        if (both & preferred_mechanisms[i])
            return preferred_mechanisms[i];
    return 0;
}

uint32_t certificate_reasons(const Certificate *c, const char *subject) {
    uint32_t reasons = certificate_profile_reasons_at(c->profile, g_get_real_time());
    if (reasons & CERTIFICATE_REASON_MALFORMED)
        return reasons;
    if (!(c->flags & (EONAY_CERT_HAS_KEY | EONAY_CERT_KEY_UNKNOWN)))
        reasons |= CERTIFICATE_REASON_NO_PRIVATE_KEY;
    if (c->flags & EONAY_CERT_KEY_NO_SIGN)
        reasons |= CERTIFICATE_REASON_KEY_CANNOT_SIGN;
    if (c->profile->mechanisms && !certificate_mechanism(c))
        reasons |= CERTIFICATE_REASON_MECHANISM;
    if (c->token->flags & EONAY_TOKEN_PIN_LOCKED)
        reasons |= CERTIFICATE_REASON_PIN_LOCKED;
    switch (revocation_cache_status(c->manager->revocations, c->profile->fingerprint,
                                    g_get_real_time() / (int64_t)USEC_PER_SEC)) {
    case REVOCATION_REVOKED:
        reasons |= CERTIFICATE_REASON_REVOKED;
        break;
    case REVOCATION_SUSPENDED:
        reasons |= CERTIFICATE_REASON_SUSPENDED;
        break;
    case REVOCATION_GOOD:
    case REVOCATION_UNKNOWN:
        break;
    }
    if (*c->token->state)
        reasons |= CERTIFICATE_REASON_TOKEN_NOT_READY;
    if (subject && *subject && g_strcmp0(subject, c->profile->national_id) != 0)
        reasons |= CERTIFICATE_REASON_WRONG_SUBJECT;
    return reasons;
}

static char **reason_names(uint32_t reasons) {
    GPtrArray *names = g_ptr_array_new();
    for (unsigned bit = 0; bit < 32; bit++)
        if (reasons & (1u << bit))
            g_ptr_array_add(names, g_strdup(certificate_reason_name(1u << bit)));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static int append_more(const CertificateProfile *p, sd_bus_message *m) {
    int r = bus_append_strv(m, "KeyUsage", p->key_usage);
    if (r >= 0)
        r = bus_append_strv(m, "Policies", p->policies);
    return r < 0 ? r : bus_append_strv(m, "QcStatements", p->qc_statements);
}

int certificate_append(const Certificate *c, sd_bus_message *m, bool more) {
    const CertificateProfile *p = c->profile;
    uint32_t reasons = certificate_reasons(c, NULL);
    g_auto(GStrv) names = reason_names(reasons);
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 ||
        (r = bus_append_string(m, "Fingerprint", p->fingerprint)) < 0 ||
        (r = bus_append_string(m, "Subject", p->subject)) < 0 || (r = bus_append_string(m, "Issuer", p->issuer)) < 0 ||
        (r = bus_append_string(m, "SerialNumber", p->serial_number)) < 0 ||
        (r = bus_append_u64(m, "NotBefore", (uint64_t)p->not_before)) < 0 ||
        (r = bus_append_u64(m, "NotAfter", (uint64_t)p->not_after)) < 0 ||
        (r = bus_append_string(m, "KeyType", p->key_type)) < 0 ||
        (r = bus_append_bool(m, "Qualified", p->qualified)) < 0 ||
        (r = bus_append_bool(m, "Usable", reasons == 0)) < 0 || (r = bus_append_strv(m, "Reasons", names)) < 0 ||
        (r = bus_append_string(m, "Label", c->label)) < 0 || (r = bus_append_path(m, "Token", c->token->path)) < 0 ||
        (r = bus_append_bytes(m, "Der", p->der, p->der_size)) < 0)
        return r;
    if (more && (r = append_more(p, m)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}
