/* SPDX-License-Identifier: Apache-2.0 */
#include "revocation-times.h"

#include <openssl/objects.h>
#include <time.h>

#include "algorithm-policy.h"
#include "signature-algorithm.h"

#define USEC 1000000

bool revocation_time(const ASN1_TIME *time, int64_t *ret) {
    struct tm tm;
    *ret = 0;
    if (!time)
        return true;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *ret = (int64_t)timegm(&tm);
    return true;
}

const char *revocation_times_check(const RevocationAnswer *a, const RevocationExpectation *e) {
    int64_t age_max = e->age_max != 0 ? e->age_max : REVOCATION_AGE_MAX;
    if (a->next_update != 0 && a->next_update < a->this_update)
        return "the answer ends before it begins";
    if (e->any_time)
        return NULL;
    if (a->this_update > e->at + REVOCATION_SKEW)
        return "the answer is from the future";
    if (a->next_update != 0 ? a->next_update < e->at : a->this_update + age_max < e->at)
        return "the answer is stale";
    if (e->not_before != 0 && a->this_update < e->not_before)
        return "the answer is older than asked for";
    return NULL;
}

bool revocation_algorithm_permitted(const X509_ALGOR *algorithm, EVP_PKEY *key, int64_t at) {
    const ASN1_OBJECT *oid;
    int hash = NID_undef, pkey = NID_undef;
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    SignerKey kind = signer_key_describe(key);
    if (!algorithm_policy_key(kind.type, kind.bits, at * USEC))
        return false;
    if (OBJ_obj2nid(oid) == NID_rsassaPss)
        return true; /* libcrypto refuses SHA-1 in it at the security level that the chain is held to */
    if (OBJ_find_sigid_algs(OBJ_obj2nid(oid), &hash, &pkey) != 1)
        return false;
    return hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512;
}
