/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which algorithms may make or stand under a signature, and until when: the Tebliğ's article 6 (RG 06.01.2005/25692 as
 * extended to 2027-12-31 by RG 04.10.2025/33345), which follows ETSI TS 119 312, and the end that the latter has for
 * each mechanism. Data, not code: algorithm-policy.c holds tables of rows with both last moments; the earlier one
 * counts.
 */
#ifndef EONAY_ALGORITHM_POLICY_H
#define EONAY_ALGORITHM_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a signer key of this type and size (bits) may sign at that time. type: "rsa", "ec". */
bool algorithm_policy_key(const char *type, unsigned bits, int64_t usec);
/* Whether a hash (OpenSSL's long name in lower case, "sha256") may be used in a signature made at that time. */
bool algorithm_policy_hash(const char *hash, int64_t usec);
/* The last moment, microseconds, of signatures by such a key with this algorithm ("rsa-pkcs1-sha256"); 0: never.
 * ret_european: what it would be without the Turkish list; INT64_MAX: no end is told yet; may be NULL. */
int64_t algorithm_policy_until(const char *type, unsigned bits, const char *algorithm, int64_t *ret_european);
/* The last moment of the newest rows, for status displays. */
int64_t algorithm_policy_valid_until(void);

#endif
