/* SPDX-License-Identifier: Apache-2.0 */
/* A signature of any level from anyone, verified completely and reported. */
#include <stdlib.h>

#include "fuzz.h"
#include "verify.h"

static CadesBlob anchor, authority;

void fuzz_begin(const char *seeds) {
    anchor.bytes = fuzz_file(seeds, "fixed/root", &anchor.size);
    authority.bytes = fuzz_file(seeds, "fixed/ca", &authority.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    VerifyReport *report = NULL;
    VerifyRequest q = {.signature = {data, size},
                       .anchors = &anchor,
                       .n_anchors = 1,
                       .certificates = &authority,
                       .n_certificates = 1,
                       .at = 1800000000,
                       .level = -1};
    if (verify_signature(&q, &report) != 0)
        return 0;
    free(verify_report_json(report));
    verify_report_free(report);
    return 0;
}
