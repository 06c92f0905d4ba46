/* SPDX-License-Identifier: Apache-2.0 */
/* A verification code as a client sends it. */
#include <stdlib.h>
#include <string.h>

#include "code-digits.h"
#include "fuzz.h"

void fuzz_begin(const char *seeds) {
    (void)seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char digits[CODE_DIGITS + 1];
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (code_normalise(text, digits) && strlen(digits) != CODE_DIGITS)
        abort();
    free(text);
    return 0;
}
