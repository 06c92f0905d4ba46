/* SPDX-License-Identifier: Apache-2.0 */
/* What a time-stamp authority answers. */
#include "fuzz.h"
#include "timestamp.h"

static CadesBlob anchor;

void fuzz_begin(const char *seeds) {
    anchor.bytes = fuzz_file(seeds, "fixed/root", &anchor.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const TimestampExpectation e = {.anchors = &anchor, .n_anchors = 1};
    CadesBlob response = {data, size}, token = response;
    Timestamp stamp;
    timestamp_response_open(&response, &token);
    timestamp_verify(&token, &e, &stamp);
    return 0;
}
