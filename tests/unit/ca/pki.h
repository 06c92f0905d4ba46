/* SPDX-License-Identifier: Apache-2.0 */
/* A throw-away PKI made with OpenSSL: a root, and signers of every kind that an authority must tell apart. */
#ifndef TEST_CA_PKI_H
#define TEST_CA_PKI_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Bytes {
    uint8_t *bytes;
    size_t size;
} Bytes;

void bytes_free(Bytes *b);

typedef struct Signer {
    EVP_PKEY *key;
    X509 *certificate;
    bool ec;
} Signer;

typedef struct Pki {
    Signer root;
    Signer stranger; /* another root, trusted by nobody */
} Pki;

typedef struct SignerSpec {
    const char *subject;   /* X.520 serialNumber; NULL: none */
    const char *key_usage; /* NULL: nonRepudiation */
    bool not_qualified;
    bool seal;
    bool ec;
    bool strange;       /* issued by the untrusted root */
    int64_t not_before; /* seconds from now; both 0: a year */
    int64_t not_after;
} SignerSpec;

Pki *pki_new(void);
Pki *pki_free(Pki *pki);
Bytes pki_root_pem(const Pki *pki);
Bytes pki_root_der(const Pki *pki);

Signer pki_signer(const Pki *pki, SignerSpec spec);
/* An issuing authority under the root, and a signer under any authority. */
Signer pki_authority(const Signer *issuer, const char *name);
Signer pki_signer_under(const Signer *issuer, SignerSpec spec);
void signer_free(Signer *s);
Bytes signer_pem(const Signer *s);

/* CAdES-B-B over content. */
Bytes pki_sign(const Signer *s, const uint8_t *content, size_t size, int64_t signing_time);

#endif
