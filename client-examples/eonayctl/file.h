/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk data: files into sealed memfds for the daemon, its memfds back into files that appear whole or not at all. */
#ifndef EONAYCTL_FILE_H
#define EONAYCTL_FILE_H

#include <glib.h>

/* A sealed memfd with the file's bytes ("-": standard input). -EFBIG above max, -ENODATA when empty. */
int file_to_memfd(const char *path, size_t max, int *ret_fd);
/* The same as bytes, and a sealed memfd of bytes at hand. */
int file_read(const char *path, size_t max, GBytes **ret);
int file_memfd_of(GBytes *bytes, int *ret_fd);
/* The bytes of a memfd of the daemon; -EFBIG above max, -EBADFD when it can still be changed. */
int file_from_memfd(int fd, size_t max, GBytes **ret);
/* Writes durably under a temporary name and renames, 0600: it is personal. "-" is standard output; a device or pipe is
 * written into. -ENOTSUP on a terminal. */
int file_store(const char *path, const void *data, size_t size);
/* "name.p7s" is "name-2.p7s" for number 2. Release with g_free(). */
char *file_numbered(const char *path, unsigned number);
/* The first line of a file ("-": standard input) without its blanks at both ends; -EFBIG above max bytes. */
int file_line(const char *path, size_t max, char **ret);

#endif
