/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which algorithms may make or stand under a signature, and until when: the Tebliğ's article 6 (RG 06.01.2005/25692 as
 * extended to 2027-12-31 by RG 04.10.2025/33345), which follows ETSI TS 119 312. Data, not code: algorithm-policy.c
 * holds one table of rows with a last valid moment.
 */
#ifndef EONAY_ALGORITHM_POLICY_H
#define EONAY_ALGORITHM_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a signer key of this type and size (bits) may sign at that time. type: "rsa", "ec". */
bool algorithm_policy_key(const char *type, unsigned bits, int64_t usec);
/* Whether a hash (OpenSSL's long name in lower case, "sha256") may be used in a signature made at that time. */
bool algorithm_policy_hash(const char *hash, int64_t usec);
/* The last moment of the newest rows, for status displays. */
int64_t algorithm_policy_valid_until(void);

#endif
