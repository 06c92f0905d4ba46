/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a whole small file, and walking a list of them. */
#ifndef CA_LOCAL_FILE_H
#define CA_LOCAL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "eonay/plugin.h"

/* Reads a regular file of at most `most` bytes; *ret_bytes is released with free() and has a NUL behind its end.
 * key names the configuration key in the reason. Error: FILE_INVALID. */
int file_read(const EonayHost *host, const char *key, const char *path, size_t most, uint8_t **ret_bytes,
              size_t *ret_size);

/*
 * Calls visit for each file of a ';' separated list of files and folders; of a folder, for each regular file in it,
 * in the order of their names, hidden ones left out. Stops at the first that returns non-zero. Error: FILE_INVALID.
 */
int file_walk(const EonayHost *host, const char *key, const char *list,
              int (*visit)(const EonayHost *host, const char *key, const char *path, void *data), void *data);

#endif
