/* SPDX-License-Identifier: Apache-2.0 */
/* The library as a whole: how it starts libcrypto. */
#ifndef EONAY_SIGNATURE_H
#define EONAY_SIGNATURE_H

/* The largest message, and the largest content, that the library makes or reads. */
#define SIGNATURE_SIZE_MAX (8u * 1024 * 1024)
/* The largest certificate. */
#define SIGNATURE_CERTIFICATE_SIZE_MAX (64u * 1024)

/*
 * Starts libcrypto without its configuration file, so that no provider or engine module is ever loaded into the process
 * whatever openssl.cnf or OPENSSL_CONF say. To be called before any other use of libcrypto in the process; may be
 * called again, and every entry point of the library does so itself.
 */
void signature_init(void);

#endif
