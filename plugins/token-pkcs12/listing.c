/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file as a token with certificates. Without the passphrase only certificates in the clear can be shown (those of
 * Certificate=, or of a file whose certificates are not encrypted), and nothing is known about keys. With it every
 * end-entity certificate is shown together with whether its key is there; the chain's authorities are left out.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "p12.h"

#define MECHANISMS_ALL ((1u << 9) - 1) /* every EonayMechanism: OpenSSL has them all */

/* What a listing with the passphrase collects: public halves of the keys, and the certificates. */
typedef struct Listing {
    EVP_PKEY *keys[KEYS_MAX]; /* public keys only */
    size_t n_keys;
    const EonayTokenVisitor *visitor;
    size_t n_certificates;
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

/* The public half alone, so that no private key lives on while the certificates are visited. */
static EVP_PKEY *public_half(const P12 *p, const EVP_PKEY *key) {
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    const unsigned char *at = der;
    EVP_PKEY *public_key = size > 0 ? d2i_PUBKEY_ex(NULL, &at, size, p->library, NULL) : NULL;

    OPENSSL_free(der);
    return public_key;
}

static int key_collect(const Contents *contents, const PKCS12_SAFEBAG *bag, void *data) {
    Listing *listing = data;
    EVP_PKEY *key = NULL;

    if (!bag_is_key(bag) || listing->n_keys == KEYS_MAX)
        return 0;
    int r = contents_key(contents, bag, &key);
    if (r != 0)
        return r;
    listing->keys[listing->n_keys] = public_half(contents->p12, key);
    if (listing->keys[listing->n_keys])
        listing->n_keys++;
    EVP_PKEY_free(key);
    return 0;
}

static bool has_key(const Listing *listing, const X509 *certificate) {
    EVP_PKEY *own = X509_get0_pubkey(certificate);

    for (size_t i = 0; own && i < listing->n_keys; i++)
        if (EVP_PKEY_eq(listing->keys[i], own) == 1)
            return true;
    return false;
}

static int certificate_show(const Listing *listing, X509 *certificate, const char *label, const ASN1_TYPE *id,
                            uint32_t flags) {
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    const ASN1_OCTET_STRING *octets = id && id->type == V_ASN1_OCTET_STRING ? id->value.octet_string : NULL;

    if (size <= 0 || size > (int)DER_MAX) {
        OPENSSL_free(der);
        return 0;
    }
    const EonayCertificateInfo info = {
        .struct_size = sizeof(info),
        .flags = flags,
        .label = label ? label : "",
        .id = octets ? ASN1_STRING_get0_data(octets) : NULL,
        .id_size = octets ? (size_t)ASN1_STRING_length(octets) : 0,
        .der = der,
        .der_size = (size_t)size,
    };
    int r = listing->visitor->certificate(listing->visitor, &info);
    OPENSSL_free(der);
    return r;
}

static void label_clean(char *label) {
    for (; label && *label; label++)
        if ((unsigned char)*label < 0x20 || *label == 0x7F)
            *label = '?';
}

static int certificate_visit(const Contents *contents, const PKCS12_SAFEBAG *bag, void *data) {
    Listing *listing = data;

    if (!bag_is_certificate(bag) || listing->n_certificates == CERTIFICATES_MAX)
        return 0;
    X509 *certificate = contents_certificate(contents, bag);
    if (!certificate)
        return 0;
    uint32_t flags = EONAY_CERT_KEY_UNKNOWN;
    if (contents->secret)
        flags = has_key(listing, certificate) ? EONAY_CERT_HAS_KEY : 0;
    char *label = PKCS12_get_friendlyname((PKCS12_SAFEBAG *)(uintptr_t)bag);
    int r = 0;
    label_clean(label);
    if (flags != 0 || X509_check_ca(certificate) != 1) {
        listing->n_certificates++;
        r = certificate_show(listing, certificate, label, PKCS12_SAFEBAG_get0_attr(bag, NID_localKeyID), flags);
    }
    OPENSSL_free(label);
    X509_free(certificate);
    return r;
}

static int beside_visit(const P12 *p, const Listing *listing) {
    int r = 0;

    for (int i = 0; i < sk_X509_num(p->beside) && r == 0; i++)
        r = certificate_show(listing, sk_X509_value(p->beside, i), "", NULL, EONAY_CERT_KEY_UNKNOWN);
    return r;
}

int listing_visit(const P12 *p, const EonaySecret *secret, const EonayTokenVisitor *visitor) {
    Listing listing = {.visitor = visitor};
    Contents contents;

    int r = contents_open(p, secret, &contents);
    if (r != 0)
        return r;
    if (secret)
        r = contents_walk(&contents, key_collect, &listing);
    if (r == 0)
        r = listing_visit_token(p, visitor);
    if (r == 0)
        r = contents_walk(&contents, certificate_visit, &listing);
    if (r == 0 && !secret)
        r = beside_visit(p, &listing);
    while (listing.n_keys > 0)
        EVP_PKEY_free(listing.keys[--listing.n_keys]);
    contents_close(&contents);
    ERR_clear_error();
    return r;
}
