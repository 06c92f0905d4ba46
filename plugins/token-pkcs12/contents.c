/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#12 file (RFC 7292) is an AuthenticatedSafe under a MAC: a list of parts, each in the clear or encrypted with
 * the passphrase, each holding bags with one certificate or one key (usually encrypted once more). PKCS12_parse() would
 * give one key and one certificate and decrypt every key for it; the walk here visits every bag and decrypts a key only
 * when it is asked for.
 */
#include <openssl/err.h>
#include <string.h>

#include "p12.h"

#define DEPTH_MAX 4

static const char *secret_text(const EonaySecret *secret) {
    return (const char *)secret->bytes;
}

static int file_parse(const P12 *p, PKCS12 **ret) {
    const unsigned char *at = p->bytes;
    PKCS12 *file = PKCS12_init_ex(NID_pkcs7_data, p->library, NULL);

    if (!file)
        return -ENOMEM;
    /* Frees `file` when it fails. */
    if (!d2i_PKCS12(&file, &at, (long)p->size))
        return fault_text(p, EONAY_ERROR_FILE_INVALID, "this is no PKCS#12 file, or a part of it is missing");
    if (at != p->bytes + p->size) {
        PKCS12_free(file);
        return fault_text(p, EONAY_ERROR_FILE_INVALID, "something follows the end of the PKCS#12 file");
    }
    *ret = file;
    return 0;
}

static int mac_check(const P12 *p, PKCS12 *file, const EonaySecret *secret) {
    if (secret->size == 0 || memchr(secret->bytes, '\0', secret->size))
        return fault_text(p, EONAY_ERROR_PIN_FORMAT, "the passphrase is empty or has a NUL in it");
    if (!PKCS12_mac_present(file))
        return 0;
    ERR_clear_error();
    if (PKCS12_verify_mac(file, secret_text(secret), (int)secret->size) == 1)
        return 0;
    if (ERR_peek_error() != 0)
        return fault_text(p, EONAY_ERROR_FILE_INVALID, "the MAC of the file cannot be computed");
    return fault_text(p, EONAY_ERROR_PIN_INCORRECT, "the passphrase does not open the file");
}

int contents_open(const P12 *p, const EonaySecret *secret, Contents *ret) {
    PKCS12 *file = NULL;

    int r = file_parse(p, &file);
    if (r == 0 && secret)
        r = mac_check(p, file, secret);
    if (r != 0) {
        PKCS12_free(file);
        return r;
    }
    *ret = (Contents){.p12 = p, .file = file, .secret = secret};
    return 0;
}

void contents_close(Contents *contents) {
    PKCS12_free(contents->file);
    contents->file = NULL;
}

/* After a good MAC the passphrase is right; without one it is the likelier culprit. */
static int decrypt_fault(const Contents *contents) {
    const P12 *p = contents->p12;

    if (!PKCS12_mac_present(contents->file))
        return fault_text(p, EONAY_ERROR_PIN_INCORRECT, "the passphrase does not decrypt the file");
    if (!p->legacy)
        return fault_text(p, EONAY_ERROR_FILE_INVALID,
                          "the file may be encrypted with RC2 or DES, for which OpenSSL's legacy provider is missing");
    return fault_text(p, EONAY_ERROR_FILE_INVALID, "the file cannot be decrypted");
}

static int bags_walk(const Contents *contents, const STACK_OF(PKCS12_SAFEBAG) * bags, ContentsVisit visit, void *data,
                     int depth) {
    int r = 0;

    if (depth > DEPTH_MAX)
        return fault_text(contents->p12, EONAY_ERROR_FILE_INVALID, "the file is nested too deeply");
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags) && r == 0; i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        if (PKCS12_SAFEBAG_get_nid(bag) == NID_safeContentsBag)
            r = bags_walk(contents, PKCS12_SAFEBAG_get0_safes(bag), visit, data, depth + 1);
        else
            r = visit(contents, bag, data);
    }
    return r;
}

static int part_walk(const Contents *contents, PKCS7 *part, ContentsVisit visit, void *data) {
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

    if (PKCS7_type_is_data(part)) {
        bags = PKCS12_unpack_p7data(part);
        if (!bags)
            return fault_text(contents->p12, EONAY_ERROR_FILE_INVALID, "a part of the file cannot be parsed");
    } else if (PKCS7_type_is_encrypted(part)) {
        if (!contents->secret)
            return 0;
        bags = PKCS12_unpack_p7encdata(part, secret_text(contents->secret), (int)contents->secret->size);
        if (!bags)
            return decrypt_fault(contents);
    } else {
        return fault_text(contents->p12, EONAY_ERROR_FILE_INVALID, "a part of the file is not encrypted by passphrase");
    }
    int r = bags_walk(contents, bags, visit, data, 0);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return r;
}

int contents_walk(const Contents *contents, ContentsVisit visit, void *data) {
    STACK_OF(PKCS7) *parts = PKCS12_unpack_authsafes(contents->file);
    int r = 0;

    if (!parts)
        return fault_text(contents->p12, EONAY_ERROR_FILE_INVALID, "the parts of the file cannot be parsed");
    for (int i = 0; i < sk_PKCS7_num(parts) && r == 0; i++)
        r = part_walk(contents, sk_PKCS7_value(parts, i), visit, data);
    sk_PKCS7_pop_free(parts, PKCS7_free);
    ERR_clear_error();
    return r;
}

bool bag_is_key(const PKCS12_SAFEBAG *bag) {
    int nid = PKCS12_SAFEBAG_get_nid(bag);
    return nid == NID_keyBag || nid == NID_pkcs8ShroudedKeyBag;
}

bool bag_is_certificate(const PKCS12_SAFEBAG *bag) {
    return PKCS12_SAFEBAG_get_nid(bag) == NID_certBag && PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate;
}

int contents_key(const Contents *contents, const PKCS12_SAFEBAG *bag, const PKCS8_PRIV_KEY_INFO **ret,
                 PKCS8_PRIV_KEY_INFO **ret_own) {
    const P12 *p = contents->p12;
    PKCS8_PRIV_KEY_INFO *own = NULL;

    if (PKCS12_SAFEBAG_get_nid(bag) == NID_keyBag) {
        *ret = PKCS12_SAFEBAG_get0_p8inf(bag);
        *ret_own = NULL;
        return *ret ? 0 : fault_text(p, EONAY_ERROR_FILE_INVALID, "a private key in the file cannot be parsed");
    }
    own = PKCS12_decrypt_skey_ex(bag, secret_text(contents->secret), (int)contents->secret->size, p->library, NULL);
    if (!own)
        return decrypt_fault(contents);
    *ret = *ret_own = own;
    return 0;
}

X509 *contents_certificate(const Contents *contents, const PKCS12_SAFEBAG *bag) {
    X509 *parsed = PKCS12_SAFEBAG_get1_cert(bag), *certificate = NULL;
    unsigned char *der = NULL;

    int size = parsed ? i2d_X509(parsed, &der) : -1;
    if (size > 0 && size <= (int)DER_MAX)
        certificate = p12_certificate(contents->p12, der, (size_t)size);
    OPENSSL_free(der);
    X509_free(parsed);
    return certificate;
}
