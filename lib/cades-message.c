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

/* Counts; the order matters unless loose. */
static bool set_count(DerBytes contents, bool loose, size_t *ret_n) {
    DerElement element;
    if (!loose)
        return der_set_check(contents, ret_n);
    for (*ret_n = 0; contents.n > 0; ++*ret_n)
        if (!der_read(&contents, &element))
            return false;
    return true;
}

static bool attribute_read(DerBytes *in, bool loose, MessageAttribute *ret) {
    DerBytes sequence;
    return der_read_value(in, DER_SEQUENCE, &sequence) && der_read_value(&sequence, DER_OID, &ret->type) &&
           der_read_value(&sequence, DER_SET, &ret->values) && sequence.n == 0 &&
           set_count(ret->values, loose, &ret->n_values);
}

static bool attributes_read(DerBytes contents, bool loose, MessageAttribute *ret, size_t *ret_n) {
    size_t n;
    if (!set_count(contents, loose, &n) || n > MESSAGE_ATTRIBUTES_MAX)
        return false;
    for (*ret_n = 0; contents.n > 0; ++*ret_n)
        if (!attribute_read(&contents, loose, &ret[*ret_n]))
            return false;
    return true;
}

static bool signed_read(DerBytes *in, bool loose, MessageSigner *s) {
    s->has_attributes = der_next_is(*in, DER_CONTEXT_0);
    return !s->has_attributes || (der_read_value(in, DER_CONTEXT_0, &s->attributes) &&
                                  attributes_read(s->attributes, loose, s->attribute, &s->n_attributes));
}

static bool unsigned_read(DerBytes *in, bool loose, MessageSigner *s) {
    s->has_unsigned = der_next_is(*in, DER_CONTEXT_1);
    return !s->has_unsigned || (der_read_value(in, DER_CONTEXT_1, &s->unsigned_attributes) &&
                                attributes_read(s->unsigned_attributes, loose, s->unsigned_attribute, &s->n_unsigned));
}

static bool signer_read(DerBytes *in, bool loose, MessageSigner *s) {
    DerBytes sequence;
    if (!der_read_value(in, DER_SEQUENCE, &sequence))
        return false;
    s->fixed = sequence;
    bool read = small_integer_read(&sequence, &s->version) && identifier_read(&sequence, s) &&
                s->version == (s->by_issuer ? 1 : 3) && element_read(&sequence, DER_SEQUENCE, &s->digest_algorithm) &&
                signed_read(&sequence, loose, s) && element_read(&sequence, DER_SEQUENCE, &s->signature_algorithm) &&
                der_read_value(&sequence, DER_OCTET_STRING, &s->signature);
    s->fixed.n -= sequence.n;
    return read && unsigned_read(&sequence, loose, s) && sequence.n == 0;
}

static bool signers_read(DerBytes *in, Message *m) {
    DerBytes signers;
    if (!der_read_value(in, DER_SET, &signers) || !set_count(signers, m->loose, &m->n_signers))
        return false;
    for (size_t i = 0; signers.n > 0; i++) {
        MessageSigner other = {0};
        if (!signer_read(&signers, m->loose, i == 0 ? &m->signer : &other))
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
    return !m->has_certificates || (der_read_value(in, DER_CONTEXT_0, &m->certificates) &&
                                    set_count(m->certificates, m->loose, &m->n_certificates));
}

static bool crls_read(DerBytes *in, Message *m) {
    DerElement choice;
    m->has_crls = der_next_is(*in, DER_CONTEXT_1);
    if (!m->has_crls)
        return true;
    if (!der_read_value(in, DER_CONTEXT_1, &m->crls) || !set_count(m->crls, m->loose, &m->n_crls))
        return false;
    for (DerBytes rest = m->crls; der_read(&rest, &choice);)
        m->has_other_crls |= choice.tag == DER_CONTEXT_1;
    return true;
}

/* RFC 5652 section 5.1, for messages without attribute certificates and foreign certificate formats. */
static bool version_right(const Message *m) {
    if (m->loose)
        return true;
    if (m->has_other_crls)
        return m->version == 5;
    bool plain = der_equal(m->content_type, OID_DATA) && (m->n_signers == 0 || m->signer.version == 1);
    return m->version == (plain ? 1 : 3);
}

static bool signed_data_read(DerBytes in, Message *m) {
    size_t n;
    return small_integer_read(&in, &m->version) && der_read_value(&in, DER_SET, &m->digest_algorithms) &&
           set_count(m->digest_algorithms, m->loose, &n) && content_read(&in, m) && certificates_read(&in, m) &&
           crls_read(&in, m) && signers_read(&in, m) && in.n == 0 && version_right(m);
}

static const char *parse(DerBytes bytes, bool loose, Message *ret) {
    DerBytes info, type, content, signed_data;
    if (bytes.n > SIGNATURE_SIZE_MAX)
        return "the message is too large";
    if (!sequence_only(bytes, &info) || !der_read_value(&info, DER_OID, &type))
        return "not one whole DER ContentInfo";
    if (!der_equal(type, OID_SIGNED_DATA))
        return "not a SignedData";
    if (!der_read_value(&info, DER_CONTEXT_0, &content) || info.n > 0 || !sequence_only(content, &signed_data))
        return "not one whole DER SignedData";
    *ret = (Message){.loose = loose};
    return signed_data_read(signed_data, ret) ? NULL : "SignedData is not well-formed DER";
}

const char *message_parse(DerBytes bytes, Message *ret) {
    return parse(bytes, false, ret);
}

const char *message_parse_token(DerBytes bytes, Message *ret) {
    return parse(bytes, true, ret);
}

const MessageAttribute *message_unsigned_next(const MessageSigner *s, DerBytes type, size_t *i) {
    while (*i < s->n_unsigned) {
        const MessageAttribute *attribute = &s->unsigned_attribute[(*i)++];
        if (der_equal(attribute->type, type))
            return attribute;
    }
    return NULL;
}

bool message_signed_value(const MessageSigner *s, DerBytes type, DerBytes *ret) {
    size_t n = 0;
    for (size_t i = 0; i < s->n_attributes; i++) {
        if (!der_equal(s->attribute[i].type, type))
            continue;
        if (n++ > 0 || s->attribute[i].n_values != 1)
            return false;
        *ret = s->attribute[i].values;
    }
    return n == 1;
}
