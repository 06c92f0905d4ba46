/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not pass: a corpus of messages, each wrong in one respect and correctly signed otherwise, and the check
 * that has to find it; then damage of every kind to a good one.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cades-oids.h"
#include "cades.h"
#include "certificate-der.h"
#include "forge.h"
#include "pki.h"

static Pki *pki;
static PkiLeaf *leaf, *rsa_leaf, *twin, *other;

#define LEAF ((DerBytes){leaf->der, leaf->der_size})

/* Another certificate with the issuer and the serial number of `leaf`. */
static PkiLeaf *twin_make(void) {
    PkiLeaf *made = NULL;
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.name = "MEHMET IŞIK"}, &made), 0);
    ck_assert_int_eq(X509_set_serialNumber(made->certificate, X509_get_serialNumber(leaf->certificate)), 1);
    ck_assert_int_gt(X509_sign(made->certificate, (EVP_PKEY *)pki_ca_key(pki), EVP_sha384()), 0);
    OPENSSL_free(made->der);
    made->der = pki_der(made->certificate, &made->der_size);
    return made;
}

static void setup(void) {
    ck_assert_int_eq(pki_new(&pki), 0);
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.key = "p256"}, &leaf), 0);
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.key = "rsa2048"}, &rsa_leaf), 0);
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.profile = "nes-other-person"}, &other), 0);
    twin = twin_make();
}

static void teardown(void) {
    pki_leaf_free(leaf);
    pki_leaf_free(rsa_leaf);
    pki_leaf_free(twin);
    pki_leaf_free(other);
    pki_free(pki);
}

/* ------------------------------------------------------------------------------------------------ the corpus -- */

static void identifier_set(DerBuffer *b, HashKind hash) {
    b->size = 0;
    hash_append(b, hash);
}

static void signature_identifier_set(Forge *f, uint32_t mechanism) {
    f->signature_identifier.size = 0;
    signature_algorithm_append(&f->signature_identifier, signature_algorithm_find(mechanism));
}

