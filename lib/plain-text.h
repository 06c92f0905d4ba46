/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EONAY_PLAIN_TEXT_H
#define EONAY_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether bytes are well-formed UTF-8 (RFC 3629) that shows what it is: no control characters but line feed and tab
 * (neither when lines is false), no invisible or direction-changing ones.
 */
bool plain_text_valid(const uint8_t *bytes, size_t size, bool lines);

#endif
