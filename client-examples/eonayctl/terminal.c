/* SPDX-License-Identifier: Apache-2.0 */
/* Only carriage returns and blanks are used for the status line, so that it works on every terminal. */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl.h"
#include "text.h"

struct Terminal {
    int fd;
    FILE *out;
    bool live; /* out is a terminal: status lines make sense */
    unsigned status_width;
};

unsigned terminal_width(int fd) {
    struct winsize size = {0};
    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

bool terminal_colour(int fd) {
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_colour && *no_colour)
        return false;
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

Terminal *terminal_open(bool ask) {
    Terminal *t = g_new0(Terminal, 1);
    t->fd = ask ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
    int writing = t->fd >= 0 ? open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY) : -1; /* this one waits */
    t->out = writing >= 0 ? fdopen(writing, "w") : stderr;
    if (!t->out)
        abort();
    t->live = isatty(fileno(t->out));
    return t;
}

Terminal *terminal_close(Terminal *t) {
    if (!t)
        return NULL;
    terminal_status(t, NULL);
    if (t->out != stderr)
        fclose(t->out);
    safe_close(t->fd);
    g_free(t);
    return NULL;
}

int terminal_fd(const Terminal *t) {
    return t->fd;
}

FILE *terminal_out(const Terminal *t) {
    return t->out;
}

void terminal_status(Terminal *t, const char *text) {
    if (!t->live || (!text && t->status_width == 0))
        return;
    g_autofree char *line = text_cut(text ? text : "", terminal_width(fileno(t->out)) - 1);
    unsigned width = text_width(line);
    unsigned rest = t->status_width > width ? t->status_width - width : 0;
    fprintf(t->out, "\r%s%*s", line, (int)rest, "");
    if (!text)
        fputc('\r', t->out);
    fflush(t->out);
    t->status_width = width;
}

void terminal_countdown(Terminal *t, const char *what, int64_t until_usec) {
    g_autofree char *left = g_strdup_printf(_("Remaining time: %lld s"), (long long)text_seconds_left(until_usec));
    g_autofree char *line = what ? g_strconcat(what, " · ", left, NULL) : g_strdup(left);
    terminal_status(t, line);
}

int terminal_echo_off(int fd, struct termios *ret_before) {
    struct termios before;
    if (tcgetattr(fd, &before) < 0)
        return -errno;
    struct termios quiet = before;
    quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
    if (tcsetattr(fd, TCSAFLUSH, &quiet) < 0)
        return -errno;
    *ret_before = before;
    return 0;
}

void terminal_echo_on(int fd, const struct termios *before) {
    tcsetattr(fd, TCSAFLUSH, before);
}
