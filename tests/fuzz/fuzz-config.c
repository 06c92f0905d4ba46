/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's configuration. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "fuzz.h"

static char folder[] = "/tmp/eonay-fuzz-XXXXXX";
static char path[64];

static void tidy(void) {
    unlink(path);
    rmdir(folder);
}

void fuzz_begin(const char *seeds) {
    (void)seeds;
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof(path), "%s/x.conf", folder);
    atexit(tidy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
    Config *c = config_load(path);
    config_free(c);
    return 0;
}
