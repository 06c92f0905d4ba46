/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target is one file with fuzz_begin(), called once with the folder of seeds, and LLVMFuzzerTestOneInput().
 * Built with -Dfuzzing=true it runs under libFuzzer; otherwise replay.c runs it over the seeds, whole, cut and changed.
 */
#ifndef EONAY_TEST_FUZZ_H
#define EONAY_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* seeds: the folder that fuzz-seeds wrote; never NULL. */
void fuzz_begin(const char *seeds);

/* A whole file, malloc()ed; aborts when it cannot be read. */
uint8_t *fuzz_file(const char *folder, const char *name, size_t *ret_size);

#endif
