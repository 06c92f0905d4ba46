/* SPDX-License-Identifier: Apache-2.0 */
/* Signs as a citizen's token would, with a key from a file. For tests and the benchmark. */
#ifndef PORTAL_TEST_SIGNER_H
#define PORTAL_TEST_SIGNER_H

#include <stddef.h>
#include <stdint.h>

typedef struct Signer Signer;

/* DER certificate and PEM key. 0, or -1. */
int signer_new(const char *certificate, const char *key, Signer **ret);
void signer_free(Signer *s);
/* A CAdES-B-B message, to be free()d. */
int signer_sign(const Signer *s, const uint8_t *text, size_t size, int64_t when, uint8_t **ret, size_t *ret_size);

#endif
