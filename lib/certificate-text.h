/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: a certificate's names as text that can be shown and sent: valid UTF-8, nothing invisible in it. */
#ifndef EONAY_LIB_CERTIFICATE_TEXT_H
#define EONAY_LIB_CERTIFICATE_TEXT_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies text. Control characters (C0, DEL, C1), line and paragraph separators, and characters that are invisible or
 * change the direction of writing become \XX per byte, as RFC 2253 writes bytes. NULL when it is not UTF-8 or without
 * memory; free() it.
 */
char *text_escape(const uint8_t *text, size_t size);
/* A whole name in RFC 2253 order. NULL as above. */
char *name_text(const X509_NAME *name);
/* The first attribute of this kind; "" when there is none. *ret_n tells how many there are. NULL as above. */
char *name_attribute_text(const X509_NAME *name, int nid, int *ret_n);
/* Lower-case hex without leading zeros; NULL without memory. */
char *serial_text(const ASN1_INTEGER *serial);
/* Dotted, NULL without memory. */
char *oid_text(const ASN1_OBJECT *oid);

#endif
