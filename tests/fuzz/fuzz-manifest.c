/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin says of itself. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "manifest.h"

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
    snprintf(path, sizeof(path), "%s/x.plugin", folder);
    atexit(tidy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
    char *folders[] = {folder, NULL};
    GHashTable *manifests = manifests_load(folders);
    g_hash_table_unref(manifests);
    return 0;
}
