/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: the bytes of a CMS SignedData (RFC 5652 section 5) taken apart. Everything points into them. */
#ifndef EONAY_LIB_CADES_MESSAGE_H
#define EONAY_LIB_CADES_MESSAGE_H

#include "der.h"

#define MESSAGE_ATTRIBUTES_MAX   32
#define MESSAGE_CERTIFICATES_MAX 64
#define MESSAGE_CRLS_MAX         64

typedef struct MessageAttribute {
    DerBytes type;   /* the OID's contents */
    DerBytes values; /* the SET's contents */
    size_t n_values;
} MessageAttribute;

typedef struct MessageSigner {
    uint32_t version;
    bool by_issuer;  /* else by subject key identifier */
    DerBytes issuer; /* with tag and length */
    DerBytes serial;
    DerBytes digest_algorithm; /* with tag and length */
    bool has_attributes;
    DerBytes attributes; /* contents of the SET OF */
    MessageAttribute attribute[MESSAGE_ATTRIBUTES_MAX];
    size_t n_attributes;
    DerBytes signature_algorithm; /* with tag and length */
    DerBytes signature;
    DerBytes fixed; /* version to signature, as they stand there: what no later addition changes */
    bool has_unsigned;
    DerBytes unsigned_attributes; /* contents of the SET OF */
    MessageAttribute unsigned_attribute[MESSAGE_ATTRIBUTES_MAX];
    size_t n_unsigned;
} MessageSigner;

typedef struct Message {
    uint32_t version;
    DerBytes digest_algorithms; /* contents of the SET OF */
    DerBytes content_type;
    bool has_content;
    DerBytes content;
    bool has_certificates;
    DerBytes certificates; /* contents of the SET OF */
    size_t n_certificates;
    bool has_crls;
    DerBytes crls; /* contents of the SET OF RevocationInfoChoice */
    size_t n_crls;
    bool has_other_crls; /* one of them is no CRL */
    size_t n_signers;
    MessageSigner signer; /* the first */
    bool loose;
} Message;

/* NULL when the bytes are one SignedData in DER and nothing else, or what is wrong (static). */
const char *message_parse(DerBytes bytes, Message *ret);
/* The same for a time-stamp token, which is another's work: the order within sets and the version may be any. */
const char *message_parse_token(DerBytes bytes, Message *ret);
/* The unsigned attribute of this type, from *i on; NULL when there is none further. */
const MessageAttribute *message_unsigned_next(const MessageSigner *s, DerBytes type, size_t *i);
/* The only value of the signed attribute, with its tag and length; false when there is not exactly one. */
bool message_signed_value(const MessageSigner *s, DerBytes type, DerBytes *ret);

#endif
