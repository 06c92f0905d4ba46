/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not pass: a corpus of messages, each wrong in one respect and correctly signed otherwise, and the check
 * that has to find it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cades-oids.h"
#include "cades.h"
#include "certificate-der.h"
#include "forge.h"
#include "pki.h"
#include "verify.h"

static Pki *pki;
static PkiLeaf *leaf, *twin, *other;

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
    ck_assert_int_eq(pki_issue(pki, &(PkiRequest){.profile = "nes-other-person"}, &other), 0);
    twin = twin_make();
}

static void teardown(void) {
    pki_leaf_free(leaf);
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
static void signature_raw(Forge *f) {
    f->raw_signature = true;
}
static void signature_of_other_key(Forge *f) {
    f->key = other->key;
}

/* ---- signed rightly, then one byte of one attribute's value changed ---- */

static const struct {
    const char *name;
    size_t attribute, from_end; /* the byte, counted from the attribute's end */
    CadesCheck failed;
} altered[] = {
    {"content type altered", FORGE_CONTENT_TYPE, 0, CADES_CHECK_SIGNED_ATTRIBUTES},
    {"signing time altered", FORGE_SIGNING_TIME, 1, CADES_CHECK_SIGNATURE}, /* the last digit, before the Z */
    {"message digest altered", FORGE_MESSAGE_DIGEST, 0, CADES_CHECK_MESSAGE_DIGEST},
    {"signing certificate altered", FORGE_SIGNING_CERTIFICATE, 0, CADES_CHECK_SIGNING_CERTIFICATE},
};

START_TEST(each_attribute_altered_after_signing_is_refused) {
    Forge f;
    DerBuffer message;
    CadesReport *report = NULL;
    forge_init(&f, leaf, EONAY_MECH_ECDSA_SHA256);
    ck_assert(forge_message(&f, &message));
    const DerBuffer *a = &f.attribute[altered[_i].attribute];
    uint8_t *there = memmem(message.bytes, message.size, a->bytes, a->size);
    ck_assert_ptr_nonnull(there);
    there[a->size - 1 - altered[_i].from_end] ^= 1;
    ck_assert_int_eq(cades_verify(message.bytes, message.size, NULL, &report), 0);
    ck_assert_msg(!report->valid && report->failed == altered[_i].failed, "%s: %s", altered[_i].name,
                  cades_check_name(report->failed));
    cades_report_free(report);
    der_buffer_free(&message);
    forge_clear(&f);
}
END_TEST

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
    {"ECDSA as r||s", signature_raw, CADES_CHECK_SIGNATURE},
    {"signature flipped", signature_flipped, CADES_CHECK_SIGNATURE},
    {"signed by another key", signature_of_other_key, CADES_CHECK_SIGNATURE},
};

#define N_CORPUS (sizeof(corpus) / sizeof(corpus[0]))

static CadesReport *verify(const uint8_t *bytes, size_t size) {
    CadesReport *report = NULL;
    ck_assert_int_eq(cades_verify(bytes, size, NULL, &report), 0);
    return report;
}

/* How EN 319 102-1 calls the failure of each check. */
static const VerifySub subs[CADES_N_CHECKS] = {
    [CADES_CHECK_ENCODING] = VERIFY_FORMAT_FAILURE,
    [CADES_CHECK_CONTENT_TYPE] = VERIFY_FORMAT_FAILURE,
    [CADES_CHECK_ONE_SIGNER] = VERIFY_FORMAT_FAILURE,
    [CADES_CHECK_CERTIFICATE] = VERIFY_NO_SIGNING_CERTIFICATE_FOUND,
    [CADES_CHECK_ALGORITHM] = VERIFY_CRYPTO_CONSTRAINTS_FAILURE,
    [CADES_CHECK_SIGNED_ATTRIBUTES] = VERIFY_SIG_CONSTRAINTS_FAILURE,
    [CADES_CHECK_UNSIGNED_ATTRIBUTES] = VERIFY_TRY_LATER, /* they may be there at other levels */
    [CADES_CHECK_MESSAGE_DIGEST] = VERIFY_HASH_FAILURE,
    [CADES_CHECK_SIGNING_CERTIFICATE] = VERIFY_NO_SIGNING_CERTIFICATE_FOUND,
    [CADES_CHECK_SIGNATURE] = VERIFY_SIG_CRYPTO_FAILURE,
};

static void indication_check(const DerBuffer *message, size_t row) {
    VerifyReport *r = NULL;
    size_t size;
    CadesBlob anchors[] = {{pki_der(pki_ca(pki), &size), 0}};
    anchors[0].size = size;
    VerifyRequest q = {.signature = {message->bytes, message->size}, .anchors = anchors, .n_anchors = 1, .level = -1};
    VerifySub wanted = corpus[row].change == content_detached ? VERIFY_SIGNED_DATA_NOT_FOUND : subs[corpus[row].failed];
    ck_assert_int_eq(verify_signature(&q, &r), 0);
    ck_assert_msg(r->sub == wanted, "%s: %s (%s: %s)", corpus[row].name, verify_sub_name(r->sub),
                  verify_check_name(r->failed), r->detail);
    verify_report_free(r);
    OPENSSL_free((uint8_t *)anchors[0].bytes);
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
    indication_check(&message, (size_t)_i);
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

int main(void) {
    Suite *suite = suite_create("cades-negative");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, each_wrong_message_fails_its_check, 0, N_CORPUS);
    tcase_add_loop_test(tcase, each_attribute_altered_after_signing_is_refused, 0,
                        sizeof(altered) / sizeof(altered[0]));
    tcase_add_loop_test(tcase, each_right_variant_passes, 0, sizeof(good) / sizeof(good[0]));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
