/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay SEEDS KIND: runs a target over SEEDS/KIND/ without libFuzzer: each seed whole, cut at many places, and with
 * single bytes changed. Each input is in a buffer of exactly its size.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define CUTS    64u
#define CHANGES 256u

static unsigned long n_inputs;

static void input(const uint8_t *bytes, size_t size, size_t change) {
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    if (change < size)
        copy[change] ^= (uint8_t)(0x01u << (change % 8));
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    n_inputs++;
}

static void seed(const uint8_t *bytes, size_t size) {
    input(bytes, size, SIZE_MAX);
    for (size_t i = 0; i < CUTS; i++)
        input(bytes, size * i / CUTS, SIZE_MAX);
    for (size_t i = 0; i < CHANGES && i < size; i++)
        input(bytes, size, size * i / CHANGES);
}

int main(int argc, char **argv) {
    char folder[4096];
    if (argc != 3)
        return 2;
    fuzz_begin(argv[1]);
    snprintf(folder, sizeof(folder), "%s/%s", argv[1], argv[2]);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t size;
        if (entry->d_name[0] == '.')
            continue;
        uint8_t *bytes = fuzz_file(folder, entry->d_name, &size);
        seed(bytes, size);
        free(bytes);
    }
    if (dir)
        closedir(dir);
    printf("%lu inputs\n", n_inputs);
    return n_inputs > 0 ? 0 : 1;
}
