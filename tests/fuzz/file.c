/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define FILE_MAX (1u << 20)

uint8_t *fuzz_file(const char *folder, const char *name, size_t *ret_size) {
    char path[4096];
    uint8_t *bytes = malloc(FILE_MAX);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rbe");
    if (!file || !bytes) {
        fprintf(stderr, "fuzz: %s cannot be read\n", path);
        abort();
    }
    *ret_size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return bytes;
}

#ifdef EONAY_FUZZING
/* libFuzzer hands its own arguments over; ours come in the environment. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    const char *seeds = getenv("EONAY_FUZZ_SEEDS");
    (void)argc;
    (void)argv;
    fuzz_begin(seeds ? seeds : ".");
    return 0;
}
#endif
