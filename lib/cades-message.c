/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar alone, in its own order; whether the values are right is judged by the checks in cades-verify.c.
 * Certificates are counted and ordered but not opened here: they are somebody else's encoding, bound by their hash.
 */
#include "cades-message.h"

#include "cades-oids.h"
#include "signature.h"

static bool sequence_only(DerBytes bytes, DerBytes *ret) {
    return der_read_value(&bytes, DER_SEQUENCE, ret) && bytes.n == 0;
}

static bool small_integer_read(DerBytes *in, uint32_t *ret) {
    DerBytes value;
    return der_read_value(in, DER_INTEGER, &value) && der_small_integer(value, ret);
}

static bool element_read(DerBytes *in, uint8_t tag, DerBytes *ret_whole) {
    DerElement element;
    if (!der_read_tag(in, tag, &element))
        return false;
    *ret_whole = element.whole;
    return true;
}

/* SignerIdentifier: IssuerAndSerialNumber, or [0] SubjectKeyIdentifier. */
static bool identifier_read(DerBytes *in, MessageSigner *s) {
    DerBytes sequence, key_identifier;
    if (der_read_value(in, DER_CONTEXT_0_PRIMITIVE, &key_identifier))
        return true;
    s->by_issuer = true;
    return der_read_value(in, DER_SEQUENCE, &sequence) && element_read(&sequence, DER_SEQUENCE, &s->issuer) &&
           element_read(&sequence, DER_INTEGER, &s->serial) && sequence.n == 0;
}

static bool attribute_read(DerBytes *in, MessageAttribute *ret) {
    DerBytes sequence;
    return der_read_value(in, DER_SEQUENCE, &sequence) && der_read_value(&sequence, DER_OID, &ret->type) &&
           der_read_value(&sequence, DER_SET, &ret->values) && sequence.n == 0 &&
           der_set_check(ret->values, &ret->n_values);
}

static bool attributes_read(DerBytes *in, MessageSigner *s) {
    size_t n;
    s->has_attributes = der_next_is(*in, DER_CONTEXT_0);
    if (!s->has_attributes)
        return true;
    if (!der_read_value(in, DER_CONTEXT_0, &s->attributes) || !der_set_check(s->attributes, &n) ||
        n > MESSAGE_ATTRIBUTES_MAX)
        return false;
    for (DerBytes rest = s->attributes; rest.n > 0; s->n_attributes++)
        if (!attribute_read(&rest, &s->attribute[s->n_attributes]))
            return false;
    return true;
}

static bool unsigned_read(DerBytes *in, MessageSigner *s) {
    DerBytes attributes;
    size_t n;
    s->has_unsigned = der_next_is(*in, DER_CONTEXT_1);
    return !s->has_unsigned || (der_read_value(in, DER_CONTEXT_1, &attributes) && der_set_check(attributes, &n));
}

static bool signer_read(DerBytes *in, MessageSigner *s) {
    DerBytes sequence;
    return der_read_value(in, DER_SEQUENCE, &sequence) && small_integer_read(&sequence, &s->version) &&
           identifier_read(&sequence, s) && s->version == (s->by_issuer ? 1 : 3) &&
           element_read(&sequence, DER_SEQUENCE, &s->digest_algorithm) && attributes_read(&sequence, s) &&
           element_read(&sequence, DER_SEQUENCE, &s->signature_algorithm) &&
           der_read_value(&sequence, DER_OCTET_STRING, &s->signature) && unsigned_read(&sequence, s) && sequence.n == 0;
}

static bool signers_read(DerBytes *in, Message *m) {
    DerBytes signers;
    if (!der_read_value(in, DER_SET, &signers) || !der_set_check(signers, &m->n_signers))
        return false;
    for (size_t i = 0; signers.n > 0; i++) {
        MessageSigner other = {0};
        if (!signer_read(&signers, i == 0 ? &m->signer : &other))
            return false;
    }
    return true;
}

/* EncapsulatedContentInfo. */
static bool content_read(DerBytes *in, Message *m) {
    DerBytes sequence, content;
    if (!der_read_value(in, DER_SEQUENCE, &sequence) || !der_read_value(&sequence, DER_OID, &m->content_type))
        return false;
    m->has_content = sequence.n > 0;
    if (!m->has_content)
        return true;
    return der_read_value(&sequence, DER_CONTEXT_0, &content) && sequence.n == 0 &&
           der_read_value(&content, DER_OCTET_STRING, &m->content) && content.n == 0;
}

static bool certificates_read(DerBytes *in, Message *m) {
    m->has_certificates = der_next_is(*in, DER_CONTEXT_0);
    if (m->has_certificates &&
        (!der_read_value(in, DER_CONTEXT_0, &m->certificates) || !der_set_check(m->certificates, &m->n_certificates)))
        return false;
    DerElement crls;
    m->has_crls = der_next_is(*in, DER_CONTEXT_1);
    return !m->has_crls || der_read(in, &crls);
}

/* RFC 5652 section 5.1, for messages without attribute certificates and foreign formats. */
static bool version_right(const Message *m) {
    bool plain = der_equal(m->content_type, OID_DATA) && (m->n_signers == 0 || m->signer.version == 1);
    return m->version == (plain ? 1 : 3);
}

static bool signed_data_read(DerBytes in, Message *m) {
    size_t n;
    return small_integer_read(&in, &m->version) && der_read_value(&in, DER_SET, &m->digest_algorithms) &&
           der_set_check(m->digest_algorithms, &n) && content_read(&in, m) && certificates_read(&in, m) &&
           signers_read(&in, m) && in.n == 0 && version_right(m);
}

const char *message_parse(DerBytes bytes, Message *ret) {
    DerBytes info, type, content, signed_data;
    if (bytes.n > SIGNATURE_SIZE_MAX)
        return "the message is too large";
    if (!sequence_only(bytes, &info) || !der_read_value(&info, DER_OID, &type))
        return "not one whole DER ContentInfo";
    if (!der_equal(type, OID_SIGNED_DATA))
        return "not a SignedData";
    if (!der_read_value(&info, DER_CONTEXT_0, &content) || info.n > 0 || !sequence_only(content, &signed_data))
        return "not one whole DER SignedData";
    *ret = (Message){0};
    return signed_data_read(signed_data, ret) ? NULL : "SignedData is not well-formed DER";
}