static void content_type_other(Forge *f) {
    static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4}; /* TSTInfo */
    f->content_type = (DerBytes){oid, sizeof(oid)};
    f->version = 3;
}
static void content_detached(Forge *f) {
    f->detached = true;
}
static void content_constructed(Forge *f) {
    f->constructed_content = true;
}
static void version_three(Forge *f) {
    f->version = 3;
}
static void signer_version_three(Forge *f) {
    f->signer_version = 3;
}
static void versions_three(Forge *f) {
    f->version = f->signer_version = 3;
}
static void signers_none(Forge *f) {
    f->n_signers = 0;
}
static void signers_two(Forge *f) {
    f->n_signers = 2;
}
static void certificates_none(Forge *f) {
    f->certificates.size = 0;
}
static void certificates_other(Forge *f) {
    forge_buffer_set(&f->certificates, (DerBytes){other->der, other->der_size});
}
static void certificates_twins(Forge *f) {
    DerBytes one = LEAF, two = {twin->der, twin->der_size};
    bool ordered = der_compare(one, two) <= 0;
    forge_buffer_set(&f->certificates, ordered ? one : two);
    der_append(&f->certificates, ordered ? two : one);
}
static void certificates_attribute(Forge *f) {
    der_append(&f->certificates, DER_BYTES(DER_CONTEXT_2, 0));
}
static void certificates_unsorted(Forge *f) {
    DerBytes one = LEAF, two = {other->der, other->der_size};
    bool ordered = der_compare(one, two) <= 0;
    forge_buffer_set(&f->certificates, ordered ? two : one);
    der_append(&f->certificates, ordered ? one : two);
}
static void sid_other_serial(Forge *f) {
    f->sid.bytes[f->sid.size - 1] ^= 1;
}
static void sid_key_identifier(Forge *f) {
    forge_buffer_set(&f->sid, DER_BYTES(DER_CONTEXT_0_PRIMITIVE, 4, 1, 2, 3, 4));
    f->version = f->signer_version = 3;
}
static void digest_set_other(Forge *f) {
    identifier_set(&f->digest_set, HASH_SHA512);
}
static void digest_set_two(Forge *f) {
    hash_append(&f->digest_set, HASH_SHA384);
}
static void digest_set_empty(Forge *f) {
    f->digest_set.size = 0;
}
/* Digest SHA-512 throughout, but ecdsa-with-SHA256. */
static void digest_contradicts(Forge *f) {
    identifier_set(&f->digest_set, HASH_SHA512);
    identifier_set(&f->digest_identifier, HASH_SHA512);
}
static void digest_sha1(Forge *f) {
    static const uint8_t sha1[] = {0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0};
    forge_buffer_set(&f->digest_set, (DerBytes){sha1, sizeof(sha1)});
    forge_buffer_set(&f->digest_identifier, (DerBytes){sha1, sizeof(sha1)});
}
static void algorithm_of_rsa(Forge *f) {
    signature_identifier_set(f, EONAY_MECH_RSA_PKCS1_SHA256);
}
static void algorithm_ecdsa_with_null(Forge *f) {
    forge_buffer_set(&f->signature_identifier,
                     DER_BYTES(0x30, 0x0c, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2, 5, 0));
}
static void attributes_none(Forge *f) {
    f->no_attributes = true;
}
static void attribute_no_content_type(Forge *f) {
    forge_attribute_remove(f, FORGE_CONTENT_TYPE);
}
static void attribute_no_signing_time(Forge *f) {
    forge_attribute_remove(f, FORGE_SIGNING_TIME);
}
static void attribute_no_message_digest(Forge *f) {
    forge_attribute_remove(f, FORGE_MESSAGE_DIGEST);
}
static void attribute_no_signing_certificate(Forge *f) {
    forge_attribute_remove(f, FORGE_SIGNING_CERTIFICATE);
}
static void attribute_double(Forge *f, size_t i) {
    forge_buffer_set(&f->attribute[f->n_attributes], (DerBytes){f->attribute[i].bytes, f->attribute[i].size});
    f->n_attributes++;
}
static void attribute_two_content_types(Forge *f) {
    attribute_double(f, FORGE_CONTENT_TYPE);
}
static void attribute_two_signing_times(Forge *f) {
    attribute_double(f, FORGE_SIGNING_TIME);
}
static void attribute_two_message_digests(Forge *f) {
    attribute_double(f, FORGE_MESSAGE_DIGEST);
}
static void attribute_two_signing_certificates(Forge *f) {
    attribute_double(f, FORGE_SIGNING_CERTIFICATE);
}
static void attribute_extra(Forge *f) { /* S/MIME capabilities, empty */
    forge_attribute_set(f, FORGE_N_ATTRIBUTES, OID_PKCS(9, 15), DER_BYTES(0x30, 0));
}
static void attribute_many(Forge *f) {
    for (size_t i = FORGE_N_ATTRIBUTES; i < FORGE_ATTRIBUTES_MAX; i++)
        forge_attribute_set(f, i, OID_PKCS(9, (uint8_t)(20 + i)), DER_BYTES(0x30, 0));
}
static void attribute_unsorted(Forge *f) {
    f->unsorted = true;
    DerBuffer first = f->attribute[0];
    f->attribute[0] = f->attribute[3];
    f->attribute[3] = first;
}
static void attribute_two_values(Forge *f) {
    forge_attribute_set(f, FORGE_SIGNING_TIME, OID_SIGNING_TIME,
                        DER_BYTES(0x17, 13, '2', '6', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0', 'Z', 0x17, 13,
                                  '2', '6', '0', '1', '0', '2', '0', '0', '0', '0', '0', '0', 'Z'));
}
static void attribute_no_value(Forge *f) {
    forge_attribute_set(f, FORGE_SIGNING_TIME, OID_SIGNING_TIME, (DerBytes){0});
}
static void attribute_content_type_other(Forge *f) {
    forge_attribute_set(f, FORGE_CONTENT_TYPE, OID_CONTENT_TYPE, DER_BYTES(6, 3, 0x55, 4, 3));
}
static void time_generalized(Forge *f) {
    forge_attribute_set(f, FORGE_SIGNING_TIME, OID_SIGNING_TIME,
                        DER_BYTES(0x18, 15, '2', '0', '2', '6', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0', 'Z'));
}
static void time_without_seconds(Forge *f) {
    forge_attribute_set(f, FORGE_SIGNING_TIME, OID_SIGNING_TIME,
                        DER_BYTES(0x17, 11, '2', '6', '0', '1', '0', '1', '0', '0', '0', '0', 'Z'));
}
static void time_impossible(Forge *f) {
    forge_attribute_set(f, FORGE_SIGNING_TIME, OID_SIGNING_TIME,
                        DER_BYTES(0x17, 13, '2', '6', '0', '2', '3', '0', '0', '0', '0', '0', '0', '0', 'Z'));
}
static void time_after_policy(Forge *f) {
    forge_attribute_set(f, FORGE_SIGNING_TIME, OID_SIGNING_TIME,
                        DER_BYTES(0x17, 13, '2', '8', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0', 'Z'));
}
static void signing_certificate_v1(Forge *f) {
    uint8_t value[8 + EVP_MAX_MD_SIZE] = {0x30, 26, 0x30, 24, 0x30, 22, 4, 20};
    unsigned size;
    ck_assert_int_eq(EVP_Digest(leaf->der, leaf->der_size, value + 8, &size, EVP_sha1(), NULL), 1);
    forge_attribute_set(f, FORGE_SIGNING_CERTIFICATE, OID_PKCS(9, 16, 2, 12), (DerBytes){value, 8 + 20});
}
static void unsigned_added(Forge *f) {
    f->unsigned_attribute = true;
}
static void crls_added(Forge *f) {
    f->crls = true;
}
static void content_replaced(Forge *f) {
    f->content = (DerBytes){(const uint8_t *)"Başka bir metin", 15};
}
static void digest_short(Forge *f) {
    forge_attribute_set(f, FORGE_MESSAGE_DIGEST, OID_MESSAGE_DIGEST, DER_BYTES(4, 2, 1, 2));
}
static void digest_not_octets(Forge *f) {
    forge_attribute_set(f, FORGE_MESSAGE_DIGEST, OID_MESSAGE_DIGEST, DER_BYTES(5, 0));
}
/* The twin takes the certificate's place and signs itself. */
static void certificate_swapped(Forge *f) {
    forge_buffer_set(&f->certificates, (DerBytes){twin->der, twin->der_size});
    f->key = twin->key;
}
static void ess_empty(Forge *f) {
    forge_attribute_set(f, FORGE_SIGNING_CERTIFICATE, OID_SIGNING_CERTIFICATE_V2, DER_BYTES(0x30, 2, 0x30, 0));
}
static void ess_not_sequence(Forge *f) {
    forge_attribute_set(f, FORGE_SIGNING_CERTIFICATE, OID_SIGNING_CERTIFICATE_V2, DER_BYTES(5, 0));
}
static void ess_other_hash(Forge *f) {
    forge_signing_certificate(f, (DerBytes){other->der, other->der_size}, HASH_SHA256, (DerBytes){0}, (DerBytes){0},
                              (DerBytes){0});
}
static void ess_default_written(Forge *f) {
    DerBytes sha256 = DER_BYTES(0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1);
    forge_signing_certificate(f, LEAF, HASH_SHA256, sha256, (DerBytes){0}, (DerBytes){0});
}
static void ess_wrong_serial(Forge *f) {
    DerBytes issuer, serial;
    certificate_names(LEAF, &issuer, &serial);
    forge_signing_certificate(f, LEAF, HASH_SHA256, (DerBytes){0}, issuer, DER_BYTES(2, 1, 7));
}
static void ess_wrong_issuer(Forge *f) {
    DerBytes issuer, serial;
    certificate_names(LEAF, &issuer, &serial);
    forge_signing_certificate(f, LEAF, HASH_SHA256, (DerBytes){0}, DER_BYTES(0x30, 0), serial);
}
/* The right identifier with something after it, at two depths: another identifier, or policies. */
static void ess_followed(Forge *f, bool inside) {
    uint8_t digest[HASH_SIZE_MAX];
    DerBuffer value = {0};
    hash_bytes(HASH_SHA256, LEAF, digest);
    der_append_element(&value, DER_OCTET_STRING, (DerBytes){digest, 32});
    der_wrap(&value, 0, DER_SEQUENCE);
    if (inside)
        der_append(&value, DER_BYTES(0x30, 2, 4, 0));
    der_wrap(&value, 0, DER_SEQUENCE);
    if (!inside)
        der_append(&value, DER_BYTES(0x30, 0));
    der_wrap(&value, 0, DER_SEQUENCE);
    forge_attribute_set(f, FORGE_SIGNING_CERTIFICATE, OID_SIGNING_CERTIFICATE_V2, (DerBytes){value.bytes, value.size});
    der_buffer_free(&value);
}
static void ess_two(Forge *f) {
    ess_followed(f, true);
}
static void ess_policies(Forge *f) {
    ess_followed(f, false);
}
static void signature_flipped(Forge *f) {
    f->flip_signature = true;
}
static void signature_of_other_key(Forge *f) {
    f->key = other->key;
}

#define E  CADES_CHECK_ENCODING
#define EC EONAY_MECH_ECDSA_SHA256

static const struct {
    const char *name;
    void (*change)(Forge *);
    CadesCheck failed;
} corpus[] = {
    {"constructed content", content_constructed, E},
    {"version 3", version_three, E},
    {"signer version 3", signer_version_three, E},
    {"both versions 3", versions_three, E},
    {"attributes not in order", attribute_unsorted, E},
    {"certificates not in order", certificates_unsorted, E},
    {"more attributes than anybody needs", attribute_many, E},
    {"other content type", content_type_other, CADES_CHECK_CONTENT_TYPE},
    {"detached", content_detached, CADES_CHECK_CONTENT_TYPE},
    {"no signer", signers_none, CADES_CHECK_ONE_SIGNER},
    {"two signers", signers_two, CADES_CHECK_ONE_SIGNER},
    {"no certificate", certificates_none, CADES_CHECK_CERTIFICATE},
    {"only another certificate", certificates_other, CADES_CHECK_CERTIFICATE},
    {"two certificates of that name", certificates_twins, CADES_CHECK_CERTIFICATE},
    {"an attribute certificate too", certificates_attribute, CADES_CHECK_CERTIFICATE},
    {"other serial number", sid_other_serial, CADES_CHECK_CERTIFICATE},
    {"named by key identifier", sid_key_identifier, CADES_CHECK_CERTIFICATE},
    {"message digest algorithm differs", digest_set_other, CADES_CHECK_ALGORITHM},
    {"two digest algorithms", digest_set_two, CADES_CHECK_ALGORITHM},
    {"no digest algorithm", digest_set_empty, CADES_CHECK_ALGORITHM},
    {"digest contradicts signature algorithm", digest_contradicts, CADES_CHECK_ALGORITHM},
    {"SHA-1", digest_sha1, CADES_CHECK_ALGORITHM},
    {"algorithm of another kind of key", algorithm_of_rsa, CADES_CHECK_ALGORITHM},
    {"ECDSA with parameters", algorithm_ecdsa_with_null, CADES_CHECK_ALGORITHM},
    {"after the policy's end", time_after_policy, CADES_CHECK_ALGORITHM},
    {"no signed attributes", attributes_none, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"no content type", attribute_no_content_type, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"no signing time", attribute_no_signing_time, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"no message digest", attribute_no_message_digest, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"no signing certificate", attribute_no_signing_certificate, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"two content types", attribute_two_content_types, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"two signing times", attribute_two_signing_times, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"two message digests", attribute_two_message_digests, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"two signing certificates", attribute_two_signing_certificates, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"extra attribute", attribute_extra, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"two values", attribute_two_values, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"no value", attribute_no_value, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"signed content type differs", attribute_content_type_other, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"signing-certificate v1", signing_certificate_v1, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"GeneralizedTime before 2050", time_generalized, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"time without seconds", time_without_seconds, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"the 30th of February", time_impossible, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"unsigned attribute", unsigned_added, CADES_CHECK_UNSIGNED_ATTRIBUTES},
    {"revocation lists", crls_added, CADES_CHECK_UNSIGNED_ATTRIBUTES},
    {"content replaced", content_replaced, CADES_CHECK_MESSAGE_DIGEST},
    {"short digest", digest_short, CADES_CHECK_MESSAGE_DIGEST},
    {"digest of another type", digest_not_octets, CADES_CHECK_MESSAGE_DIGEST},
    {"certificate swapped", certificate_swapped, CADES_CHECK_SIGNING_CERTIFICATE},
    {"no certificate identifier", ess_empty, CADES_CHECK_SIGNING_CERTIFICATE},
    {"signing certificate of another type", ess_not_sequence, CADES_CHECK_SIGNING_CERTIFICATE},
    {"hash of another certificate", ess_other_hash, CADES_CHECK_SIGNING_CERTIFICATE},
    {"DEFAULT written out", ess_default_written, CADES_CHECK_SIGNING_CERTIFICATE},
    {"wrong serial in issuerSerial", ess_wrong_serial, CADES_CHECK_SIGNING_CERTIFICATE},
    {"wrong issuer in issuerSerial", ess_wrong_issuer, CADES_CHECK_SIGNING_CERTIFICATE},
    {"two certificate identifiers", ess_two, CADES_CHECK_SIGNING_CERTIFICATE},
    {"policies", ess_policies, CADES_CHECK_SIGNING_CERTIFICATE},
    {"signature flipped", signature_flipped, CADES_CHECK_SIGNATURE},
    {"signed by another key", signature_of_other_key, CADES_CHECK_SIGNATURE},
};

#define N_CORPUS (sizeof(corpus) / sizeof(corpus[0]))

static CadesReport *verify(const uint8_t *bytes, size_t size) {
    CadesReport *report = NULL;
    ck_assert_int_eq(cades_verify(bytes, size, NULL, &report), 0);
    return report;
}

static void message_make(Forge *f, DerBuffer *ret) {
    ck_assert(forge_message(f, ret));
}

START_TEST(each_wrong_message_fails_its_check) {
    Forge f;
    DerBuffer message;
    forge_init(&f, leaf, EC);
    corpus[_i].change(&f);
    message_make(&f, &message);
    CadesReport *report = verify(message.bytes, message.size);
    ck_assert_msg(!report->valid, "%s: valid", corpus[_i].name);
    ck_assert_msg(report->failed == corpus[_i].failed, "%s: %s (%s)", corpus[_i].name, cades_check_name(report->failed),
                  report->detail);
    ck_assert_str_ne(report->detail, "");
    cades_report_free(report);
    der_buffer_free(&message);
    forge_clear(&f);
}
END_TEST

/* What other programs write differently and is right all the same. */

static void good_ess_sha512(Forge *f) {
    DerBytes sha512 = DER_BYTES(0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0);
    forge_signing_certificate(f, LEAF, HASH_SHA512, sha512, (DerBytes){0}, (DerBytes){0});
}
static void good_ess_issuer_serial(Forge *f) {
    DerBytes issuer, serial;
    certificate_names(LEAF, &issuer, &serial);
    forge_signing_certificate(f, LEAF, HASH_SHA256, (DerBytes){0}, issuer, serial);
}
static void good_digest_with_null(Forge *f) {
    DerBytes sha256 = DER_BYTES(0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0);
    forge_buffer_set(&f->digest_set, sha256);
    forge_buffer_set(&f->digest_identifier, sha256);
}
static void good_more_certificates(Forge *f) {
    DerBytes one = LEAF, two = {other->der, other->der_size};
    bool ordered = der_compare(one, two) <= 0;
    forge_buffer_set(&f->certificates, ordered ? one : two);
    der_append(&f->certificates, ordered ? two : one);
}
static void good_empty_content(Forge *f) {
    uint8_t value[2 + HASH_SIZE_MAX] = {4, 32};
    f->content.n = 0;
    hash_bytes(HASH_SHA256, f->content, value + 2);
    forge_attribute_set(f, FORGE_MESSAGE_DIGEST, OID_MESSAGE_DIGEST, (DerBytes){value, 2 + 32});
}
static void good_as_it_is(Forge *f) {
    (void)f;
}

static void (*const good[])(Forge *) = {
    good_as_it_is,         good_ess_sha512,        good_ess_issuer_serial,
    good_digest_with_null, good_more_certificates, good_empty_content,
};

START_TEST(each_right_variant_passes) {
    Forge f;
    DerBuffer message;
    forge_init(&f, leaf, EC);
    good[_i](&f);
    message_make(&f, &message);
    CadesReport *report = verify(message.bytes, message.size);
    ck_assert_msg(report->valid, "%d: %s", _i, report->detail);
    cades_report_free(report);
    der_buffer_free(&message);
    forge_clear(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- RSA -- */

static CadesReport *rsa_verify(uint32_t mechanism, void (*change)(Forge *)) {
    Forge f;
    DerBuffer message;
    forge_init(&f, rsa_leaf, mechanism);
    if (change)
        change(&f);
    message_make(&f, &message);
    CadesReport *report = verify(message.bytes, message.size);
    der_buffer_free(&message);
    forge_clear(&f);
    return report;
}

static void rsa_plain_identifier(Forge *f) {
    forge_buffer_set(&f->signature_identifier,
                     DER_BYTES(0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0));
}
static void rsa_no_null(Forge *f) {
    forge_buffer_set(&f->signature_identifier,
                     DER_BYTES(0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11));
}
static void pss_salt_20(Forge *f) {
    f->salt = 20;
}
/* The identifier tells the truth, and the truth is not permitted. */
static void pss_salt_20_written(Forge *f) {
    f->salt = 20;
    f->signature_identifier.bytes[f->signature_identifier.size - 1] = 20;
}
static void pss_parameters_of_sha512(Forge *f) {
    signature_identifier_set(f, EONAY_MECH_RSA_PSS_SHA512);
}
static void pss_no_parameters(Forge *f) {
    forge_buffer_set(&f->signature_identifier,
                     DER_BYTES(0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10));
}
/* MGF1 with SHA-384 beside SHA-256: the last byte of the second hash identifier, before its NULL and the salt. */
static void pss_other_mgf_hash(Forge *f) {
    f->signature_identifier.bytes[f->signature_identifier.size - 8] = 2;
}
static void pss_other_hash(Forge *f) {
    f->signature_identifier.bytes[29] = 2; /* the last byte of the first hash identifier */
}
/* trailerField, the DEFAULT written out. */
static void pss_trailer(Forge *f) {
    DerBuffer *b = &f->signature_identifier;
    der_append(b, DER_BYTES(DER_CONTEXT_2 + 1, 3, 2, 1, 1));
    b->bytes[1] += 5;
    b->bytes[14] += 5;
}
static void pkcs1_called_pss(Forge *f) {
    signature_identifier_set(f, EONAY_MECH_RSA_PSS_SHA256);
}
static void ecdsa_called(Forge *f) {
    signature_identifier_set(f, EONAY_MECH_ECDSA_SHA256);
}

#define PKCS1 EONAY_MECH_RSA_PKCS1_SHA256
#define PSS   EONAY_MECH_RSA_PSS_SHA256

static const struct {
    uint32_t mechanism;
    void (*change)(Forge *);
    int failed; /* -1: valid */
} rsa_corpus[] = {
    {PKCS1, NULL, -1},
    {PSS, NULL, -1},
    {PKCS1, rsa_plain_identifier, -1},
    {PKCS1, rsa_no_null, CADES_CHECK_ALGORITHM},
    {PSS, pss_salt_20, CADES_CHECK_SIGNATURE},
    {PSS, pss_salt_20_written, CADES_CHECK_ALGORITHM},
    {PSS, pss_parameters_of_sha512, CADES_CHECK_ALGORITHM},
    {PSS, pss_no_parameters, CADES_CHECK_ALGORITHM},
    {PSS, pss_other_mgf_hash, CADES_CHECK_ALGORITHM},
    {PSS, pss_other_hash, CADES_CHECK_ALGORITHM},
    {PSS, pss_trailer, CADES_CHECK_ALGORITHM},
    {PKCS1, pkcs1_called_pss, CADES_CHECK_SIGNATURE},
    {PKCS1, ecdsa_called, CADES_CHECK_ALGORITHM},
};

START_TEST(rsa_corpus_gives_its_checks) {
    CadesReport *report = rsa_verify(rsa_corpus[_i].mechanism, rsa_corpus[_i].change);
    ck_assert_msg(report->valid == (rsa_corpus[_i].failed < 0), "%d: %s", _i, report->detail);
    if (!report->valid)
        ck_assert_msg((int)report->failed == rsa_corpus[_i].failed, "%d: %s", _i, report->detail);
    cades_report_free(report);
}
END_TEST

START_TEST(a_weak_key_is_refused) {
    Forge f;
    DerBuffer message;
    PkiLeaf *weak = NULL;
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.profile = "weak-key"}, &weak), 0);
    forge_init(&f, weak, PKCS1);
    message_make(&f, &message);
    CadesReport *report = verify(message.bytes, message.size);
    ck_assert(!report->valid && report->failed == CADES_CHECK_ALGORITHM);
    cades_report_free(report);
    der_buffer_free(&message);
    forge_clear(&f);
    pki_leaf_free(weak);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- damage -- */

static void good_message(const PkiLeaf *of, uint32_t mechanism, DerBuffer *ret) {
    Forge f;
    forge_init(&f, of, mechanism);
    message_make(&f, ret);
    forge_clear(&f);
}

static bool valid(const uint8_t *bytes, size_t size) {
    CadesReport *report = verify(bytes, size);
    bool answer = report->valid;
    cades_report_free(report);
    return answer;
}

START_TEST(no_flipped_byte_passes) {
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    DerBuffer message;
    good_message(_i == 0 ? leaf : rsa_leaf, _i == 0 ? EC : PKCS1, &message);
    ck_assert(valid(message.bytes, message.size));
    for (size_t i = 0; i < message.size; i++)
        for (size_t m = 0; m < sizeof(masks); m++) {
            message.bytes[i] ^= masks[m];
            ck_assert_msg(!valid(message.bytes, message.size), "byte %zu mask %02x", i, masks[m]);
            message.bytes[i] ^= masks[m];
        }
    der_buffer_free(&message);
}
END_TEST

START_TEST(no_truncation_passes) {
    DerBuffer message;
    good_message(leaf, EC, &message);
    for (size_t size = 0; size < message.size; size++) {
        uint8_t *exact = malloc(size > 0 ? size : 1); /* so that a sanitizer sees a read beyond */
        memcpy(exact, message.bytes, size);
        CadesReport *report = verify(exact, size);
        ck_assert(!report->valid && report->failed == CADES_CHECK_ENCODING);
        cades_report_free(report);
        free(exact);
    }
    der_buffer_free(&message);
}
END_TEST

START_TEST(nothing_may_follow) {
    static const uint8_t tails[][2] = {{0, 0}, {5, 0}, {'\r', '\n'}};
    DerBuffer message;
    good_message(leaf, EC, &message);
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 1; n <= 2; n++) {
            DerBuffer longer = {0};
            der_append(&longer, (DerBytes){message.bytes, message.size});
            der_append(&longer, (DerBytes){tails[i], n});
            CadesReport *report = verify(longer.bytes, longer.size);
            ck_assert(!report->valid && report->failed == CADES_CHECK_ENCODING);
            cades_report_free(report);
            der_buffer_free(&longer);
        }
    der_buffer_free(&message);
}
END_TEST

/* The outer SEQUENCE with indefinite length, and with a length of one octet more than needed. */
START_TEST(ber_lengths_are_refused) {
    DerBuffer message;
    DerElement outer;
    good_message(leaf, EC, &message);
    DerBytes rest = {message.bytes, message.size};
    ck_assert(der_read(&rest, &outer));
    DerBuffer indefinite = {0}, padded = {0};
    der_append(&indefinite, DER_BYTES(0x30, 0x80));
    der_append(&indefinite, outer.value);
    der_append(&indefinite, DER_BYTES(0, 0));
    der_append(&padded, DER_BYTES(0x30, 0x83, 0, (uint8_t)(outer.value.n >> 8), (uint8_t)outer.value.n));
    der_append(&padded, outer.value);
    CadesReport *report = verify(indefinite.bytes, indefinite.size);
    ck_assert(!report->valid && report->failed == CADES_CHECK_ENCODING);
    cades_report_free(report);
    report = verify(padded.bytes, padded.size);
    ck_assert(!report->valid && report->failed == CADES_CHECK_ENCODING);
    cades_report_free(report);
    der_buffer_free(&indefinite);
    der_buffer_free(&padded);
    der_buffer_free(&message);
}
END_TEST

/*
 * Copies `in`, with a NULL put at the end of the constructed element number *number, counted from the outside in;
 * lengths stay right. Certificates and contents are primitive for it.
 */
static void stuff(DerBytes in, int *number, DerBuffer *out) {
    DerElement element;
    while (der_read(&in, &element)) {
        if (!(element.tag & 0x20)) {
            der_append(out, element.whole);
            continue;
        }
        bool here = (*number)-- == 0;
        size_t from = out->size;
        stuff(element.value, number, out);
        if (here)
            der_append(out, DER_BYTES(DER_NULL, 0));
        der_wrap(out, from, element.tag);
    }
}

START_TEST(nothing_may_be_added_inside) {
    DerBuffer message;
    int number, added = 0;
    good_message(_i == 0 ? leaf : rsa_leaf, _i == 0 ? EC : PSS, &message);
    for (int k = 0;; k++) {
        DerBuffer stuffed = {0};
        number = k;
        stuff((DerBytes){message.bytes, message.size}, &number, &stuffed);
        bool same = stuffed.size == message.size;
        ck_assert_msg(valid(stuffed.bytes, stuffed.size) == same, "element %d", k);
        added += !same;
        der_buffer_free(&stuffed);
        if (same)
            break;
    }
    ck_assert_int_gt(added, 50);
    der_buffer_free(&message);
}
END_TEST

/* Right in every way but its size. */
START_TEST(a_message_beyond_the_limit_is_refused) {
    Forge f;
    DerBuffer message;
    size_t size = 8u * 1024 * 1024;
    uint8_t *content = calloc(1, size), digest[2 + HASH_SIZE_MAX] = {4, 32};
    for (int i = 0; i < 2; i++) {
        forge_init(&f, leaf, EC);
        f.content = (DerBytes){content, i == 0 ? size : size - 4096};
        hash_bytes(HASH_SHA256, f.content, digest + 2);
        forge_attribute_set(&f, FORGE_MESSAGE_DIGEST, OID_MESSAGE_DIGEST, (DerBytes){digest, 34});
        message_make(&f, &message);
        ck_assert(valid(message.bytes, message.size) == (i == 1));
        der_buffer_free(&message);
        forge_clear(&f);
    }
    free(content);
}
END_TEST

START_TEST(huge_and_empty_input_is_refused) {
    size_t size = 9u * 1024 * 1024;
    uint8_t *zeros = calloc(1, size);
    ck_assert_ptr_nonnull(zeros);
    ck_assert(!valid(zeros, size));
    ck_assert(!valid(zeros, 0));
    ck_assert(!valid(NULL, 0));
    memset(zeros, 0x30, size); /* deep nesting */
    ck_assert(!valid(zeros, size));
    ck_assert(!valid(zeros, 1024));
    free(zeros);
}
END_TEST

/* A fixed sequence of random damage, so that a failure can be repeated. */
START_TEST(random_damage_never_passes) {
    uint32_t state = 20261122u + (uint32_t)_i;
    DerBuffer message;
    good_message(leaf, EC, &message);
    uint8_t *copy = malloc(message.size);
    for (int round = 0; round < 3000; round++) {
        memcpy(copy, message.bytes, message.size);
        for (int n = 0; n < 1 + round % 4; n++) {
            state = state * 1664525u + 1013904223u;
            copy[(state >> 8) % message.size] ^= (uint8_t)(1u << (state >> 29));
        }
        if (memcmp(copy, message.bytes, message.size) != 0)
            ck_assert_msg(!valid(copy, message.size), "round %d", round);
    }
    free(copy);
    der_buffer_free(&message);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cades-negative");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, each_wrong_message_fails_its_check, 0, N_CORPUS);
    tcase_add_loop_test(tcase, each_right_variant_passes, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(tcase, rsa_corpus_gives_its_checks, 0, sizeof(rsa_corpus) / sizeof(rsa_corpus[0]));
    tcase_add_loop_test(tcase, no_flipped_byte_passes, 0, 2);
    tcase_add_test(tcase, no_truncation_passes);
    tcase_add_test(tcase, nothing_may_follow);
    tcase_add_test(tcase, ber_lengths_are_refused);
    tcase_add_test(tcase, a_weak_key_is_refused);
    tcase_add_loop_test(tcase, nothing_may_be_added_inside, 0, 2);
    tcase_add_test(tcase, a_message_beyond_the_limit_is_refused);
    tcase_add_test(tcase, huge_and_empty_input_is_refused);
    tcase_add_loop_test(tcase, random_damage_never_passes, 0, 4);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
