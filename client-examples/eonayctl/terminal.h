/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controlling terminal: the conversation goes there even when standard output is a file. Without one it goes to
 * standard error and nothing can be asked.
 */
#ifndef EONAYCTL_TERMINAL_H
#define EONAYCTL_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <termios.h>

typedef struct Terminal Terminal;

/* Columns of the terminal on this descriptor, 0 when it is none. Whether escape sequences may be written to it. */
unsigned terminal_width(int fd);
bool terminal_colour(int fd);

/* ask: false never opens the terminal. Ends the program without memory. */
Terminal *terminal_open(bool ask);
Terminal *terminal_close(Terminal *t);
/* Where questions are read, without waiting; -1 when nothing can be asked. */
int terminal_fd(const Terminal *t);
/* Where the conversation is written. */
FILE *terminal_out(const Terminal *t);

/* A line that is written over by the next one, on a terminal only; NULL removes it. */
void terminal_status(Terminal *t, const char *text);
/* "Remaining time: 292 s", with what is going on before it (may be NULL). */
void terminal_countdown(Terminal *t, const char *what, int64_t until_usec);

/*
 * Echo off, and nothing that was typed before counts; Ctrl-Z is off as well, since a stopped program could not put the
 * echo back. Returns 0 or a negative errno; terminal_echo_on() puts back what was.
 */
int terminal_echo_off(int fd, struct termios *ret_before);
void terminal_echo_on(int fd, const struct termios *before);

static inline void terminal_closep(Terminal **t) {
    terminal_close(*t);
}

#endif
