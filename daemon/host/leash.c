/* SPDX-License-Identifier: Apache-2.0 */
/* F_SETSIG with O_ASYNC (fcntl(2), "Managing signals"): the signal comes when there is something to read. */
#include "leash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

int leash_hold(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 || fcntl(fd, F_SETSIG, SIGKILL) < 0 ||
        fcntl(fd, F_SETFL, flags | O_ASYNC | O_NONBLOCK) < 0)
        return -errno;
    struct pollfd before = {.fd = fd, .events = POLLIN};
    if (poll(&before, 1, 0) > 0)
        _exit(1); /* pulled before it was held */
    return 0;
}
