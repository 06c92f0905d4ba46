/* SPDX-License-Identifier: Apache-2.0 */
/* What a distribution point gives, from the network or out of a signature. */
#include "crl.h"
#include "fuzz.h"

static CadesBlob certificate, issuer;

void fuzz_begin(const char *seeds) {
    certificate.bytes = fuzz_file(seeds, "fixed/signer", &certificate.size);
    issuer.bytes = fuzz_file(seeds, "fixed/ca", &issuer.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const RevocationExpectation e = {.at = 1800000000, .any_time = size % 2 == 0};
    CadesBlob value = {data, size};
    RevocationAnswer answer;
    crl_verify(&value, &certificate, &issuer, &e, &answer);
    return 0;
}
