/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate from a token. */
#include "certificate-profile.h"
#include "fuzz.h"
#include "signature.h"

void fuzz_begin(const char *seeds) {
    (void)seeds;
    signature_init();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CertificateProfile *p = NULL;
    if (certificate_profile_new(data, size, &p) != 0)
        return 0;
    certificate_profile_reasons_at(p, 1800000000000000);
    certificate_profile_free(p);
    return 0;
}
