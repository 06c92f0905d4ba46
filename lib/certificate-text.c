/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name in a certificate may hold anything that its issuer let through: line ends that forge log lines, a direction
 * override that turns a name around, bytes that are no UTF-8 and would make a bus drop the message. Letters are never
 * changed: there is no case mapping here, so ı, İ, i and I stay what they are in every locale.
 */
#include "certificate-text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openssl-cleanup.h"

#define OID_TEXT_MAX 256

/* The length of the UTF-8 sequence at p and its code point; 0 when it is not valid (RFC 3629). */
static size_t utf8_read(const uint8_t *p, size_t n, uint32_t *ret) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (size == 0 || size > n)
        return 0;
    uint32_t c = size == 1 ? p[0] : p[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return size;
}

/* What cannot be seen, or moves what can be. */
static bool character_hidden(uint32_t c) {
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return true;
    return false;
}

char *text_escape(const uint8_t *text, size_t size) {
    static const char digits[] = "0123456789ABCDEF";
    char *escaped = malloc(size * 3 + 1), *end = escaped;
    for (size_t i = 0; escaped && i < size;) {
        uint32_t c;
        size_t n = utf8_read(text + i, size - i, &c);
        if (n == 0) {
            free(escaped);
            return NULL;
        }
        for (size_t last = i + n; i < last; i++) {
            if (!character_hidden(c)) {
                *end++ = (char)text[i];
                continue;
            }
            *end++ = '\\';
            *end++ = digits[text[i] >> 4];
            *end++ = digits[text[i] & 0xf];
        }
    }
    if (escaped)
        *end = '\0';
    return escaped;
}

char *name_text(const X509_NAME *name) {
    /* OpenSSL quotes what RFC 2253 wants quoted and converts every string type to UTF-8; the rest is ours. */
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    CLEANUP(BIO_free_all_p) BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    if (!bio || X509_NAME_print_ex(bio, name, 0, flags) < 0)
        return NULL;
    long size = BIO_get_mem_data(bio, &data);
    return size >= 0 ? text_escape((const uint8_t *)data, (size_t)size) : NULL;
}

char *name_attribute_text(const X509_NAME *name, int nid, int *ret_n) {
    int first = X509_NAME_get_index_by_NID(name, nid, -1), n = 0;
    for (int i = first; i >= 0; i = X509_NAME_get_index_by_NID(name, nid, i))
        n++;
    *ret_n = n;
    if (n == 0)
        return text_escape((const uint8_t *)"", 0);
    CLEANUP(openssl_bytes_free_p) unsigned char *utf8 = NULL;
    int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, first)));
    return size >= 0 ? text_escape(utf8, (size_t)size) : NULL;
}

char *serial_text(const ASN1_INTEGER *serial) {
    const uint8_t *p = ASN1_STRING_get0_data(serial);
    size_t n = (size_t)ASN1_STRING_length(serial);
    while (n > 1 && p[0] == 0) {
        p++;
        n--;
    }
    char *text = malloc(n * 2 + 3), *end = text;
    if (!text)
        return NULL;
    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        *end++ = '-';
    end += sprintf(end, "%x", n > 0 ? p[0] : 0);
    for (size_t i = 1; i < n; i++)
        end += sprintf(end, "%02x", p[i]);
    return text;
}

char *oid_text(const ASN1_OBJECT *oid) {
    char text[OID_TEXT_MAX];
    int n = OBJ_obj2txt(text, sizeof(text), oid, 1);
    return n > 0 && n < (int)sizeof(text) ? strdup(text) : strdup("?");
}
