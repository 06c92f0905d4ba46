/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this plugin share: one PKCS#12 file, read at open() and kept as the bytes it is.
 *
 * Functions return 0, a positive EonayError that fault() has recorded, or a negative errno.
 */
#ifndef EONAY_TOKEN_PKCS12_H
#define EONAY_TOKEN_PKCS12_H

#include <errno.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>

#include "eonay/plugin.h"

#define FILE_MAX         (1u << 20)
#define CERTIFICATES_MAX 64u
#define KEYS_MAX         64u
#define DER_MAX          65536u

typedef struct P12 {
    const EonayHost *host;
    OSSL_LIB_CTX *library; /* our own: what is loaded into it is decided here and by no openssl.cnf */
    OSSL_PROVIDER *standard;
    OSSL_PROVIDER *legacy; /* RC2 and 3DES of old files; NULL where it is not installed */

    uint8_t *bytes; /* the file */
    size_t size;
    STACK_OF(X509) * beside; /* from Certificate=, or NULL */

    char key[40];
    char serial[24];
    char label[128];
    bool logged_in;
} P12;

/* file.c: reads File= and Certificate= and checks as much as can be checked without the passphrase. */
int p12_read(P12 *p);
void p12_forget(P12 *p);

/* A certificate in our library context; NULL when it cannot be parsed. */
X509 *p12_certificate(const P12 *p, const uint8_t *der, size_t size);

/* contents.c */
typedef struct Contents {
    const P12 *p12;
    PKCS12 *file;
    const EonaySecret *secret; /* NULL: only what is not encrypted */
} Contents;

/* One thing in the file. A key is decrypted on demand, by contents_key(). Non-zero ends the walk and is returned. */
typedef int (*ContentsVisit)(const Contents *contents, const PKCS12_SAFEBAG *bag, void *data);

/*
 * Parses the file and, with a secret, verifies its MAC. Errors: FILE_INVALID, PIN_FORMAT, PIN_INCORRECT. Without a MAC
 * a wrong passphrase shows only when something is decrypted.
 */
int contents_open(const P12 *p, const EonaySecret *secret, Contents *ret);
void contents_close(Contents *contents);
int contents_walk(const Contents *contents, ContentsVisit visit, void *data);

bool bag_is_key(const PKCS12_SAFEBAG *bag);
bool bag_is_certificate(const PKCS12_SAFEBAG *bag);
/*
 * The key of a bag, decrypted. *ret_own is to be freed by the caller at once (which clears it); where the key was not
 * encrypted it is NULL and *ret belongs to the bag. Errors: FILE_INVALID, PIN_INCORRECT.
 */
int contents_key(const Contents *contents, const PKCS12_SAFEBAG *bag, const PKCS8_PRIV_KEY_INFO **ret,
                 PKCS8_PRIV_KEY_INFO **ret_own);
/* The certificate of a bag in our library context, NULL when it cannot be parsed. */
X509 *contents_certificate(const Contents *contents, const PKCS12_SAFEBAG *bag);

/* listing.c */
int listing_visit(const P12 *p, const EonaySecret *secret, const EonayTokenVisitor *visitor);
int listing_visit_token(const P12 *p, const EonayTokenVisitor *visitor);

/* sign.c */
int p12_login(P12 *p, const EonayLogin *login);
int p12_sign(const P12 *p, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size);

int fault_text(const P12 *p, EonayError code, const char *text);

#endif
