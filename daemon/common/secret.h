/* SPDX-License-Identifier: Apache-2.0 */
/* A PIN in the one process that may see it: locked in memory, left out of dumps, erased. */
#ifndef EONAY_SECRET_H
#define EONAY_SECRET_H

#include <stddef.h>
#include <stdint.h>

typedef struct Secret Secret;

/* An empty secret on a page of its own: locked, MADV_DONTDUMP, MADV_WIPEONFORK. Returns 0 or negative errno. */
int secret_new(Secret **ret);
/* Erases and releases; accepts NULL and returns NULL. */
Secret *secret_free(Secret *s);
void secret_erase(Secret *s);

/*
 * Takes what lies in the pipe, without ever blocking, and closes nothing. Errors: EONAY_ERROR_PIN_FORMAT for nothing,
 * for more than EONAY_SECRET_MAX bytes, or for a NUL among them; EONAY_ERROR_DESCRIPTOR_INVALID for what is no pipe.
 * A single line end at the end is dropped: echo and a text file add one, no PIN has one.
 */
int secret_read_pipe(Secret *s, int fd);

/* The same of a regular file, from its beginning; the file stays as it is. */
int secret_read_file(Secret *s, int fd);

const uint8_t *secret_bytes(const Secret *s);
size_t secret_size(const Secret *s);

#endif
