/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: what the parts of a verification share. */
#ifndef EONAY_LIB_VERIFY_INTERNAL_H
#define EONAY_LIB_VERIFY_INTERNAL_H

#include <openssl/x509.h>

#include "cades-message.h"
#include "timestamp.h"
#include "verify.h"

#define VERIFY_POOL_MAX     128
#define VERIFY_MATERIAL_MAX 96
#define VERIFY_CHAIN_MAX    10
#define VERIFY_USEC         1000000

/* A CRL or OCSP response, and since when it is proven to exist. */
typedef struct VerifyMaterial {
    CadesBlob bytes;
    bool ocsp;
    bool embedded; /* in the message; else given by the caller or in a time stamp */
    int stamp;     /* in this time stamp's token; -1 */
    int64_t poe;
} VerifyMaterial;

typedef struct VerifyToken {
    CadesBlob bytes;
    bool archive;
    DerBytes type; /* the unsigned attribute it is a value of */
    Timestamp info;
    Message message;
    DerBytes index;  /* archive: the whole ATSHashIndexV3 */
    const char *why; /* unsound */
    VerifyCheck failed;
    bool sound;
    int64_t poe; /* the token itself is proven to exist since */
} VerifyToken;

typedef struct VerifyChain {
    CadesBlob certificate[VERIFY_CHAIN_MAX]; /* the leaf first, the anchor last; owned */
    int64_t from[VERIFY_CHAIN_MAX], until[VERIFY_CHAIN_MAX];
    size_t n;
} VerifyChain;

typedef struct Verify {
    const VerifyRequest *request;
    VerifyReport *report;
    Message message;
    CadesBlob pool[VERIFY_POOL_MAX];
    size_t n_pool;
    VerifyMaterial material[VERIFY_MATERIAL_MAX];
    size_t n_material;
    VerifyToken token[VERIFY_STAMPS_MAX]; /* by time, the oldest first */
    size_t n_tokens;
    int64_t at;
    bool too_much;       /* more of something than is looked at */
    bool material_sound; /* the embedded values alone cover the signer's chain */
    bool references_sound;
    bool policy_known;
    uint8_t policy; /* 1, 2, 3: P2, P3, P4 */
    bool no_memory;
} Verify;

VerifyIndication verify_sub_indication(VerifySub sub);

/* The last moment, microseconds, at which the key of this certificate may sign so; 0: never. */
int64_t verify_policy_until(const CadesBlob *certificate, const char *algorithm);

/* Notes a check; stamp -1 for the signature. A failed one with a sub-indication decides the report, unless one did
 * before. */
void verify_note(Verify *v, VerifyCheck check, int stamp, VerifyOutcome outcome, const char *detail);
void verify_decide(Verify *v, VerifyCheck check, VerifySub sub, const char *detail);

/* verify-material.c: certificates, revocation values and tokens, from wherever they stand. */
void verify_material_collect(Verify *v);
/* verify-chain.c: to an anchor at that time. VERIFY_SUB_NONE, or why not. */
VerifySub verify_chain_build(Verify *v, const CadesBlob *leaf, DerBytes contained, int64_t at, int purpose,
                             VerifyChain *ret, const char **ret_why);
void verify_chain_clear(VerifyChain *c);
/* The signer's certificate by itself is valid then. */
bool verify_leaf_valid(const CadesReport *base, int64_t at);
/* All certificates but the anchor are valid then. */
bool verify_chain_valid(const VerifyChain *c, int64_t at);

/* What the values say of one certificate at a time. */
typedef struct VerifyStatus {
    RevocationAnswer answer;    /* the newest that counts */
    bool known;                 /* good, suspended or revoked at that time */
    bool by_ocsp, by_crl_after; /* OCSP says good; a list from after the time says good */
    bool no_poe;                /* there is a value, but nothing proves that it is from its time */
    const char *why;            /* of the last value that does not count */
} VerifyStatus;
/* ret_embedded: by the values in the message alone; may be NULL. */
void verify_revocation(const Verify *v, const VerifyChain *c, size_t i, int64_t at, VerifyStatus *ret,
                       VerifyStatus *ret_embedded);
/* verify-stamp.c: judges all tokens, the newest first; sets the proofs of existence. */
void verify_stamps(Verify *v);
/* verify-index.c: NULL when everything the index names is there. */
const char *verify_index_check(const Verify *v, const VerifyToken *t);
bool verify_index_covers_attribute(const VerifyToken *t, DerBytes type, DerBytes value);
bool verify_index_covers_crl(const VerifyToken *t, DerBytes element);
/* verify-references.c: complete references against the values; NULL when they fit. */
const char *verify_references_check(const Verify *v, const VerifyChain *c);
/* verify-profile.c: policy, level, qualification. */
void verify_policy(Verify *v);
void verify_level(Verify *v);
void verify_qualified(Verify *v);

#endif
