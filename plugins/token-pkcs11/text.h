/* SPDX-License-Identifier: Apache-2.0 */
/* Text that a module hands out is bytes: padded with blanks, perhaps not UTF-8, perhaps with control characters. */
#ifndef EONAY_TOKEN_PKCS11_TEXT_H
#define EONAY_TOKEN_PKCS11_TEXT_H

#include <stddef.h>

/*
 * Writes clean UTF-8 with a NUL to `out`: blanks and NULs at the end dropped, every byte that is not part of valid
 * UTF-8 and every control character replaced by '?'. Text that does not fit is cut between two characters.
 */
void text_clean(const unsigned char *in, size_t size, char *out, size_t out_size);

#endif
