/* SPDX-License-Identifier: Apache-2.0 */
/* An evidence container that somebody wants to import. */
#include "container.h"
#include "fuzz.h"

void fuzz_begin(const char *seeds) {
    (void)seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    GPtrArray *files = NULL;
    GBytes *container = g_bytes_new(data, size);
    if (!evidence_container_open(container, &files))
        g_ptr_array_unref(files);
    g_bytes_unref(container);
    return 0;
}
