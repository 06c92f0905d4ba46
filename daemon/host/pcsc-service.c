/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcscd binds its socket, listens, and opens it to everybody with chmod(): the last of the three is seen by inotify as
 * well, so that nobody looks too early and then never again.
 *
 * This process has a /run of its own (private-root.h) with what was there when it began. A pcscd that comes later
 * makes its folder in the real one; a descriptor of that, kept from before, leads to both.
 */
#include "pcsc-service.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util.h"

#define FOLDER "pcscd"
#define SOCKET FOLDER "/pcscd.comm"

static void path_below(const PcscService *s, const char *name, char *ret, size_t size) {
    snprintf(ret, size, "/proc/self/fd/%d/%s", s->run, name);
}

int pcsc_service_init(PcscService *s, int run) {
    char path[64];
    *s = (PcscService){.run = run, .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (s->inotify < 0)
        return -errno;
    path_below(s, SOCKET, path, sizeof(path));
    return setenv("PCSCLITE_CSOCK_NAME", path, 1) < 0 ? -errno : 0;
}

void pcsc_service_watch(PcscService *s) {
    char folder[64], run[64];
    path_below(s, FOLDER, folder, sizeof(folder));
    path_below(s, "", run, sizeof(run));
    /* A second call for the same folder changes nothing. That the folder has gone is told by /run only: as long as some
     * process has it mounted, it is not deleted itself. */
    (void)inotify_add_watch(s->inotify, run, IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR);
    (void)inotify_add_watch(s->inotify, folder, IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR);
}

/* The watch of /run tells of everybody's folders. No name: so much happened that some of it was lost. */
static bool concerns_us(const struct inotify_event *e) {
    return e->len == 0 || strcmp(e->name, FOLDER) == 0 || strcmp(e->name, "pcscd.comm") == 0;
}

static bool drain(int fd) {
    _Alignas(struct inotify_event) char events[4096];
    bool ours = false;
    for (ssize_t n; (n = read(fd, events, sizeof(events))) > 0;)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(events + at);
            ours |= concerns_us(e);
            at += (ssize_t)(sizeof(*e) + e->len);
        }
    return ours;
}

bool pcsc_service_wait(PcscService *s, int wake, int milliseconds) {
    struct pollfd fds[] = {{.fd = s->inotify, .events = POLLIN}, {.fd = wake, .events = POLLIN}};
    for (;;) {
        int n = poll(fds, 2, milliseconds);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || fds[1].revents)
            return false;
        if (drain(s->inotify))
            return true;
    }
}

bool pcsc_service_is_there(const PcscService *s) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    path_below(s, SOCKET, address.sun_path, sizeof(address.sun_path));
    return fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EACCES ||
                       errno == EPERM || errno == EAGAIN);
}
