/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate is read once, into facts; each reason against it is one function over the parsed certificate that adds
 * its bits. What depends on the moment (validity, the policy's end) is left to certificate_profile_reasons_at(), so
 * that a cached profile never goes stale.
 */
#include "certificate-profile.h"

#include <errno.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "algorithm-policy.h"
#include "certificate-der.h"
#include "certificate-text.h"
#include "openssl-cleanup.h"
#include "qc-statements.h"
#include "signature-algorithm.h"
#include "signature.h"
#include "tckn.h"

#define USEC     1000000LL
#define LIST_MAX 64

/* Mali mühür, the fiscal seal: its policy and the extended key usages of its two certificates. */
#define OID_FISCAL_POLICY  "2.16.792.1.2.1.1.5.7.4.1"
#define OID_FISCAL_SIGN    "2.16.792.1.2.1.1.5.7.50.1"
#define OID_FISCAL_ENCRYPT "2.16.792.1.2.1.1.5.7.50.2"

#define MALFORMED CERTIFICATE_REASON_MALFORMED

static void strings_free(char **list) {
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

CertificateProfile *certificate_profile_free(CertificateProfile *p) {
    if (!p)
        return NULL;
    free(p->der);
    free(p->subject);
    free(p->common_name);
    free(p->issuer);
    free(p->serial_number);
    free(p->national_id);
    strings_free(p->key_usage);
    strings_free(p->policies);
    strings_free(p->qc_statements);
    free(p);
    return NULL;
}

static void certificate_profile_free_p(CertificateProfile **p) {
    certificate_profile_free(*p);
}

/* Appends to a NULL-terminated list of at most LIST_MAX; takes the string over. */
static int strings_add(char **list, char *string) {
    size_t n = 0;
    if (!string)
        return -ENOMEM;
    while (list[n])
        n++;
    if (n == LIST_MAX) {
        free(string);
        return 0;
    }
    list[n] = string;
    return 0;
}

/* ------------------------------------------------------------------------------------------------ extensions -- */

/*
 * The decoded extension in *ret, NULL when there is none; false when it is there twice or cannot be decoded, which
 * makes the certificate malformed (RFC 5280 section 4.2).
 */
static bool extension_read(X509 *x, int nid, void **ret) {
    int critical;
    *ret = X509_get_ext_d2i(x, nid, &critical, NULL);
    return *ret || critical == -1;
}

static bool bit_set(const ASN1_BIT_STRING *bits, int n) {
    return ASN1_BIT_STRING_get_bit(bits, n) != 0;
}

static const char *const key_usage_names[] = {
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly",
};
enum {
    DIGITAL_SIGNATURE,
    NON_REPUDIATION,
    KEY_ENCIPHERMENT,
    DATA_ENCIPHERMENT,
    KEY_AGREEMENT,
    KEY_CERT_SIGN,
    N_KEY_USAGES = sizeof(key_usage_names) / sizeof(key_usage_names[0]),
};

static int key_usage_read(CertificateProfile *p, X509 *x) {
    CLEANUP(ASN1_BIT_STRING_free_p) ASN1_BIT_STRING *usage = NULL;
    if (!extension_read(x, NID_key_usage, (void **)&usage)) {
        p->reasons |= MALFORMED;
        return 0;
    }
    if (!usage) {
        p->reasons |= CERTIFICATE_REASON_KEY_USAGE;
        return 0;
    }
    for (int i = 0; i < N_KEY_USAGES; i++)
        if (bit_set(usage, i) && strings_add(p->key_usage, strdup(key_usage_names[i])) < 0)
            return -ENOMEM;
    if (bit_set(usage, KEY_CERT_SIGN))
        p->reasons |= CERTIFICATE_REASON_IS_CA;
    if (bit_set(usage, NON_REPUDIATION) || bit_set(usage, DIGITAL_SIGNATURE) || bit_set(usage, KEY_CERT_SIGN))
        return 0;
    bool encryption = bit_set(usage, KEY_ENCIPHERMENT) || bit_set(usage, DATA_ENCIPHERMENT);
    p->reasons |= encryption ? CERTIFICATE_REASON_ENCRYPTION_ONLY : CERTIFICATE_REASON_KEY_USAGE;
    return 0;
}

static int basic_constraints_read(CertificateProfile *p, X509 *x) {
    CLEANUP(BASIC_CONSTRAINTS_free_p) BASIC_CONSTRAINTS *constraints = NULL;
    if (!extension_read(x, NID_basic_constraints, (void **)&constraints))
        p->reasons |= MALFORMED;
    else if (constraints && constraints->ca)
        p->reasons |= CERTIFICATE_REASON_IS_CA;
    return 0;
}

static int policies_read(CertificateProfile *p, X509 *x) {
    CLEANUP(CERTIFICATEPOLICIES_free_p) CERTIFICATEPOLICIES *policies = NULL;
    if (!extension_read(x, NID_certificate_policies, (void **)&policies))
        p->reasons |= MALFORMED;
    for (int i = 0; policies && i < sk_POLICYINFO_num(policies); i++) {
        char *oid = oid_text(sk_POLICYINFO_value(policies, i)->policyid);
        if (oid && strcmp(oid, OID_FISCAL_POLICY) == 0)
            p->reasons |= CERTIFICATE_REASON_SEAL;
        if (strings_add(p->policies, oid) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int extended_key_usage_read(CertificateProfile *p, X509 *x) {
    CLEANUP(EXTENDED_KEY_USAGE_free_p) EXTENDED_KEY_USAGE *usages = NULL;
    if (!extension_read(x, NID_ext_key_usage, (void **)&usages))
        p->reasons |= MALFORMED;
    for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages); i++) {
        char *oid = oid_text(sk_ASN1_OBJECT_value(usages, i));
        if (!oid)
            return -ENOMEM;
        if (strcmp(oid, OID_FISCAL_SIGN) == 0 || strcmp(oid, OID_FISCAL_ENCRYPT) == 0)
            p->reasons |= CERTIFICATE_REASON_SEAL;
        if (strcmp(oid, OID_FISCAL_ENCRYPT) == 0)
            p->reasons |= CERTIFICATE_REASON_ENCRYPTION_ONLY;
        free(oid);
    }
    return 0;
}

static int qc_statements_take(CertificateProfile *p, DerBytes value) {
    QcStatements q;
    int r = qc_statements_read(value, &q);
    for (size_t i = 0; r >= 0 && q.oids[i]; i++)
        if (strings_add(p->qc_statements, strdup(q.oids[i])) < 0)
            r = -ENOMEM;
    if (r == 1)
        p->reasons |= MALFORMED;
    p->qualified = r == 0 && q.compliance && q.national;
    if (q.seal)
        p->reasons |= CERTIFICATE_REASON_SEAL;
    qc_statements_clear(&q);
    return r < 0 ? r : 0;
}

static int qualification_read(CertificateProfile *p, X509 *x) {
    int at = X509_get_ext_by_NID(x, NID_qcStatements, -1), r = 0;
    if (at >= 0 && X509_get_ext_by_NID(x, NID_qcStatements, at) >= 0) {
        p->reasons |= MALFORMED;
    } else if (at >= 0) {
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(x, at));
        r = qc_statements_take(p, (DerBytes){ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)});
    }
    if (!p->qualified)
        p->reasons |= CERTIFICATE_REASON_NOT_QUALIFIED;
    return r;
}

static int critical_extensions_read(CertificateProfile *p, X509 *x) {
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *extension = X509_get_ext(x, i);
        if (X509_EXTENSION_get_critical(extension) && !X509_supported_extension(extension) &&
            OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_qcStatements)
            p->reasons |= CERTIFICATE_REASON_CRITICAL_EXTENSION;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------ names, validity, identity -- */

/* Takes a text over; NULL means that it cannot be shown, which makes the certificate malformed. */
static int text_take(CertificateProfile *p, char *text, char **ret) {
    if (!text) {
        p->reasons |= MALFORMED;
        text = strdup("");
    }
    *ret = text;
    return text ? 0 : -ENOMEM;
}

static int identity_read(CertificateProfile *p, X509 *x) {
    char id[TCKN_LENGTH + 1];
    int n;
    char *serial = name_attribute_text(X509_get_subject_name(x), NID_serialNumber, &n);
    /* Two numbers name nobody. */
    if (serial && n == 1 && tckn_from_serial_number(serial, id))
        p->national_id = strdup(id);
    else
        p->reasons |= CERTIFICATE_REASON_NO_IDENTITY;
    free(serial);
    return 0;
}

static int names_read(CertificateProfile *p, X509 *x) {
    int n;
    const X509_NAME *subject = X509_get_subject_name(x);
    int r = text_take(p, name_text(subject), &p->subject);
    r = r == 0 ? text_take(p, name_attribute_text(subject, NID_commonName, &n), &p->common_name) : r;
    r = r == 0 ? text_take(p, name_text(X509_get_issuer_name(x)), &p->issuer) : r;
    return r == 0 ? text_take(p, serial_text(X509_get0_serialNumber(x)), &p->serial_number) : r;
}

static bool time_read(const ASN1_TIME *time, int64_t *ret) {
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *ret = (int64_t)timegm(&tm) * USEC;
    return true;
}

static int validity_read(CertificateProfile *p, X509 *x) {
    if (!time_read(X509_get0_notBefore(x), &p->not_before) || !time_read(X509_get0_notAfter(x), &p->not_after))
        p->reasons |= MALFORMED;
    return 0;
}

/* ---------------------------------------------------------------------------------------- keys and algorithms -- */

/* For questions whether any row of the policy, at whatever time, allows something. */
#define AT_ANY_TIME INT64_MIN

/* "rsa-2048" and "ec-p256" as the policy knows them: the profile keeps no more of the key than this name. */
static bool key_type_permitted(const char *key_type, int64_t usec) {
    unsigned bits;
    if (sscanf(key_type, "rsa-%u", &bits) == 1)
        return algorithm_policy_key("rsa", bits, usec);
    if (sscanf(key_type, "ec-p%u", &bits) == 1)
        return algorithm_policy_key("ec", bits, usec);
    return true; /* another reason stands already */
}

static void mechanisms_take(CertificateProfile *p, const SignerKey *key) {
    uint32_t mechanisms = signer_key_mechanisms(key);
    for (uint32_t bit = 1; bit != 0 && bit <= mechanisms; bit <<= 1) {
        const SignatureAlgorithm *algorithm = (mechanisms & bit) ? signature_algorithm_find(bit) : NULL;
        if (algorithm && algorithm_policy_hash(hash_name(algorithm->hash), AT_ANY_TIME))
            p->mechanisms |= bit;
    }
}

static void key_type_name(CertificateProfile *p, const EVP_PKEY *public_key, const SignerKey *key) {
    const char *name = EVP_PKEY_get0_type_name(public_key);
    if (key->curve)
        snprintf(p->key_type, sizeof(p->key_type), "ec-%s", key->curve);
    else if (key->type)
        snprintf(p->key_type, sizeof(p->key_type), "%s-%u", key->type, key->bits);
    else
        snprintf(p->key_type, sizeof(p->key_type), "%s", name ? name : "unknown");
}

static int key_read(CertificateProfile *p, X509 *x) {
    EVP_PKEY *public_key = X509_get0_pubkey(x);
    if (!public_key) {
        snprintf(p->key_type, sizeof(p->key_type), "unknown");
        p->reasons |= CERTIFICATE_REASON_KEY_TYPE;
        return 0;
    }
    SignerKey key = signer_key_describe(public_key);
    key_type_name(p, public_key, &key);
    if (!key.type)
        p->reasons |= CERTIFICATE_REASON_KEY_TYPE;
    else if (!algorithm_policy_key(key.type, key.bits, AT_ANY_TIME))
        p->reasons |= CERTIFICATE_REASON_WEAK_KEY;
    else
        mechanisms_take(p, &key);
    return 0;
}

/* The hash that the issuer signed with, as the policy names it. */
static int issuing_algorithm_read(CertificateProfile *p, X509 *x) {
    static const struct {
        int nid;
        const char *name;
    } hashes[] = {
        {NID_sha256, "sha256"},     {NID_sha384, "sha384"},     {NID_sha512, "sha512"},
        {NID_sha3_256, "sha3-256"}, {NID_sha3_384, "sha3-384"}, {NID_sha3_512, "sha3-512"},
    };
    int nid = NID_undef;
    X509_get_signature_info(x, &nid, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
        if (nid == hashes[i].nid && algorithm_policy_hash(hashes[i].name, AT_ANY_TIME))
            return 0;
    p->reasons |= CERTIFICATE_REASON_WEAK_ALGORITHM;
    return 0;
}

/* --------------------------------------------------------------------------------------------------- reading -- */

static int fingerprint_write(CertificateProfile *p) {
    uint8_t digest[HASH_SIZE_MAX];
    if (!hash_bytes(HASH_SHA256, (DerBytes){p->der, p->der_size}, digest))
        return -ENOMEM;
    for (size_t i = 0; i < hash_size(HASH_SHA256); i++)
        snprintf(p->fingerprint + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int profile_allocate(const uint8_t *der, size_t size, CertificateProfile **ret) {
    CLEANUP(certificate_profile_free_p) CertificateProfile *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->der = malloc(size > 0 ? size : 1);
    p->key_usage = calloc(LIST_MAX + 1, sizeof(char *));
    p->policies = calloc(LIST_MAX + 1, sizeof(char *));
    p->qc_statements = calloc(LIST_MAX + 1, sizeof(char *));
    if (!p->der || !p->key_usage || !p->policies || !p->qc_statements)
        return -ENOMEM; // cppcheck-suppress memleak ; the cleanup attribute releases it
    if (size > 0)
        memcpy(p->der, der, size);
    p->der_size = size;
    *ret = p;
    p = NULL;
    return 0;
}

static int profile_read(CertificateProfile *p, X509 *x) {
    static int (*const readers[])(CertificateProfile *, X509 *) = {
        names_read,
        validity_read,
        identity_read,
        basic_constraints_read,
        key_usage_read,
        key_read,
        policies_read,
        qualification_read,
        issuing_algorithm_read,
        extended_key_usage_read,
        critical_extensions_read,
    };
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        int r = readers[i](p, x);
        if (r < 0)
            return r;
    }
    if (p->reasons & MALFORMED)
        p->reasons = MALFORMED; /* what was read beside it is not to be relied on */
    return 0;
}

/* No certificate at all: every text is there and empty. */
static int profile_void(CertificateProfile *p) {
    p->reasons = MALFORMED;
    p->subject = strdup("");
    p->common_name = strdup("");
    p->issuer = strdup("");
    p->serial_number = strdup("");
    return p->subject && p->common_name && p->issuer && p->serial_number ? 0 : -ENOMEM;
}

int certificate_profile_new(const uint8_t *der, size_t size, CertificateProfile **ret) {
    CLEANUP(certificate_profile_free_p) CertificateProfile *p = NULL;
    signature_init();
    int r = profile_allocate(der, size, &p);
    if (r == 0)
        r = fingerprint_write(p);
    if (r < 0)
        return r;
    CLEANUP(X509_free_p) X509 *x = certificate_parse_shared((DerBytes){p->der, p->der_size});
    r = x ? profile_read(p, x) : profile_void(p);
    if (r < 0)
        return r;
    *ret = p;
    p = NULL;
    return 0;
}

static bool mechanism_permitted(uint32_t mechanisms, int64_t usec) {
    for (uint32_t bit = 1; bit != 0 && bit <= mechanisms; bit <<= 1) {
        const SignatureAlgorithm *algorithm = (mechanisms & bit) ? signature_algorithm_find(bit) : NULL;
        if (algorithm && algorithm_policy_hash(hash_name(algorithm->hash), usec))
            return true;
    }
    return false;
}

uint32_t certificate_profile_reasons_at(const CertificateProfile *p, int64_t usec) {
    uint32_t reasons = p->reasons;
    if (reasons & MALFORMED)
        return reasons;
    if (usec < p->not_before)
        reasons |= CERTIFICATE_REASON_NOT_YET_VALID;
    if (usec >= p->not_after + USEC) /* the last second is part of the validity, RFC 5280 section 4.1.2.5 */
        reasons |= CERTIFICATE_REASON_EXPIRED;
    if (!key_type_permitted(p->key_type, usec))
        reasons |= CERTIFICATE_REASON_WEAK_KEY;
    if (p->mechanisms != 0 && !mechanism_permitted(p->mechanisms, usec))
        reasons |= CERTIFICATE_REASON_WEAK_ALGORITHM;
    return reasons;
}
