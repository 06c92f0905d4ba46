/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line that may be a PIN: on one page, locked in memory, left out of core dumps and children, erased at the end. It
 * goes to the daemon as the read end of a pipe whose write end is closed already.
 */
#ifndef EONAYCTL_PIN_H
#define EONAYCTL_PIN_H

#include <stdbool.h>
#include <stddef.h>

#define PIN_LINE_MAX 1024u

typedef struct Pin Pin;

/* Also makes this process undumpable. Returns 0 or a negative errno. */
int pin_new(Pin **ret);
Pin *pin_free(Pin *p);

/* What was read last, ended with NUL; the line end is taken off. Owned by p. */
const char *pin_text(const Pin *p);
size_t pin_size(const Pin *p);

/* In a time that does not depend on where they differ. */
bool pin_equal(const Pin *a, const Pin *b);
/* 15 digits, perhaps in groups: the verification code of an authority, not a PIN or PUK. */
bool pin_looks_like_code(const Pin *p);

/* One read() of a terminal's line. Returns 1 for a line, 0 for end of file, -EAGAIN when there is none after all,
 * -EMSGSIZE, or another negative errno. */
int pin_read_terminal(Pin *p, int fd);
/*
 * To the end of a pipe or file; a line end at its end does not count. -EMSGSIZE when it is no PIN by its length,
 * -EBADMSG for nothing or a NUL in it, -ETIMEDOUT when there is nothing to read for so many milliseconds.
 */
int pin_read_fd(Pin *p, int fd, int timeout);
/* A regular file of this user (or root) that nobody else may read: -EPERM otherwise. */
int pin_read_file(Pin *p, const char *path);
/* The read end of a pipe that holds it. */
int pin_pipe(const Pin *p, int *ret_fd);

static inline void pin_freep(Pin **p) {
    pin_free(*p);
}

#endif
