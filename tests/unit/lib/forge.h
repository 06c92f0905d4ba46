/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes SignedData messages, right and wrong: a good one is described by forge_init(), a test changes one thing, and
 * forge_message() signs with the real key whatever stands there then. So a message is wrong in exactly one respect.
 */
#ifndef EONAY_TEST_FORGE_H
#define EONAY_TEST_FORGE_H

#include <stdbool.h>

#include "der.h"
#include "pki.h"
#include "signature-algorithm.h"

#define FORGE_ATTRIBUTES_MAX 40

enum {
    FORGE_CONTENT_TYPE,
    FORGE_SIGNING_TIME,
    FORGE_MESSAGE_DIGEST,
    FORGE_SIGNING_CERTIFICATE,
    FORGE_N_ATTRIBUTES,
};

typedef struct Forge {
    const SignatureAlgorithm *algorithm;
    EVP_PKEY *key; /* that signs; not owned */
    int salt;      /* PSS; -1: as long as the hash */
    DerBytes content;
    DerBytes content_type;
    bool detached;
    bool constructed_content; /* the OCTET STRING in two pieces, which is BER */
    uint8_t version, signer_version;
    DerBuffer attribute[FORGE_ATTRIBUTES_MAX]; /* whole Attributes */
    size_t n_attributes;
    bool unsorted;
    bool no_attributes;          /* the signature is over the content itself */
    DerBuffer digest_set;        /* contents of SignedData.digestAlgorithms */
    DerBuffer digest_identifier; /* SignerInfo.digestAlgorithm */
    DerBuffer signature_identifier;
    DerBuffer sid;
    DerBuffer certificates; /* contents; empty: no field */
    bool crls;
    bool unsigned_attribute;
    bool flip_signature;
    bool raw_signature; /* ECDSA as r||s, the way tokens give it */
    int n_signers;
} Forge;

/* A good message of this certificate with the mechanism given. */
void forge_init(Forge *f, const PkiLeaf *leaf, uint32_t mechanism);
void forge_clear(Forge *f);
/* Signs and encodes; false when the key cannot. */
bool forge_message(Forge *f, DerBuffer *ret);

/* Replaces attribute i by one of this type with these values (whole elements). */
void forge_attribute_set(Forge *f, size_t i, DerBytes type, DerBytes values);
void forge_attribute_remove(Forge *f, size_t i);
void forge_buffer_set(DerBuffer *b, DerBytes bytes);
/* The SigningCertificateV2 value for these certificate bytes. issuer, serial: whole, or empty for no issuerSerial.
 * identifier: hashAlgorithm, or empty. */
void forge_signing_certificate(Forge *f, DerBytes certificate, HashKind hash, DerBytes identifier, DerBytes issuer,
                               DerBytes serial);

#endif
