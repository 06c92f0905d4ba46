/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of what comes in pieces. libcrypto's, since it uses what the processor has for it. */
#ifndef EONAY_DIGEST_H
#define EONAY_DIGEST_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32u
#define DIGEST_HEX  (2u * DIGEST_SIZE + 1u) /* lower case, with its NUL */

typedef struct evp_md_ctx_st Digest;

Digest *digest_new(void);
void digest_add(Digest *d, const void *bytes, size_t size);
/* Both end and free it. */
void digest_end(Digest *d, uint8_t ret[DIGEST_SIZE]);
void digest_end_hex(Digest *d, char ret[DIGEST_HEX]);

/* Of one piece. */
void digest_of_bytes(GBytes *bytes, uint8_t ret[DIGEST_SIZE]);
/* The caller frees. */
char *digest_hex_of(const void *bytes, size_t size);
char *digest_hex_of_bytes(GBytes *bytes);

#endif
