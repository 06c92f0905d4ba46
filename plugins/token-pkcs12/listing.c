/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file as a token with certificates. Without the passphrase only certificates in the clear can be shown (those of
 * Certificate=, or of a file whose certificates are not encrypted), and nothing is known about keys. With it every
 * end-entity certificate is shown together with whether its key is there; the chain's authorities are left out.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "key.h"

#define MECHANISMS_ALL ((1u << 9) - 1) /* every EonayMechanism: OpenSSL has them all */

/* A certificate of the file, with what its bag says about it. */
typedef struct Entry {
    X509 *certificate;
    char *label; /* OPENSSL_malloc()ed, may be NULL */
    uint8_t id[255];
    size_t id_size;
    bool has_key;
} Entry;

typedef struct Listing {
    Entry entries[CERTIFICATES_MAX];
    size_t n;
    size_t n_keys;
} Listing;

int listing_visit_token(const P12 *p, const EonayTokenVisitor *visitor) {
    const EonayTokenInfo info = {
        .struct_size = sizeof(info),
        .flags = EONAY_TOKEN_NEEDS_SECRET_TO_LIST | EONAY_TOKEN_LOCAL_KEY | EONAY_TOKEN_PIN_UNKNOWN,
        .key = p->key,
        .label = p->label,
        .serial = p->serial,
        .model = "PKCS#12",
        .pin_min = 1,
        .mechanisms = MECHANISMS_ALL,
    };
    return visitor->token(visitor, &info);
}

static void label_clean(char *label) {
    for (; label && *label; label++)
        if ((unsigned char)*label < 0x20 || *label == 0x7F)
            *label = '?';
}

static void entry_read_id(Entry *entry, const PKCS12_SAFEBAG *bag) {
    const ASN1_TYPE *id = PKCS12_SAFEBAG_get0_attr(bag, NID_localKeyID);

    if (!id || id->type != V_ASN1_OCTET_STRING || ASN1_STRING_length(id->value.octet_string) <= 0 ||
        (size_t)ASN1_STRING_length(id->value.octet_string) > sizeof(entry->id))
        return;
    entry->id_size = (size_t)ASN1_STRING_length(id->value.octet_string);
    memcpy(entry->id, ASN1_STRING_get0_data(id->value.octet_string), entry->id_size);
}

static int certificate_collect(const Contents *contents, const PKCS12_SAFEBAG *bag, void *data) {
    Listing *listing = data;

    if (!bag_is_certificate(bag) || listing->n == CERTIFICATES_MAX)
        return 0;
    X509 *certificate = contents_certificate(contents, bag);
    if (!certificate)
        return 0;
    Entry *entry = &listing->entries[listing->n++];
    *entry = (Entry){.certificate = certificate};
    entry->label = PKCS12_get_friendlyname((PKCS12_SAFEBAG *)(uintptr_t)bag);
    label_clean(entry->label);
    entry_read_id(entry, bag);
    return 0;
}

/* Marks the certificates a key belongs to; the key itself is gone before the next one is decrypted. */
static int key_mark(const Contents *contents, const PKCS12_SAFEBAG *bag, void *data) {
    const PKCS8_PRIV_KEY_INFO *info = NULL;
    PKCS8_PRIV_KEY_INFO *own = NULL;
    Listing *listing = data;

    if (!bag_is_key(bag) || listing->n_keys++ >= KEYS_MAX)
        return 0;
    int r = contents_key(contents, bag, &info, &own);
    if (r != 0)
        return r;
    for (size_t i = 0; i < listing->n; i++) {
        EVP_PKEY *public_key = X509_get0_pubkey(listing->entries[i].certificate), *key = NULL;
        if (public_key && key_make(contents->p12, info, public_key, &key))
            listing->entries[i].has_key = true;
        EVP_PKEY_free(key);
    }
    PKCS8_PRIV_KEY_INFO_free(own);
    return 0;
}

static int entry_visit(const Entry *entry, uint32_t flags, const EonayTokenVisitor *visitor) {
    unsigned char *der = NULL;
    int size = i2d_X509(entry->certificate, &der), r = 0;

    if (size > 0 && size <= (int)DER_MAX) {
        const EonayCertificateInfo info = {
            .struct_size = sizeof(info),
            .flags = flags,
            .label = entry->label ? entry->label : "",
            .id = entry->id_size > 0 ? entry->id : NULL,
            .id_size = entry->id_size,
            .der = der,
            .der_size = (size_t)size,
        };
        r = visitor->certificate(visitor, &info);
    }
    OPENSSL_free(der);
    return r;
}

static int entries_visit(const P12 *p, const Listing *listing, bool opened, const EonayTokenVisitor *visitor) {
    int r = listing_visit_token(p, visitor);

    for (size_t i = 0; i < listing->n && r == 0; i++) {
        const Entry *entry = &listing->entries[i];
        if (!opened)
            r = entry_visit(entry, EONAY_CERT_KEY_UNKNOWN, visitor);
        else if (entry->has_key || X509_check_ca(entry->certificate) != 1)
            r = entry_visit(entry, entry->has_key ? EONAY_CERT_HAS_KEY : 0, visitor);
    }
    for (int i = 0; i < sk_X509_num(p->beside) && r == 0 && !opened; i++) {
        const Entry entry = {.certificate = sk_X509_value(p->beside, i)};
        r = entry_visit(&entry, EONAY_CERT_KEY_UNKNOWN, visitor);
    }
    return r;
}

static Listing *listing_free(Listing *listing) {
    for (size_t i = 0; i < listing->n; i++) {
        X509_free(listing->entries[i].certificate);
        OPENSSL_free(listing->entries[i].label);
    }
    free(listing);
    return NULL;
}

int listing_visit(const P12 *p, const EonaySecret *secret, const EonayTokenVisitor *visitor) {
    Contents contents;

    int r = contents_open(p, secret, &contents);
    if (r != 0)
        return r;
    Listing *listing = calloc(1, sizeof(*listing));
    r = listing ? contents_walk(&contents, certificate_collect, listing) : -ENOMEM;
    if (r == 0 && secret)
        r = contents_walk(&contents, key_mark, listing);
    contents_close(&contents);
    if (r == 0)
        r = entries_visit(p, listing, secret != NULL, visitor);
    if (listing)
        listing_free(listing);
    ERR_clear_error();
    return r;
}
